"""/api/v1/audits: asking for an audit, following it, cancelling it."""

import time
from functools import partial

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, Field

from evenhand.service.audits import store
from evenhand.service.audits.representations import AuditDocument, AuditList, AuditSubmission
from evenhand.service.audits.search import Search
from evenhand.service.audits.tables import Audit
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.idempotency import idempotent
from evenhand.service.jobs.documents import progress_of
from evenhand.service.jobs.store import version_of
from evenhand.service.jobs.tables import JobStatus
from evenhand.service.rest import (
    API,
    IDEMPOTENCY_KEY,
    Paging,
    answers,
    auth,
    body,
    document,
    json_content,
    page_of,
    principal,
    takes,
)

api = APIBlueprint("audits", __name__, url_prefix=f"{API}/audits", tag="Audits")

MAX_WAIT_SECONDS = 10
POLL_SECONDS = 0.2


class SearchPage(Search, Paging):
    """Which page of what a search finds."""


class Waiting(BaseModel):
    """Whether to hold the answer."""

    wait: float = Field(
        default=0, ge=0, description="hold the answer so many seconds, 10 at most, until something changes"
    )


@api.post("")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(
    responses=answers(202, "It is queued", AuditDocument, Location="where to follow it"),
    extensions=takes(json_content(AuditSubmission), IDEMPOTENCY_KEY),
)
@idempotent
def submit() -> Response:
    """Ask for an audit."""
    submission = body(AuditSubmission)
    with writing() as session:
        audit = store.submit_audit(session, submission, queue=service().queue, actor=principal().name)
    return document(shown(audit), status=202, location=f"{API}/audits/{audit.id}")


@api.get("")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(SearchPage, location="query", arg_name="wanted")
@api.doc(responses=answers(200, "One page, newest first", AuditList))
def list_all(wanted: SearchPage) -> Response:
    """List audits: all of them, or those that a search finds."""
    return page_of(partial(store.list_audits, asked=wanted), wanted, shown, AuditList)


@api.get("/<id:audit_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(Waiting, location="query", arg_name="waiting")
@api.doc(responses=answers(200, "The audit, and how far it is", AuditDocument))
def show(audit_id: str, waiting: Waiting) -> Response:
    """Show an audit and how far it is.

    With `wait` the answer is held until something changes or the audit is over.
    """
    return document(shown(_audit_after_change(audit_id, min(waiting.wait, MAX_WAIT_SECONDS))))


@api.post("/<id:audit_id>/cancel")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(
    responses=answers(202, "It ends within seconds; one that is cancelled already stays so", AuditDocument),
    extensions={"x-parameters": [IDEMPOTENCY_KEY]},
)
@idempotent
def cancel(audit_id: str) -> Response:
    """Cancel an audit. One that succeeded or failed has nothing left to cancel (409)."""
    with writing() as session:
        audit = store.cancel_audit(session, audit_id, actor=principal().name)
    return document(shown(audit), status=202)


def _audit_after_change(audit_id: str, seconds: float) -> Audit:
    until = time.monotonic() + seconds
    with reading() as session:
        audit = store.get_audit(session, audit_id)
    while not JobStatus(audit.status).is_final and time.monotonic() < until:
        # no session is held while it sleeps
        time.sleep(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
        with reading() as session:
            if version_of(session, audit.job_id) != audit.job.version:
                return store.get_audit(session, audit_id)
    return audit


def shown(audit: Audit) -> AuditDocument:
    links = {"self": f"{API}/audits/{audit.id}"}
    if audit.report is not None:
        links["report"] = f"{API}/reports/{audit.report.id}"
    return AuditDocument(
        id=audit.id,
        title=audit.title,
        dataset=audit.dataset,
        dataset_name=audit.dataset_name,
        model=audit.model,
        model_name=audit.model_name,
        report=audit.report.id if audit.report else None,
        verdict=audit.verdict,  # type: ignore[arg-type]  # a Verdict's text
        exit_code=audit.exit_code,
        created_at=audit.created_at,
        started_at=audit.job.started_at,
        finished_at=audit.job.finished_at,
        created_by=audit.created_by,
        links=links,
        **progress_of(audit.job),
    )
