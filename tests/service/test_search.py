"""Searching the lists of audits and reports, on both databases and over HTTP."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from evenhand.auditors.policy import Policy
from evenhand.service import migrate
from evenhand.service.audits import store as audits
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.search import Search, searchable
from evenhand.service.audits.search_form import FIELDS, search_form
from evenhand.service.audits.tables import Audit
from evenhand.service.db import Database
from evenhand.service.errors import UnknownProject
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.jobs.tables import Job
from evenhand.service.projects.tables import Project
from evenhand.service.reports.store import keep_report, list_reports
from evenhand.service.reports.tables import ReportRow
from tests.service.reports import made_finding, made_report
from tests.service.running import Client, people

VERDICTS = {"pass": "proven_within", "fail": "proven_disparity", "inconclusive": "inconclusive"}


def add(
    database: Database,
    name: str,
    *,
    day: str = "2026-05-01",
    outcome: str | None = "pass",
    model: str | None = None,
    attributes: tuple[str, ...] = ("sex",),
    project: str = "default",
) -> None:
    """An audit `aud_NAME`, asked for at noon, and its report NAME; none where `outcome` is None."""
    made = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    job = Job(id=f"aud_{name}", kind="audit", queue="cpu", status="succeeded")
    audit = Audit(
        id=job.id,
        project_id=project,
        title=f"Title of {name}",
        dataset="compas",
        dataset_name="compas",
        model_name=model,
        request={},
        job=job,
        created_at=made,
        report=None,
    )
    audit.searched = searchable(audit, attributes, name)
    with database.writing() as session:
        session.add(audit)
        session.flush()
        if outcome is not None:
            verdict, code = VERDICTS[outcome], {"pass": 0, "fail": 1, "inconclusive": 3}[outcome]
            row = {"id": name, "project_id": project, "audit_id": audit.id, "title": audit.title, "created_at": made}
            session.add(ReportRow(**row, verdict=verdict, outcome=outcome, exit_code=code, sha256="a" * 64))


def found(database: Database, **asked: Any) -> list[str]:
    """Ids of the reports that a search finds; the list of audits must find those of the same names."""
    search = Search.model_validate(asked)
    with database.reading() as session:
        of_reports = [row.id for row in list_reports(session, asked=search).items]
        of_audits = [audit.id.removeprefix("aud_") for audit in audits.list_audits(session, asked=search).items]
    assert of_audits == of_reports
    return of_reports


def test_words_are_found_in_title_model_attribute_and_ids_whatever_their_capitals(database: Database) -> None:
    add(database, "one", model="Kredit Größe 7", attributes=("sex × Skin Tone",))
    add(database, "two", model="mortgage")

    for words in ("KREDIT", "grösse", "skin", "one", "aud_one", "title KREDIT tone"):
        assert found(database, q=words) == ["one"], words
    assert found(database, q="title") == ["two", "one"]
    assert found(database, q="kredit mortgage") == []


@pytest.mark.parametrize("words", ["%", "_ne", "o%e", "\\"])
def test_signs_of_sql_patterns_are_letters_like_others(database: Database, words: str) -> None:
    add(database, "one")

    assert found(database, q=words) == []


def test_days_are_counted_whole_in_utc(database: Database) -> None:
    for day in ("2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01"):
        add(database, day, day=day)

    assert found(database, **{"from": "2026-04-01", "to": "2026-06-30"}) == ["2026-06-30", "2026-04-01"]
    assert found(database, **{"from": "2026-07-01"}) == ["2026-07-01"]
    assert found(database, to="2026-03-31") == ["2026-03-31"]
    assert len(found(database, **{"from": "0001-01-01", "to": "9999-12-31"})) == 4


def test_outcome_and_verdict_are_those_of_the_report(database: Database) -> None:
    for outcome in VERDICTS:
        add(database, outcome, outcome=outcome)
    add(database, "open", outcome=None)

    for outcome, verdict in VERDICTS.items():
        assert found(database, outcome=outcome) == [outcome]
        assert found(database, verdict=verdict) == [outcome]
    assert found(database, outcome="fail", verdict="inconclusive") == []


def test_a_project_has_its_own_and_another_is_refused(database: Database) -> None:
    with database.writing() as session:
        session.add(Project(id="loans", name="Loans"))
    try:
        add(database, "ours", project="loans")
        add(database, "theirs")

        assert found(database, project="loans") == ["ours"]
        with pytest.raises(UnknownProject, match="There are: default, loans"):
            found(database, project="lones")
    finally:
        with database.writing() as session:
            for table in (ReportRow, Audit, Job):
                session.execute(sa.delete(table))
            session.execute(sa.delete(Project).where(Project.id == "loans"))


def test_pages_of_a_search_hold_all_that_it_finds_once(database: Database) -> None:
    for number in range(9):
        add(database, f"n{number}", outcome="fail" if number % 2 else "pass", day=f"2026-05-0{1 + number // 3}")
    search = Search(outcome="fail")

    seen, cursor, pages = [], None, 0
    with database.reading() as session:
        while pages == 0 or cursor:
            page = list_reports(session, asked=search, limit=3, cursor=cursor)
            seen += [row.id for row in page.items]
            cursor, pages = page.next, pages + 1

    assert seen == ["n7", "n5", "n3", "n1"]
    assert pages == 2


def test_a_submitted_audit_is_found_and_its_report_by_what_it_is_about(database: Database, queue: JobQueue) -> None:
    with database.writing() as session:
        asked = AuditSubmission(dataset="compas", title="Spring", policy=Policy())
        audit = audits.submit_audit(session, asked, queue=queue, actor="ada")
    with database.reading() as session:
        for words in ("spring", "compas", "race"):
            assert [each.id for each in audits.list_audits(session, asked=Search(q=words)).items] == [audit.id]
        assert audits.list_audits(session, asked=Search(q="age")).items == []

    with database.writing() as session:
        report = made_report(made_finding(attribute="age × sex"))
        keep_report(session, audits.get_audit(session, audit.id), report, sha256="b" * 64)

    with database.reading() as session:
        for words in ("age", report.id, "spring"):
            assert [row.id for row in list_reports(session, asked=Search(q=words)).items] == [report.id]


def test_what_was_there_before_is_found_after_the_migration(empty_database: Database) -> None:
    """An audit of a built-in set names no attributes; the findings of its report do."""
    migrate.upgrade(empty_database)
    add(empty_database, "old", model="Kredit")
    with empty_database.writing() as session:
        session.execute(sa.text("UPDATE audits SET request = :asked"), {"asked": '{"policy": {"data": {}}}'})
        finding = {"report_id": "old", "position": 0, "finding_id": "f", "audit": "proxy", "metric": "m"}
        more = {
            "comparison": "value",
            "attribute": "sex × Age",
            "verdict": "inconclusive",
            "gate": "off",
            "message": "",
        }
        session.execute(sa.insert(sa.Table("findings", Audit.metadata)).values(**finding, **more))

    migrate.downgrade(empty_database, "0002")
    migrate.upgrade(empty_database)

    for words in ("kredit", "age", "old", "title"):
        assert found(empty_database, q=words) == ["old"], words


@pytest.mark.parametrize(
    ("asked", "field", "says"),
    [
        ({"q": "  "}, "q", "empty"),
        ({"q": "a\x00b"}, "q", "no text"),
        ({"q": "x" * 201}, "q", "200 characters"),
        ({"from": "yesterday"}, "from", "write it as 2026-07-01"),
        ({"from": "20"}, "from", "write it as 2026-07-01"),
        ({"from": "2026-02-30"}, "from", "no day"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, "to", "before the first day"),
        ({"outcome": "failed"}, "outcome", "'fail'"),
        ({"verdict": "guilty"}, "verdict", "proven_disparity"),
        ({"project": "a b"}, "project", "pattern"),
        ({"verdit": "inconclusive"}, "verdit", "not permitted"),
    ],
)
def test_nonsense_is_refused_with_what_would_be_right(asked: dict[str, str], field: str, says: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Search.model_validate(asked)

    (error,) = refused.value.errors()
    assert error["loc"] == (field,)
    assert says in error["msg"]


@pytest.mark.parametrize("kind", ["audits", "reports"])
def test_lists_are_searched_over_http(client: Client, kind: str) -> None:
    dataset = client.dataset(people(gap=0.3))
    done = [client.wait(f"/api/v1/audits/{client.submit(dataset, title=f'Näherin {kind} {n}')}") for n in (1, 2)]
    ids = [each["id" if kind == "audits" else "report"] for each in done][::-1]
    today = datetime.now(UTC).date()

    def listed(query: str) -> Any:
        answer = client.get(f"/api/v1/{kind}?{query}")
        assert answer.status == 200, answer.content
        return answer.json

    everything = f"q=n%C3%84herin+{kind}&from={done[0]['created_at'][:10]}&to={max(today, date(2026, 1, 1))}"
    first = listed(f"{everything}&outcome=fail&project=default&limit=1")
    second = listed(f"{everything}&outcome=fail&project=default&limit=1&cursor={first['next']}")
    assert [item["id"] for item in first["items"] + second["items"]] == ids
    assert second["next"] is None
    assert listed(f"{everything}&outcome=pass")["items"] == []


@pytest.mark.parametrize("kind", ["audits", "reports"])
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("from=2026-13-01", "from"),
        ("from=2026-05-02&to=2026-05-01", "to"),
        ("outcome=failed", "outcome"),
        ("q=", "q"),
        ("project=nobodys", "project"),
        ("outcom=fail", "outcom"),
        ("limit=0", "limit"),
    ],
)
def test_a_search_for_nonsense_is_pointed_at(client: Client, kind: str, query: str, pointer: str) -> None:
    answer = client.get(f"/api/v1/{kind}?{query}")

    assert (answer.status, answer.type) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert "Value error" not in answer.json["errors"][0]["detail"]


def test_the_next_page_of_a_searched_list_keeps_the_search(database: Database) -> None:
    for number in range(60):
        add(database, f"n{number:02}", model="a & b")
    add(database, "other")

    with database.reading() as session:
        search = search_form(session, {"q": "a &", "from": "2026-05-01", "to": " ", "outcome": "", "cursor": "x"})
        first = search.page(session, list_reports, cursor=None)
        kept = parse_qs(search.query + f"cursor={first.next}")
        again = search_form(session, {name: value for name, (value,) in kept.items()})
        second = again.page(session, list_reports, cursor=kept["cursor"][0])

    assert (again.filled, again.errors) == (search.filled, {})
    assert [row.id for row in first.items + second.items] == [f"n{number:02}" for number in range(59, -1, -1)]


@pytest.mark.parametrize(("field", "value"), [("from", "yesterday"), ("project", "nobodys"), ("outcome", "failed")])
def test_a_form_with_a_fault_looks_for_nothing(database: Database, field: str, value: str) -> None:
    add(database, "one")

    with database.reading() as session:
        search = search_form(session, {field: value})
        assert search.page(session, list_reports, cursor=None).items == []
    assert list(search.errors) == [field]


def test_the_page_on_rest_says_which_fields_the_dashboard_has() -> None:
    said = (Path(__file__).parents[2] / "docs" / "how-to" / "rest.md").read_text()
    dashboard = said[said.index("Above the dashboard's lists") :].split("\n\n")[0]

    assert re.findall("`([a-z]+)`", dashboard.split(";")[0]) == list(FIELDS)
    assert set(re.findall("`([a-z]+)`", dashboard)) == {
        field.alias or name for name, field in Search.model_fields.items()
    }
