"""Reports: the list, one report with its sign-off, two compared, and a report as a file."""

from collections.abc import Mapping

from flask import Response, redirect, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from evenhand.service.audits.search_form import search_form
from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.errors import UnknownChoice
from evenhand.service.pages import FieldErrors, blueprint, field_errors, given, refusal, show
from evenhand.service.paging import MAX_LIMIT
from evenhand.service.render import page
from evenhand.service.reports.diff import diff
from evenhand.service.reports.formats import by_suffix, made
from evenhand.service.reports.store import get_report_row, list_reports, read_json, read_report
from evenhand.service.reviews import store, subjects
from evenhand.service.reviews.documents import MOST_CHARACTERS, ReviewOrder

pages = blueprint("reports", __name__)

UNTOLD = {"decision": "Choose one.", "justification": "Write why: a later reader has nothing else."}
"""What the form of a decision lacks, and what is said of it."""
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
    return _report_page(report_id, filled={}, errors={})


@pages.get("/reports/<id:report_id>/reviews")
@needs()
def reviews(report_id: str) -> AnyResponse:
    """The report's page lists them."""
    return redirect(url_for(".report", report_id=report_id, _anchor="sign-off"))


@pages.post("/reports/<id:report_id>/reviews")
@needs(Role.AUDITOR)
def add_review(report_id: str) -> AnyResponse:
    filled = given(request.form, "finding", *UNTOLD)
    if errors := {name: said for name, said in UNTOLD.items() if name not in filled}:
        return _report_page(report_id, filled=request.form, errors=errors)
    try:
        order = ReviewOrder.model_validate(filled)
        with writing() as session:
            store.add_review(session, report_id, order, principal=signed_in().principal)
        return redirect(url_for(".report", report_id=report_id, _anchor="sign-off"))
    except ValidationError as error:
        errors = field_errors(error)
    except UnknownChoice as error:
        errors = refusal(error)
    return _report_page(report_id, filled=request.form, errors=errors)


@pages.get("/reports/<id:report_id>.<path:suffix>")
@needs()
def report_file(report_id: str, suffix: str) -> Response:
    wanted = by_suffix(suffix)
    with reading() as session:
        found, content = made(wanted, read_json(session, service().artefacts, report_id))
    response = Response(content, content_type=wanted.full_type)
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


def _report_page(report_id: str, *, filled: Mapping[str, str], errors: FieldErrors) -> Response:
    with reading() as session:
        found = read_report(session, service().artefacts, report_id)
        others = [row for row in list_reports(session).items if row.id != found.id]
        signed = store.list_reviews(session, found.id, limit=MAX_LIMIT)
    return show(
        "reports/report.html",
        status=422 if errors else 200,
        **page.view(found),
        offered=OFFERED,
        others=others,
        reviews=signed,
        about=subjects.choices(found),
        subjects=subjects.names(found),
        whole_report=subjects.WHOLE_REPORT,
        limit=MOST_CHARACTERS,
        filled=filled,
        errors=errors,
    )
