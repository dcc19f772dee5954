"""Signing in with a token, and out."""

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from evenhand.service.auth import session
from evenhand.service.errors import TooManySignIns
from evenhand.service.pages import blueprint, show

pages = blueprint("auth", __name__)

WORTHLESS = "This token is unknown, revoked or expired. `evenhand token create` makes a new one."


@pages.get("/sign-in")
def sign_in() -> Response:
    return show("auth/sign_in.html", errors={}, next=request.args.get("next", "/"))


@pages.post("/sign-in")
def check_token() -> AnyResponse:
    try:
        if session.sign_in(request.form.get("token", "")):
            return redirect(session.after_sign_in())
    except TooManySignIns as error:
        return _again(str(error), status=429)
    return _again(WORTHLESS, status=401)


@pages.post("/sign-out")
def sign_out() -> AnyResponse:
    session.sign_out()
    return redirect(session.SIGN_IN_PATH)


def _again(message: str, *, status: int) -> Response:
    return show("auth/sign_in.html", status=status, errors={"token": message}, next=request.form.get("next", "/"))
