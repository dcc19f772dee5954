"""Signing off on the page of a report."""

import re
from html import unescape

import pytest

from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import quoted_group
from evenhand.service.auth import store as tokens
from evenhand.service.auth.tables import Role
from evenhand.service.reviews.subjects import choices, names
from tests.service.reports import made_finding, made_report
from tests.service.running import Service, people
from tests.service.test_auth import sign_in, web

WHY = {"decision": "accepted", "justification": "Agreed on.\r\n<b>Twice</b>"}


@pytest.fixture(scope="module")
def report(running: Service) -> str:
    client = running.client
    return str(client.wait(f"/api/v1/audits/{client.submit(client.dataset(people(gap=0.3)))}")["report"])


def reader(running: Service, role: Role):  # type: ignore[no-untyped-def]  # see test_auth.web
    with running.database.writing() as session:
        text = tokens.create_token(session, name=f"Ada ({role})", role=role).text
    app_client = web(running)
    sign_in(app_client, text)
    return app_client


def decide(app_client, report: str, form: dict[str, str], *, secret: bool = True):  # type: ignore[no-untyped-def]  # see above
    page = app_client.get(f"/reports/{report}").text
    found = re.search('name="csrf_token" value="([^"]+)"', page)
    also = {"csrf_token": found.group(1)} if found and secret else {}
    return app_client.post(f"/reports/{report}/reviews", data={**form, **also})


def sign_off(page: str) -> str:
    return page.split('id="sign-off"')[1].split("</section>")[0]


def test_a_decision_is_shown_on_the_page_with_its_author_and_its_text_as_text(running: Service, report: str) -> None:
    app_client = reader(running, Role.AUDITOR)
    finding = running.client.get(f"/api/v1/reports/{report}").json["findings"][0]["id"]

    answer = decide(app_client, report, {**WHY, "finding": finding})
    shown = sign_off(app_client.get(f"/reports/{report}").text)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/reports/{report}#sign-off")
    assert "Agreed on.<br>&lt;b&gt;Twice&lt;/b&gt;" in shown
    assert "Impact ratio, sex" in shown
    assert "Ada (auditor)" in shown


def test_one_that_is_superseded_stays_and_says_so(running: Service, report: str) -> None:
    app_client = reader(running, Role.ADMIN)
    for text in ("the first time", "the second time"):
        decide(app_client, report, {"decision": "needs_work", "justification": text})

    rows = sign_off(app_client.get(f"/reports/{report}").text).split("<tr")
    first, second = (next(row for row in rows if text in row) for text in ("the first time", "the second time"))
    assert "superseded" in first
    assert "superseded" not in second


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"decision": ""}, "Choose one."),
        ({"decision": "approved"}, "Input should be"),
        ({"justification": " "}, "Write why"),
        ({"justification": "x" * 10_001}, "at most 10000 characters"),
        ({"finding": "no such"}, "'no such' is not known as `finding`"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field_and_what_was_typed_stays(
    running: Service, report: str, changed: dict[str, str], says: str
) -> None:
    app_client = reader(running, Role.AUDITOR)
    before = running.client.get(f"/api/v1/reports/{report}/reviews").json

    answer = decide(app_client, report, {**WHY, **changed})

    (name,) = changed
    told = re.search(f'id="{name}-error">([^<]*)<', answer.text)
    assert answer.status_code == 422
    assert told is not None
    assert says in unescape(told.group(1))
    assert name == "justification" or "Agreed on." in answer.text
    assert running.client.get(f"/api/v1/reports/{report}/reviews").json == before


def test_a_viewer_reads_decisions_and_has_no_form(running: Service, report: str) -> None:
    app_client = reader(running, Role.VIEWER)

    assert "textarea" not in app_client.get(f"/reports/{report}").text
    assert decide(app_client, report, WHY).status_code == 403


def test_a_decision_that_another_site_sends_is_refused(running: Service, report: str) -> None:
    assert decide(reader(running, Role.ADMIN), report, WHY, secret=False).status_code == 400


def test_checks_and_proxies_are_offered_by_name_and_pairs_go_with_their_check() -> None:
    check = made_finding(id="group_disparity/impact_ratio/ratio/sex", group={"sex": "a"}, reference={"sex": "b"})
    pair = check.model_copy(
        update={
            "id": f"{check.id}/favourable_rate/{quoted_group({'sex': 'a'})}:{quoted_group({'sex': 'b'})}",
            "gate": Gate.OFF,
        }
    )
    proxy = made_finding(
        id="proxy/contribution/sex/zip/area",
        audit="proxy",
        metric="contribution",
        comparison=Comparison.VALUE,
        verdict=Verdict.INCONCLUSIVE,
        gate=Gate.OFF,
    )
    report = made_report(check, pair, proxy)

    assert choices(report) == [
        (check.id, "Impact ratio, sex: disparity proven"),
        (proxy.id, "zip/area as a proxy of sex: inconclusive"),
    ]
    assert set(names(report)) == {check.id, pair.id, proxy.id}
    assert names(report)[pair.id] == "Impact ratio, sex: a and b"
