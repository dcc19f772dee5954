"""The first page: every audit with its verdict."""

from flask import Response, request

from evenhand.service.audits.search_form import search_form
from evenhand.service.audits.store import list_audits
from evenhand.service.auth.session import needs
from evenhand.service.current import reading
from evenhand.service.pages import blueprint, show

pages = blueprint("home", __name__)


@pages.get("/")
@needs()
def home() -> Response:
    with reading() as session:
        search = search_form(session, request.args)
        audits = search.page(session, list_audits, cursor=request.args.get("cursor"))
    return show("home.html", status=422 if search.errors else 200, audits=audits, search=search)
