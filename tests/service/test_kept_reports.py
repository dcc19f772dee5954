"""A report is given out as it was kept, whatever later versions write."""

import hashlib
import json

import pytest

from evenhand.service.artefacts import Artefacts
from evenhand.service.audits.store import get_audit
from evenhand.service.config import Config
from evenhand.service.reports.store import keep_report
from tests.service.reports import made_report
from tests.service.running import Service
from tests.service.test_auth import sign_in, web


@pytest.fixture(scope="module")
def older(running: Service) -> bytes:
    """The JSON of a report that was written before `signature` was a field, kept in the running service."""
    document = json.loads(made_report(id="older").to_json())
    del document["signature"]
    kept = json.dumps(document).encode()
    client = running.client
    audit = client.submit("compas", policy={}, only=["representation"])
    config = Config.from_environment({"EVENHAND_HOME": str(running.home)})
    client.send("POST", f"/api/v1/audits/{audit}/cancel")
    client.wait(f"/api/v1/audits/{audit}")
    with running.database.writing() as session:
        found = get_audit(session, audit)
        found.job.status, found.job.cancel_requested = "running", False
        session.flush()
        assert keep_report(
            session, found, made_report(id="older"), sha256=Artefacts(config.artefacts_url).put_bytes(kept)
        )
    return kept


def test_the_json_of_a_report_is_the_one_whose_digest_was_kept(running: Service, older: bytes) -> None:
    app_client = web(running)
    sign_in(app_client, running.client.token or "")

    by_accept = running.client.get("/api/v1/reports/older").content
    by_suffix = running.client.get("/api/v1/reports/older.json").content
    from_page = app_client.get("/reports/older.json").data

    assert by_accept == by_suffix == from_page == older
    digest = running.client.send(
        "POST", "/api/v1/reports/older/reviews", {"decision": "accepted", "justification": "x"}
    )
    assert digest.json["report_sha256"] == hashlib.sha256(older).hexdigest()
