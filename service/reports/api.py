"""/api/v1/reports: reports in every format, and what differs between two."""

from functools import partial
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request

from evenhand.auditors.report import Report
from evenhand.service.audits.api import SearchPage
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service
from evenhand.service.reports import store
from evenhand.service.reports.diff import diff
from evenhand.service.reports.documents import ReportDiff, ReportList, ReportSummary
from evenhand.service.reports.formats import FORMATS, Format, by_accept, by_suffix, made
from evenhand.service.reports.tables import ReportRow
from evenhand.service.rest import API, JSON, answers, auth, document, page_of, ref

api = APIBlueprint("reports", __name__, url_prefix=f"{API}/reports", tag="Reports")

STANDALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"

IN_EVERY_FORMAT: Any = {
    "200": {
        "description": "The report",
        "content": {
            made.content_type: {"schema": ref(Report) if made.content_type == JSON else {"type": "string"}}
            for made in FORMATS.values()
        },
    }
}


@api.get("")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(SearchPage, location="query", arg_name="wanted")
@api.doc(responses=answers(200, "One page, newest first", ReportList))
def list_all(wanted: SearchPage) -> Response:
    """List reports: all of them, or those that a search finds."""
    return page_of(partial(store.list_reports, asked=wanted), wanted, shown, ReportList)


@api.get("/<id:report_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=IN_EVERY_FORMAT)
def show(report_id: str) -> Response:
    """Fetch a report, by its id or its audit's, in the format that `Accept` asks for; JSON by default."""
    return _given(report_id, by_accept(request.accept_mimetypes))


@api.get("/<id:report_id>.<path:suffix>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=IN_EVERY_FORMAT)
def show_as(report_id: str, suffix: str) -> Response:
    """Fetch a report as .json, .html, .pdf, .junit.xml, .sarif or .md."""
    return _given(report_id, by_suffix(suffix))


@api.get("/<id:report_id>/diff/<id:other_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=answers(200, "Findings added, removed, and changed in verdict or estimate", ReportDiff))
def compare(report_id: str, other_id: str) -> Response:
    """What the second report says otherwise than the first."""
    with reading() as session:
        before = store.read_report(session, service().artefacts, report_id)
        after = store.read_report(session, service().artefacts, other_id)
    return document(diff(before, after))


def _given(report_id: str, wanted: Format) -> Response:
    with reading() as session:
        report, content = made(wanted, store.read_json(session, service().artefacts, report_id))
    response = Response(content, content_type=wanted.full_type)
    if wanted.suffix == "html":
        # the document allows itself its own style by hash and nothing else; a header cannot know that hash
        response.headers["Content-Security-Policy"] = STANDALONE
    response.vary.add("Accept")
    response.headers["Content-Disposition"] = f'inline; filename="{report.id}.{wanted.suffix}"'
    return response


def shown(row: ReportRow) -> ReportSummary:
    address = f"{API}/reports/{row.id}"
    return ReportSummary(
        id=row.id,
        audit=row.audit_id,
        title=row.title,
        verdict=row.verdict,  # type: ignore[arg-type]  # text of a Verdict
        outcome=row.outcome,  # type: ignore[arg-type]  # one of the three
        exit_code=row.exit_code,
        created_at=row.created_at,
        links={suffix: f"{address}.{suffix}" for suffix in FORMATS},
    )
