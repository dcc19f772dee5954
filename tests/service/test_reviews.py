"""Signing reports off: what is put on record, that it stays, and who may."""

import hashlib
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from evenhand.service.audits import store as audits
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.auth import store as tokens
from evenhand.service.auth.store import Principal
from evenhand.service.auth.tables import Role
from evenhand.service.db import Database
from evenhand.service.errors import ReportNotFound, ReviewNotFound, UnknownChoice
from evenhand.service.events.tables import Event
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.reports.store import keep_report
from evenhand.service.reports.tables import ReportRow
from evenhand.service.reviews import store
from evenhand.service.reviews.documents import MOST_CHARACTERS, ReviewOrder
from evenhand.service.reviews.tables import Decision, Review
from tests.service.reports import made_report
from tests.service.running import Client, Service, people


@pytest.fixture
def report(database: Database, queue: JobQueue) -> str:
    """Id of a report with one finding, f1."""
    with database.writing() as session:
        audit = audits.submit_audit(session, AuditSubmission(dataset="compas"), queue=queue, actor="ada")
    with database.writing() as session:
        keep_report(session, audits.get_audit(session, audit.id), made_report(), sha256="b" * 64)
    return made_report().id


@pytest.fixture
def ada(database: Database) -> Principal:
    with database.writing() as session:
        made = tokens.create_token(session, name="ada", role=Role.AUDITOR)
        found = tokens.find_principal(session, made.text)
    assert found is not None
    return found


def decide(
    database: Database, report: str, who: Principal, decision: str = "accepted", finding: str | None = None
) -> str:
    order = ReviewOrder(finding=finding, decision=Decision(decision), justification=f"{decision}, since")
    with database.writing() as session:
        return store.add_review(session, report, order, principal=who).id


def listed(database: Database, report: str) -> list[Review]:
    with database.reading() as session:
        return store.list_reviews(session, report).items


def test_a_review_says_who_decided_what_about_what_and_why(database: Database, report: str, ada: Principal) -> None:
    decide(database, report, ada, "needs_work", "f1")

    (review,) = listed(database, report)
    assert (review.report_id, review.finding, review.decision) == (report, "f1", "needs_work")
    assert (review.author, review.token_id, review.justification) == ("ada", ada.token_id, "needs_work, since")
    assert (review.supersedes, review.superseded_by) == (None, None)


def test_a_later_review_supersedes_the_one_before_on_the_same_and_both_stay(
    database: Database, report: str, ada: Principal
) -> None:
    first = decide(database, report, ada, "needs_work")
    of_finding = decide(database, report, ada, "rejected", "f1")
    second = decide(database, report, ada)
    third = decide(database, report, ada)

    chain = {review.id: (review.supersedes, review.superseded_by) for review in listed(database, report)}
    assert chain == {
        first: (None, second),
        of_finding: (None, None),
        second: (first, third),
        third: (second, None),
    }


def test_reviews_sent_at_once_make_one_chain(database: Database, report: str, ada: Principal) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = set(pool.map(lambda _: decide(database, report, ada), range(8)))

    reviews = listed(database, report)
    assert {review.id for review in reviews} == sent
    assert sum(review.supersedes is None for review in reviews) == 1
    assert sum(review.superseded_by is None for review in reviews) == 1


@pytest.mark.parametrize("change", ["UPDATE reviews SET justification = 'mine'", "DELETE FROM reviews"])
def test_the_database_refuses_to_change_or_remove_a_review(
    database: Database, report: str, ada: Principal, change: str
) -> None:
    decide(database, report, ada)

    with pytest.raises(DBAPIError, match="a review"), database.writing() as session:
        session.execute(sa.text(change))

    assert [review.justification for review in listed(database, report)] == ["accepted, since"]


def test_reviews_go_with_their_report(database: Database, report: str, ada: Principal) -> None:
    decide(database, report, ada)
    decide(database, report, ada, "rejected")

    with database.writing() as session:
        session.execute(sa.delete(ReportRow).where(ReportRow.id == report))

    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Review)) == 0


def test_a_review_of_what_is_not_there_is_refused(database: Database, report: str, ada: Principal) -> None:
    with pytest.raises(UnknownChoice, match="'f2' is not known as `finding`"):
        decide(database, report, ada, finding="f2")
    with pytest.raises(ReportNotFound):
        decide(database, "r2", ada)

    with database.reading() as session, pytest.raises(ReviewNotFound):
        store.get_review(session, report, "rev_none")
    assert listed(database, report) == []


def test_a_review_is_logged(database: Database, report: str, ada: Principal) -> None:
    review = decide(database, report, ada, "rejected")

    with database.reading() as session:
        event = session.scalars(sa.select(Event).where(Event.action == "review.add")).one()
    assert (event.actor, event.subject) == ("ada", review)
    assert event.detail == {"report": report, "decision": "rejected"}


# --- over HTTP ---


@pytest.fixture(scope="module")
def path(running: Service) -> str:
    """Of the reviews of a report on planted disparity."""
    client = running.client
    done = client.wait(f"/api/v1/audits/{client.submit(client.dataset(people(gap=0.3)))}")
    return f"/api/v1/reports/{done['report']}/reviews"


WHY = {"decision": "accepted", "justification": "The tolerance was agreed on in spring."}


def test_a_report_is_signed_off_and_stays_as_it_is(client: Client, path: str) -> None:
    address = path.removesuffix("/reviews")
    before, listed_before = client.get(address).content, client.get("/api/v1/reports").json

    sent = client.send("POST", path, WHY)
    again = client.get(sent.headers["Location"])
    reviews = client.get(path).json

    assert sent.status == 201
    assert again.json == sent.json
    assert reviews["items"][0] == sent.json
    assert sent.json["author"] == "admin"
    assert client.get(address).content == before
    assert sent.json["report_sha256"] == hashlib.sha256(before).hexdigest()
    assert client.get("/api/v1/reports").json == listed_before
    assert "agreed on" not in client.get(f"{address}.html").content.decode()


def test_a_finding_is_signed_off_by_its_id(client: Client, path: str) -> None:
    findings = client.get(path.removesuffix("/reviews")).json["findings"]

    sent = client.send("POST", path, {**WHY, "finding": findings[-1]["id"], "decision": "needs_work"})
    page = client.get(f"{path}?limit=1").json

    assert (sent.status, sent.json["finding"]) == (201, findings[-1]["id"])
    assert [item["id"] for item in page["items"]] == [sent.json["id"]]


def test_the_same_key_puts_one_review_on_record(client: Client, path: str) -> None:
    key = {"Idempotency-Key": str(uuid.uuid4())}

    first, second = client.send("POST", path, WHY, headers=key), client.send("POST", path, WHY, headers=key)

    assert first.json["id"] == second.json["id"]
    assert client.get(f"{path}?limit=2").json["items"][1]["id"] != first.json["id"]


def test_a_viewer_reads_reviews_and_adds_none(running: Service, path: str) -> None:
    with running.database.writing() as session:
        text = tokens.create_token(session, name="reader", role=Role.VIEWER).text
    reader = Client(running.client.address, text)

    assert reader.get(path).status == 200
    assert reader.send("POST", path, WHY).status == 403


def test_nobody_reads_reviews_without_a_token(anonymous: Client, path: str) -> None:
    assert anonymous.get(path).status == 401


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"decision": "approved"}, "/decision"),
        ({"justification": " \n "}, "/justification"),
        ({"justification": "x" * (MOST_CHARACTERS + 1)}, "/justification"),
        ({"justification": "a\x00b"}, "/justification"),
        ({"finding": "no such"}, "/finding"),
        ({"finding": "a\x00b"}, "/finding"),
        ({"author": "somebody else"}, "/author"),
        ({"created_at": "2020-01-01"}, "/created_at"),
    ],
)
def test_a_review_that_does_not_fit_is_pointed_at(
    client: Client, path: str, changed: dict[str, Any], pointer: str
) -> None:
    answer = client.send("POST", path, {**WHY, **changed})

    assert (answer.status, answer.type) == (422, "application/problem+json")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_there_is_no_way_to_change_a_review(client: Client, path: str, method: str) -> None:
    review = client.send("POST", path, WHY).json

    assert client.send(method, f"{path}/{review['id']}", WHY).status == 405
    assert client.get(f"{path}/{review['id']}").json["justification"] == WHY["justification"]


@pytest.mark.parametrize("text", ["a\u00a0b\u200c\u202ec", "<script>alert(1)</script>", "erste Zeile\n\nzweite"])
def test_text_is_kept_to_the_letter(client: Client, path: str, text: str) -> None:
    sent = client.send("POST", path, {**WHY, "justification": text})

    assert client.get(sent.headers["Location"]).json["justification"] == text
