"""Who is signed in to the dashboard. A session is opened by pasting a token.

A session cookie never opens the API, and a Bearer header never opens a page.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import quote, urlsplit

from flask import Flask, abort, redirect, request
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response as BaseResponse

from evenhand.service.auth.store import (
    Principal,
    find_principal,
    note_failed_sign_in,
    note_use,
    principal_of_token,
    sign_in_is_throttled,
)
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, writing
from evenhand.service.errors import TooManySignIns
from evenhand.service.events.store import record

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")

SIGN_IN_PATH = "/sign-in"


class SignedIn(UserMixin):  # type: ignore[misc]  # flask_login has no types
    """The principal behind a session, for templates as `current_user`: `name`, `role`, `may(role)`."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.id = principal.token_id
        self.name = principal.name
        self.role = principal.role

    def may(self, role: str) -> bool:
        """Whether this role's doings are allowed: `current_user.may("auditor")`."""
        return self.role.covers(Role(role))


def sign_in(text: str) -> bool:
    """Open a session for the holder of this token. False where the token is worth nothing.

    Raises:
        TooManySignIns: too many wrong ones came from this address lately.
    """
    address = request.remote_addr or ""
    with writing() as session:
        if sign_in_is_throttled(session, address):
            raise TooManySignIns()
        principal = find_principal(session, text.strip())
        if principal is None:
            note_failed_sign_in(session, address)
            record(session, "sign_in.fail", actor=None, subject=None, address=address)
            return False
        note_use(session, principal.token_id)
        record(session, "sign_in", actor=principal.name, subject=principal.token_id, address=address)
    login_user(SignedIn(principal))
    return True


def sign_out() -> None:
    """Close the session."""
    logout_user()


def signed_in() -> SignedIn:
    """Who is signed in, on a page behind `needs`."""
    return cast(SignedIn, current_user)


def needs(role: Role = Role.VIEWER) -> Callable[[Callable[Parameters, Answer]], Callable[Parameters, Answer]]:
    """`@needs(Role.AUDITOR)` under a page's route: sign-in first (302), and that role at least (403)."""

    def guard(page: Callable[Parameters, Answer]) -> Callable[Parameters, Answer]:
        @wraps(page)
        def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Answer:
            if not current_user.is_authenticated:
                return cast(Answer, _to_sign_in())
            if not signed_in().role.covers(role):
                abort(403, "Your token's role does not allow this.")
            return page(*args, **kwargs)

        return guarded

    return guard


def after_sign_in() -> str:
    """Where to go once signed in: `next` of the address where it is a path of this site, else the first page."""
    wanted = request.values.get("next") or "/"
    parts = urlsplit(wanted)
    # '//host' and '/\\host' are other sites to a browser
    safe = not parts.scheme and not parts.netloc and wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if safe and wanted.isprintable() else "/"


def set_up(app: Flask) -> None:
    """Make Flask-Login find the principal of a session."""
    manager = LoginManager()
    manager.init_app(app)

    @manager.user_loader  # type: ignore[untyped-decorator]
    def load(token_id: str) -> SignedIn | None:
        # asked at each request: a revoked token ends its sessions
        with reading() as session:
            principal = principal_of_token(session, token_id)
        return None if principal is None else SignedIn(principal)

    @manager.unauthorized_handler  # type: ignore[untyped-decorator]
    def unauthorized() -> Any:
        return _to_sign_in()


def _to_sign_in() -> BaseResponse:
    return redirect(f"{SIGN_IN_PATH}?next={quote(request.full_path.rstrip('?'))}")
