"""Reports: the list, one report, two compared, and a report as a file."""

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from evenhand.service.audits.search_form import search_form
from evenhand.service.auth.session import needs
from evenhand.service.current import reading, service
from evenhand.service.pages import blueprint, show
from evenhand.service.render import page
from evenhand.service.reports.diff import diff
from evenhand.service.reports.formats import by_suffix
from evenhand.service.reports.store import get_report_row, list_reports, read_report

pages = blueprint("reports", __name__)

OFFERED = ("html", "pdf", "json", "junit.xml", "sarif", "md")


@pages.get("/reports")
@needs()
def all_reports() -> Response:
    with reading() as session:
        search = search_form(session, request.args)
        reports = search.page(session, list_reports, cursor=request.args.get("cursor"))
    return show("reports/list.html", status=422 if search.errors else 200, reports=reports, search=search)


@pages.get("/reports/<id:report_id>")
@needs()
def report(report_id: str) -> Response:
    with reading() as session:
        found = read_report(session, service().artefacts, report_id)
        others = [row for row in list_reports(session).items if row.id != found.id]
    return show("reports/report.html", **page.view(found), offered=OFFERED, others=others)


@pages.get("/reports/<id:report_id>.<path:suffix>")
@needs()
def report_file(report_id: str, suffix: str) -> Response:
    wanted = by_suffix(suffix)
    with reading() as session:
        found = read_report(session, service().artefacts, report_id)
    response = Response(wanted.make(found), content_type=wanted.full_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{found.id}.{suffix}"'
    return response


@pages.get("/reports/<id:report_id>/compare")
@needs()
def choose_comparison(report_id: str) -> AnyResponse:
    """What the form of a report page sends: it goes on to the address that can be kept."""
    before = request.args.get("before", report_id)
    return redirect(url_for(".compare", report_id=before, other_id=report_id))


@pages.get("/reports/<id:report_id>/diff/<id:other_id>")
@needs()
def compare(report_id: str, other_id: str) -> Response:
    with reading() as session:
        rows = [get_report_row(session, named) for named in (report_id, other_id)]
        before, after = (read_report(session, service().artefacts, row.id) for row in rows)
    return show("reports/diff.html", before=before, after=after, rows=rows, diff=diff(before, after))
