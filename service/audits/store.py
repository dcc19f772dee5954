"""The queries of audits: what was asked, and following it. Running one belongs to `jobs`, its result to reports."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.audits.admission import refuse_unfit
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.search import EVERYTHING, Search, audits_found, searchable
from evenhand.service.audits.tables import Audit
from evenhand.service.audits.titles import title_of
from evenhand.service.datasets.lookup import choose_dataset
from evenhand.service.db import now
from evenhand.service.errors import AlreadyOver, AuditNotFound, ModelNotReady, UnknownChoice
from evenhand.service.events.store import record
from evenhand.service.ids import new_id
from evenhand.service.jobs import store as jobs
from evenhand.service.jobs.queue import JobQueue, queue_for
from evenhand.service.jobs.tables import Job, JobStatus
from evenhand.service.models.tables import Model
from evenhand.service.paging import DEFAULT_LIMIT, Page, page


def submit_audit(session: Session, submission: AuditSubmission, *, queue: JobQueue, actor: str | None) -> Audit:
    """Ask for an audit. It and its job are there once the caller's transaction commits, or neither is.

    Args:
        session: of `writing()`.
        submission: what is asked.
        queue: `service().queue`.
        actor: name of who asks, for the log.

    Raises:
        UnknownChoice: the data set is neither an id nor a built-in name, or there is no such model.
        ModelNotReady: the model is still being trained, or its training failed.
        RefusedAtDoor: a column, metric or model does not fit the data.
    """
    dataset = choose_dataset(session, submission.dataset)
    model = _model(session, submission.model)
    refuse_unfit(submission, dataset, model)
    title = submission.title or submission.policy.report.title
    audit_id = new_id("aud")
    job = Job(id=audit_id, kind="audit", queue=queue_for(submission.device), message="waits for a worker")
    queue.enqueue(session, job)
    audit = Audit(
        id=audit_id,
        title=title or _told_apart(session, title_of(submission, dataset, model.name if model else None)),
        dataset=submission.dataset,
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        model=submission.model,
        model_id=model.id if model else None,
        model_name=model.name if model else None,
        request=submission.model_dump(mode="json"),
        job=job,
        created_by=actor,
        report=None,
    )
    audit.searched = searchable(
        audit, submission.policy.data.sensitive or (dataset.card.sensitive if dataset.card else ())
    )
    session.add(audit)
    record(session, "audit.submit", actor=actor, subject=audit_id)
    session.flush()
    return audit


def get_audit(session: Session, audit_id: str) -> Audit:
    """The audit with its job and, where there is one, its report. Raises AuditNotFound."""
    audit = session.get(Audit, audit_id)
    if audit is None:
        raise AuditNotFound(audit_id)
    return audit


def list_audits(
    session: Session, *, asked: Search = EVERYTHING, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[Audit]:
    """One page of what a search finds, newest first. Raises BadCursor and UnknownProject."""
    return page(session, audits_found(session, asked), made=Audit.created_at, key=Audit.id, limit=limit, cursor=cursor)


def cancel_audit(session: Session, audit_id: str, *, actor: str | None) -> Audit:
    """Ask for the end of an audit: at once while it is queued, within seconds while it runs.

    One that is cancelled already stays so, and nothing is recorded again.

    Raises:
        AuditNotFound: there is none.
        AlreadyOver: it succeeded or failed.
    """
    audit = get_audit(session, audit_id)
    session.refresh(audit.job, with_for_update=True)
    if audit.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        raise AlreadyOver(audit_id, audit.status)
    if audit.job.cancel_requested:
        return audit
    jobs.request_cancel(session, audit.job)
    record(session, "audit.cancel", actor=actor, subject=audit_id)
    return audit


def _model(session: Session, model_id: str | None) -> Model | None:
    if model_id is None:
        return None
    model = session.get(Model, model_id)
    if model is None:
        raise UnknownChoice("model", model_id, "the id of a model; GET /api/v1/models lists them")
    if not model.is_ready:
        raise ModelNotReady(model_id, JobStatus(model.status))
    return model


def _told_apart(session: Session, title: str) -> str:
    """The title; with the time after it where an audit has it already."""
    taken = session.scalar(sa.select(Audit.id).where(Audit.title == title).limit(1))
    return title if taken is None else f"{title} ({now():%Y-%m-%d %H:%M:%S} UTC)"
