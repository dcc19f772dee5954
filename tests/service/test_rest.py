"""The REST interface, spoken to over HTTP: a service with its web server and worker runs in processes of its own."""

import hashlib
import os
import pickle
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.classifiers.build import linear
from tests.service.conftest import MAX_UPLOAD_BYTES
from tests.service.running import POLICY, Client, Service, people


@pytest.fixture(scope="module")
def finished(running: Service) -> dict[str, str]:
    """An audit that is over, with its report."""
    client = running.client
    audit = client.submit(client.dataset(people(gap=0.3)), title="Hiring, spring")
    client.wait(f"/api/v1/audits/{audit}")
    return client.get(f"/api/v1/audits/{audit}").json


def left_behind(running: Service) -> set[str]:
    """Files in the artefact store and in the work folder."""
    folders = (running.home / "artefacts", running.home / "work")
    return {str(path) for folder in folders for path in folder.rglob("*") if path.is_file()}


def test_upload_audit_report_is_the_whole_way(client: Client) -> None:
    dataset = client.dataset(people(gap=0.3))

    submitted = client.send("POST", "/api/v1/audits", {"dataset": dataset, "policy": POLICY})
    done = client.wait(submitted.headers["Location"])
    report = client.get(f"/api/v1/reports/{done['report']}")

    assert submitted.status == 202
    assert done["status"] == "succeeded"
    assert (done["verdict"], done["exit_code"]) == ("proven_disparity", 1)
    assert report.type == "application/json"
    assert report.json["schema"] == "evenhand-report/1"
    assert report.json["id"] == done["report"]


def test_a_fair_set_of_predictions_is_not_accused(client: Client) -> None:
    audit = client.submit(client.dataset(people(2000)))

    assert client.wait(f"/api/v1/audits/{audit}")["verdict"] == "proven_within"


def test_the_title_asked_for_is_that_of_the_report(client: Client, finished: dict[str, str]) -> None:
    report = client.get(f"/api/v1/reports/{finished['report']}.json").json

    assert finished["title"] == report["subject"]["title"] == "Hiring, spring"


@pytest.mark.parametrize(
    ("suffix", "content_type", "begins"),
    [
        ("json", "application/json", b"{"),
        ("html", "text/html", b"<!doctype html>"),
        ("junit.xml", "application/xml", b"<?xml"),
        ("sarif", "application/sarif+json", b"{"),
        ("md", "text/markdown", b"## "),
    ],
)
def test_a_report_comes_in_each_format_by_suffix_and_by_accept(
    client: Client, finished: dict[str, str], suffix: str, content_type: str, begins: bytes
) -> None:
    by_suffix = client.get(f"/api/v1/reports/{finished['report']}.{suffix}")
    by_accept = client.get(f"/api/v1/reports/{finished['report']}", Accept=content_type)

    assert by_suffix.content == by_accept.content
    assert by_suffix.type == by_accept.type == content_type
    assert by_suffix.content.lower().startswith(begins)


def test_the_junit_report_fails_where_the_audit_does(client: Client, finished: dict[str, str]) -> None:
    report = client.get(f"/api/v1/reports/{finished['report']}.junit.xml")

    assert ElementTree.fromstring(report.content).findall(".//failure")


def test_a_report_is_found_by_its_audit_too(client: Client, finished: dict[str, str]) -> None:
    assert client.get(f"/api/v1/reports/{finished['id']}").json["id"] == finished["report"]


def test_a_report_is_given_as_pdf(client: Client, finished: dict[str, str]) -> None:
    answer = client.get(f"/api/v1/reports/{finished['report']}.pdf")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert client.get(f"/api/v1/reports/{finished['report']}", Accept="application/pdf").content == answer.content


def test_a_format_that_is_not_known_is_not_acceptable(client: Client, finished: dict[str, str]) -> None:
    assert client.get(f"/api/v1/reports/{finished['report']}", Accept="image/png").status == 406
    assert client.get(f"/api/v1/reports/{finished['report']}.docx").status == 406


def test_a_diff_shows_what_became_better(client: Client, finished: dict[str, str]) -> None:
    better = client.wait(f"/api/v1/audits/{client.submit(client.dataset(people(2000)))}")

    found = client.get(f"/api/v1/reports/{finished['report']}/diff/{better['report']}").json

    assert (found["verdict_before"], found["verdict_after"]) == ("proven_disparity", "proven_within")
    changed = {each["before"]["metric"] for each in found["changed"] if each["verdict_changed"]}
    assert "impact_ratio" in changed


def test_two_audits_submitted_at_once_are_both_done(client: Client) -> None:
    dataset = client.dataset(people(gap=0.3))

    with ThreadPoolExecutor(2) as both:
        audits = list(both.map(client.submit, [dataset, dataset]))

    done = [client.wait(f"/api/v1/audits/{audit}") for audit in audits]
    assert [each["status"] for each in done] == ["succeeded", "succeeded"]
    assert len({each["report"] for each in done}) == 2


def test_an_audit_that_cannot_be_done_fails_with_a_problem(client: Client) -> None:
    """Which values a filter leaves is not known before the job runs."""
    rows = people().replace(b"man,1,1", b"man,1,perhaps")
    policy = {"data": {**POLICY["data"], "where": {"sex": "man"}}}

    done = client.wait(f"/api/v1/audits/{client.submit(client.dataset(rows), policy=policy)}")

    assert (done["status"], done["report"], done["exit_code"]) == ("failed", None, 2)
    assert done["error"]["type"] == "/problems/not-binary"
    assert "predicted" in done["error"]["detail"]
    assert "`policy.data.positive`" in done["error"]["detail"]
    assert done["error"]["errors"][0]["pointer"] == "/policy/data/positive"
    assert "--positive" not in done["error"]["detail"] + done["message"]


def test_one_group_only_fails_with_exit_code_2(client: Client) -> None:
    rows = people().replace(b"woman", b"man")

    done = client.wait(f"/api/v1/audits/{client.submit(client.dataset(rows))}")

    assert (done["status"], done["exit_code"]) == ("failed", 2)
    assert "Name a column with at least two different values: `policy.data.sensitive`" in done["error"]["detail"]


@pytest.mark.parametrize("when", ["queued", "running"])
def test_an_audit_can_be_cancelled(client: Client, when: str) -> None:
    audit = client.submit(client.dataset(people(40_000)))
    while when == "running" and client.get(f"/api/v1/audits/{audit}").json["status"] == "queued":
        time.sleep(0.02)

    answer = client.send("POST", f"/api/v1/audits/{audit}/cancel")

    assert answer.status == 202
    done = client.wait(f"/api/v1/audits/{audit}")
    assert (done["status"], done["report"]) == ("cancelled", None)


def test_a_built_in_set_is_audited_by_its_name(client: Client) -> None:
    done = client.wait(f"/api/v1/audits/{client.submit('compas', policy={}, only=['group_disparity'])}")

    assert (done["status"], done["verdict"]) == ("succeeded", "proven_disparity")


def test_a_model_is_trained_and_audited(client: Client) -> None:
    order = {"train": {"kind": "logistic_regression", "dataset": "german"}}
    asked = client.send("POST", "/api/v1/models", order)
    trained = client.wait(asked.headers["Location"])

    audit = client.submit("german", policy={}, model=trained["id"], only=["group_disparity"])

    assert asked.status == 202
    assert trained["status"] == "succeeded"
    assert trained["description"]["features"]
    assert client.wait(f"/api/v1/audits/{audit}", seconds=90)["status"] == "succeeded"


def test_an_onnx_model_is_uploaded_and_audited(client: Client) -> None:
    """A graph of one tensor does not tell its columns; the policy does."""
    rows = "\n".join(f"{sex},{score},7,{int(score > 0)}" for score in (-2, -1, 1, 2) for sex in ("man", "woman") * 50)
    dataset = client.dataset(f"sex,points,age,hired\n{rows}\n".encode())
    graph = linear(np.array([[-1.0, 1.0], [0.0, 0.0]], np.float32), last="Softmax")
    policy = {"data": {"label": "hired", "sensitive": ["sex"], "features": ["points", "age"], "positive": "1"}}

    model = client.upload("models", "points.onnx", graph.SerializeToString(), "&name=By+points")
    asked = {"model": model.json["id"], "policy": policy, "only": ["group_disparity"]}
    done = client.wait(f"/api/v1/audits/{client.submit(dataset, **asked)}")
    report = client.get(f"/api/v1/reports/{done['id']}").json

    assert (model.status, model.json["name"]) == (201, "By points")
    assert model.json["description"]["features_wanted"] == 2
    assert (done["status"], done["error"]) == ("succeeded", None)
    assert report["subject"]["model"]["sha256"] == hashlib.sha256(graph.SerializeToString()).hexdigest()


def test_a_hostile_pickle_named_onnx_is_refused_unread(client: Client, running: Service, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path}/ran",)

    before = left_behind(running)
    answer = client.upload("models", "model.onnx", pickle.dumps(Hostile()))

    assert answer.status == 415
    assert "pickle" in answer.json["detail"]
    assert not (tmp_path / "ran").exists()
    assert left_behind(running) == before


def test_an_upload_above_the_limit_leaves_nothing(client: Client, running: Service) -> None:
    before = left_behind(running)

    answer = client.upload("datasets", "big.csv", b"a,b\n" + b"1,2\n" * (MAX_UPLOAD_BYTES // 4))

    assert answer.status == 413
    assert f"{MAX_UPLOAD_BYTES:,}" in answer.json["detail"]
    assert left_behind(running) == before


@pytest.mark.parametrize(
    ("filename", "content", "status", "says"),
    [
        ("empty.csv", b"", 400, "0 bytes"),
        ("header.csv", b"a,b\n", 422, "empty"),
        ("broken.parquet", b"PAR1 and then nothing", 422, "Parquet"),
        ("notes.docx", b"PK\x03\x04 whatever", 415, "format"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3\n", 422, "3 fields"),
    ],
)
def test_a_file_that_cannot_be_opened_is_refused_and_leaves_nothing(
    client: Client, running: Service, filename: str, content: bytes, status: int, says: str
) -> None:
    before = left_behind(running)

    answer = client.upload("datasets", filename, content)

    assert (answer.status, answer.type) == (status, "application/problem+json")
    assert says.lower() in answer.json["detail"].lower()
    assert left_behind(running) == before


def test_a_file_without_a_name_is_asked_for_one(client: Client) -> None:
    answer = client.send("POST", "/api/v1/datasets", people())

    assert answer.status == 400
    assert "filename=" in answer.json["detail"]


def test_a_file_sent_as_a_multipart_form_is_told_how_to_be_sent(client: Client) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}

    answer = client.send("POST", "/api/v1/datasets?filename=a.csv", b"--x--", headers=headers)

    assert answer.status == 415
    assert "--data-binary" in answer.json["detail"]


def test_a_file_sent_with_curls_default_type_is_taken(client: Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}

    answer = client.send("POST", "/api/v1/datasets?filename=a.csv", people(), headers=headers)

    assert (answer.status, answer.json["rows"]) == (201, 400)


def test_a_deleted_data_set_takes_its_file_along(client: Client, running: Service) -> None:
    before = left_behind(running)
    dataset = client.dataset(f"sex,hired,predicted\nman,1,{uuid.uuid4()}\n".encode())

    answer = client.send("DELETE", f"/api/v1/datasets/{dataset}")

    assert answer.status == 204
    assert client.get(f"/api/v1/datasets/{dataset}").status == 404
    assert left_behind(running) == before


def test_a_file_that_another_data_set_has_too_stays(client: Client) -> None:
    content = f"sex,hired,predicted\n{uuid.uuid4()},1,1\n".encode()
    first, second = client.dataset(content), client.dataset(content)

    client.send("DELETE", f"/api/v1/datasets/{first}")

    assert client.wait(f"/api/v1/audits/{client.submit(second)}")["error"]["type"] != "/problems/artefact-missing"


def test_the_same_key_makes_one_audit(client: Client) -> None:
    asked = {"dataset": client.dataset(people()), "policy": POLICY}
    key = {"Idempotency-Key": str(uuid.uuid4())}

    first = client.send("POST", "/api/v1/audits", asked, headers=key)
    second = client.send("POST", "/api/v1/audits", asked, headers=key)

    assert first.json["id"] == second.json["id"]
    assert second.headers["Idempotent-Replayed"] == "true"
    assert first.headers["Location"] == second.headers["Location"]


def test_the_same_key_with_another_request_is_refused(client: Client) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    client.send("POST", "/api/v1/audits", {"dataset": "compas"}, headers=key)

    answer = client.send("POST", "/api/v1/audits", {"dataset": "german"}, headers=key)

    assert (answer.status, answer.json["type"]) == (422, "/problems/key-reused")


def test_a_refused_request_frees_its_key(client: Client) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}
    client.send("POST", "/api/v1/audits", {"dataset": "compass"}, headers=key)

    assert client.send("POST", "/api/v1/audits", {"dataset": "compas"}, headers=key).status == 202


def test_a_list_is_paged_by_cursor(client: Client) -> None:
    added = [client.dataset(people(10 + number)) for number in range(3)]

    first = client.get("/api/v1/datasets?limit=2").json
    second = client.get(f"/api/v1/datasets?limit=1&cursor={first['next']}").json

    assert [item["id"] for item in first["items"] + second["items"]] == added[::-1]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, "/dataset"),
        ({"dataset": "compas", "seed": "1"}, "/seed"),
        ({"dataset": "compas", "polcy": {}}, "/polcy"),
        ({"dataset": "compas", "policy": {"data": {"intersections": 99}}}, "/policy/data/intersections"),
        ({"dataset": "nonsense"}, "/dataset"),
        ({"dataset": "compas", "model": "mdl_none"}, "/model"),
    ],
)
def test_a_body_that_does_not_fit_is_pointed_at(client: Client, asked: dict[str, object], pointer: str) -> None:
    answer = client.send("POST", "/api/v1/audits", asked)

    assert (answer.status, answer.type) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("policy", "pointer"),
    [
        ({"data": {"source": "/etc/passwd"}}, "/policy/data/source"),
        ({"data": {"train_source": "/etc/passwd"}}, "/policy/data/train_source"),
        ({"model": {"path": "/etc/passwd"}}, "/policy/model/path"),
    ],
)
def test_a_policy_that_names_a_file_of_the_server_is_refused(
    client: Client, policy: dict[str, object], pointer: str
) -> None:
    answer = client.send("POST", "/api/v1/audits", {"dataset": "compas", "policy": policy})

    assert answer.status == 422
    assert "does not read" in answer.json["detail"]
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_body_of_another_type_is_unsupported(client: Client) -> None:
    answer = client.send("POST", "/api/v1/audits", b"dataset=compas", headers={"Content-Type": "text/plain"})

    assert answer.status == 415


def test_a_limit_out_of_range_is_pointed_at(client: Client) -> None:
    answer = client.get("/api/v1/audits?limit=0")

    assert answer.status == 422
    assert answer.json["errors"][0]["pointer"] == "limit"


@pytest.mark.parametrize("path", ["datasets/x", "models/x", "audits/x", "reports/x", "nonsense"])
def test_what_is_not_there_is_a_problem_too(client: Client, path: str) -> None:
    answer = client.get(f"/api/v1/{path}")

    assert (answer.status, answer.type) == (404, "application/problem+json")


def test_a_method_that_is_not_allowed_says_which_are(client: Client) -> None:
    answer = client.send("PUT", "/api/v1/audits")

    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


def test_readyz_shows_every_part(anonymous: Client) -> None:
    answer = anonymous.get("/readyz")

    assert answer.status == 200
    assert set(answer.json["checks"]) == {"database", "migrations", "artefacts", "worker", "confinement"}
    confinement = answer.json["checks"]["confinement"]
    assert set(confinement) == {"ok", "detail", "mode", "landlock_abi", "seccomp", "bwrap", "reason"}


def test_the_service_describes_itself(anonymous: Client) -> None:
    answer = anonymous.get("/api/v1/openapi.json")

    assert answer.json["openapi"].startswith("3.1")
    assert "/api/v1/audits" in answer.json["paths"]


def test_health_and_metrics_need_no_token(anonymous: Client) -> None:
    assert anonymous.get("/healthz").json["status"] == "ok"
    assert b"evenhand_workers 1" in anonymous.get("/metrics").content


def test_every_answer_forbids_scripts_of_others(anonymous: Client) -> None:
    headers = anonymous.get("/healthz").headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
