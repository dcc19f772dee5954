"""The stores on both databases: what is asked, kept, listed and deleted."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from evenhand.auditors.policy import Policy
from evenhand.service.audits import store as audits
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.tables import Audit
from evenhand.service.auth import store as tokens
from evenhand.service.auth.tables import Role
from evenhand.service.datasets import store as datasets
from evenhand.service.datasets.store import Contents, StoredFile
from evenhand.service.datasets.tables import Dataset
from evenhand.service.db import Database
from evenhand.service.errors import (
    BadCursor,
    DatasetInUse,
    DatasetNotFound,
    UnknownChoice,
    UnknownToken,
)
from evenhand.service.events.tables import Event
from evenhand.service.jobs import store as jobs
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.jobs.tables import Job
from evenhand.service.reports.store import keep_report, list_reports
from evenhand.service.reports.tables import FindingRow, ReportRow
from tests.service.reports import made_report

ROLES = {"prediction": "y", "sensitive": ["sex"]}


def add_dataset(database: Database, name: str = "people") -> Dataset:
    with database.writing() as session:
        return datasets.add_dataset(
            session,
            name=name,
            filename=f"{name}.csv",
            file=StoredFile(sha256="a" * 64, size_bytes=12),
            contents=Contents(kind="table", rows=3, columns=["sex", "y"]),
            actor="ada",
        )


def submit(database: Database, queue: JobQueue, dataset: str = "compas") -> Audit:
    with database.writing() as session:
        policy = Policy.model_validate({"data": ROLES if dataset.startswith("ds_") else {}})
        return audits.submit_audit(session, AuditSubmission(dataset=dataset, policy=policy), queue=queue, actor="ada")


def test_the_second_of_two_equal_audits_has_its_time_in_the_title(database: Database, queue: JobQueue) -> None:
    first, second = submit(database, queue), submit(database, queue)

    assert first.title == "compas: decile_score >= 5, by sex, race"
    assert re.fullmatch(re.escape(first.title) + r" \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)", second.title)


def test_a_submitted_audit_is_queued(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)

    with database.reading() as session:
        assert audits.get_audit(session, audit.id).status == "queued"


def test_an_audit_and_its_job_are_there_together_or_not_at_all(database: Database, queue: JobQueue) -> None:
    def submit_and_fail() -> None:
        with database.writing() as session:
            audits.submit_audit(session, AuditSubmission(dataset="compas"), queue=queue, actor=None)
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        submit_and_fail()

    workflows = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Audit)) == 0
        assert session.scalar(sa.text(f"SELECT count(*) FROM {workflows}")) == 0


def test_an_audit_of_an_unknown_data_set_names_the_built_in_ones(database: Database, queue: JobQueue) -> None:
    with pytest.raises(UnknownChoice, match="compas"):
        submit(database, queue, "/etc/passwd")


def test_cancelling_a_queued_audit_ends_it_at_once(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)

    with database.writing() as session:
        audits.cancel_audit(session, audit.id, actor="ada")

    with database.writing() as session:
        assert audits.get_audit(session, audit.id).status == "cancelled"
        assert jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10) is None


def test_a_report_is_kept_once_however_often_it_is_made(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)
    report = made_report()

    with database.writing() as session:
        first = keep_report(session, audits.get_audit(session, audit.id), report, sha256="b" * 64)
    with database.writing() as session:
        again = made_report(id="another")
        second = keep_report(session, audits.get_audit(session, audit.id), again, sha256="c" * 64)

    with database.reading() as session:
        assert (first, second) == (True, False)
        assert [row.id for row in list_reports(session).items] == [report.id]
        assert session.scalar(sa.select(sa.func.count()).select_from(FindingRow)) == len(report.findings)


def test_a_cancelled_audit_keeps_no_report(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)
    with database.writing() as session:
        jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10)
    with database.writing() as session:
        audits.cancel_audit(session, audit.id, actor=None)

    with database.writing() as session:
        kept = keep_report(session, audits.get_audit(session, audit.id), made_report(), sha256="b" * 64)

    with database.reading() as session:
        assert not kept
        assert audits.get_audit(session, audit.id).status == "cancelled"
        assert session.scalar(sa.select(sa.func.count()).select_from(ReportRow)) == 0


def test_a_data_set_that_an_open_audit_needs_is_not_deleted(database: Database, queue: JobQueue) -> None:
    dataset = add_dataset(database)
    audit = submit(database, queue, dataset.id)

    with pytest.raises(DatasetInUse, match=audit.id), database.writing() as session:
        datasets.delete_dataset(session, dataset.id, actor=None)


def test_an_audit_outlives_its_data_set(database: Database, queue: JobQueue) -> None:
    dataset = add_dataset(database)
    audit = submit(database, queue, dataset.id)
    with database.writing() as session:
        audits.cancel_audit(session, audit.id, actor=None)

    with database.writing() as session:
        datasets.delete_dataset(session, dataset.id, actor="ada")

    with database.reading() as session:
        found = audits.get_audit(session, audit.id)
        assert (found.dataset_id, found.dataset_name) == (None, "people")
        with pytest.raises(DatasetNotFound):
            datasets.get_dataset(session, dataset.id)


def test_pages_of_a_list_hold_every_row_once(database: Database) -> None:
    added = [add_dataset(database, f"d{number}").id for number in range(7)]

    found, cursor, pages = [], None, 0
    with database.reading() as session:
        while pages == 0 or cursor:
            page = datasets.list_datasets(session, limit=3, cursor=cursor)
            found += [dataset.id for dataset in page.items]
            cursor, pages = page.next, pages + 1

    assert found == added[::-1]
    assert pages == 3


def test_a_made_up_cursor_is_refused(database: Database) -> None:
    with database.reading() as session, pytest.raises(BadCursor):
        datasets.list_datasets(session, cursor="nonsense")


def test_a_token_is_found_by_its_text_and_kept_as_a_digest(database: Database) -> None:
    with database.writing() as session:
        made = tokens.create_token(session, name="ci", role=Role.AUDITOR)

    with database.reading() as session:
        found = tokens.find_principal(session, made.text)
        kept = tokens.list_tokens(session)[0]
    assert found is not None
    assert (found.name, found.role) == ("ci", Role.AUDITOR)
    assert made.text.startswith("eh_")
    assert made.text not in str(vars(kept))


@pytest.mark.parametrize("text", ["", "eh_", "eh_" + "0" * 64, "nonsense"])
def test_an_unknown_token_is_nobody(database: Database, text: str) -> None:
    with database.reading() as session:
        assert tokens.find_principal(session, text) is None


def test_a_revoked_token_is_nobody(database: Database) -> None:
    with database.writing() as session:
        made = tokens.create_token(session, name="ci")
        tokens.revoke_token(session, made.token.prefix)

    with database.reading() as session:
        assert tokens.find_principal(session, made.text) is None


def test_an_expired_token_is_nobody(database: Database) -> None:
    with database.writing() as session:
        made = tokens.create_token(session, name="ci", expires_at=datetime.now(UTC) - timedelta(seconds=1))

    with database.reading() as session:
        assert tokens.find_principal(session, made.text) is None


def test_revoking_a_token_that_is_not_there_says_so(database: Database) -> None:
    with pytest.raises(UnknownToken, match="tok_x"), database.writing() as session:
        tokens.revoke_token(session, "tok_x")


def test_ten_wrong_tokens_from_one_address_throttle_it_alone(database: Database) -> None:
    with database.writing() as session:
        for _ in range(10):
            tokens.note_failed_sign_in(session, "10.0.0.1")

    with database.reading() as session:
        assert tokens.sign_in_is_throttled(session, "10.0.0.1")
        assert not tokens.sign_in_is_throttled(session, "10.0.0.2")


def test_what_is_done_is_logged_with_who_did_it(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)

    with database.reading() as session:
        logged = session.scalars(sa.select(Event)).all()
    assert [(event.action, event.actor, event.subject) for event in logged] == [("audit.submit", "ada", audit.id)]


def test_a_job_that_killed_its_workers_three_times_is_given_up(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)

    for _ in range(3):
        with database.writing() as session:
            assert jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10) is not None
    with database.writing() as session:
        fourth = jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10)

    with database.reading() as session:
        job = session.get_one(Job, audit.id)
    assert fourth is None
    assert job.status == "failed"
    assert job.error is not None
    assert "worker died 3 times" in job.error["detail"]


def test_the_deadline_of_a_job_stays_when_it_is_begun_again(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)
    with database.writing() as session:
        first = jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10)
        assert first is not None
        deadline = first.deadline_at

    with database.writing() as session:
        second = jobs.begin(session, audit.id, executor_id="v", timeout_seconds=999)

    assert second is not None
    assert second.deadline_at == deadline


def test_progress_of_a_worker_that_lost_the_job_is_not_kept(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)
    with database.writing() as session:
        jobs.begin(session, audit.id, executor_id="new", timeout_seconds=10)

    with database.writing() as session:
        jobs.note_progress(session, audit.id, executor_id="old", fraction=0.9, stage="s", message="m")

    with database.reading() as session:
        assert session.get_one(Job, audit.id).fraction == 0


def test_a_worker_that_stops_in_order_puts_its_jobs_back(database: Database, queue: JobQueue) -> None:
    audit = submit(database, queue)
    with database.writing() as session:
        jobs.begin(session, audit.id, executor_id="w", timeout_seconds=10)

    with database.writing() as session:
        put_back = jobs.put_back(session, "w")

    with database.reading() as session:
        job = session.get_one(Job, audit.id)
    assert put_back == [audit.id]
    assert (job.status, job.attempts) == ("queued", 0)
