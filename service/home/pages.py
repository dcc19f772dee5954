"""The first page: every audit with its verdict."""

from flask import Response, request

from evenhand.service.audits.store import list_audits
from evenhand.service.auth.session import needs
from evenhand.service.current import reading
from evenhand.service.pages import blueprint, show

pages = blueprint("home", __name__)


@pages.get("/")
@needs()
def home() -> Response:
    with reading() as session:
        audits = list_audits(session, cursor=request.args.get("cursor"))
    return show("home.html", audits=audits)
