"""The web application, wired up once. Each folder's routes and pages are in its api.py and pages.py."""

import logging
from importlib import import_module
from pathlib import Path

from apiflask import APIFlask
from apiflask.exceptions import HTTPError
from flask import Flask, Response, render_template, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from evenhand import __version__
from evenhand.service import specification
from evenhand.service.artefacts import Artefacts
from evenhand.service.audits.api import api as audits
from evenhand.service.auth import session as auth_session
from evenhand.service.config import Config
from evenhand.service.current import EXTENSION, Service
from evenhand.service.datasets.api import api as datasets
from evenhand.service.db import Database
from evenhand.service.errors import PROBLEM_TYPES, Problem, problem_of
from evenhand.service.health.api import api as health
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.models.api import api as models
from evenhand.service.reports.api import api as reports
from evenhand.service.rest import API, JSON, MAX_JSON_BYTES, problem
from evenhand.service.reviews.api import api as reviews

APIS = (datasets, models, audits, reports, reviews, health)

PAGES = ("home", "auth", "audits", "reports", "datasets", "models", "policies")
"""Folders whose pages.py has a blueprint `pages`."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

log = logging.getLogger(__name__)


class IdConverter(BaseConverter):
    """An id in an address: no dot, so that a suffix may follow."""

    regex = "[A-Za-z0-9_-]{1,80}"
    part_isolating = False


def create_app(config: Config) -> APIFlask:
    """The application for one installation. Until the first request, it touches nothing but the secret key."""
    app = APIFlask(
        "evenhand.service",
        title="evenhand",
        version=__version__,
        spec_path=f"{API}/openapi.json",
        docs_path=None,
        # a namespace package does not tell where it is
        root_path=str(Path(__file__).parent),
        json_errors=False,
    )
    app.config.update(
        SECRET_KEY=config.secret_key(),
        SESSION_COOKIE_NAME="evenhand_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        MAX_FORM_MEMORY_SIZE=MAX_JSON_BYTES,
        WTF_CSRF_TIME_LIMIT=None,
    )
    app.extensions[EXTENSION] = Service(
        config=config,
        database=(database := Database(config.database_url)),
        artefacts=Artefacts(config.artefacts_url),
        queue=JobQueue(database.url.render_as_string(hide_password=False)),
    )
    app.url_map.converters["id"] = IdConverter
    specification.set_up(app)
    auth_session.set_up(app)
    csrf = CSRFProtect(app)
    for api in APIS:
        # a bearer token is not sent by a browser on its own, so there is nothing to forge
        csrf.exempt(api)
        app.register_blueprint(api)
    for folder in PAGES:
        pages = import_module(f"evenhand.service.{folder}.pages").pages
        # APIFlask asks it of every blueprint
        pages.enable_openapi = False
        app.register_blueprint(pages)
    _tell_errors(app)
    app.before_request(_limit_json)
    app.after_request(_secured)
    return app


def from_environment() -> APIFlask:
    """What gunicorn loads."""
    return create_app(Config.from_environment())


def _limit_json() -> None:
    # a document is read whole; files are streamed and have a limit of their own
    if request.path.startswith(API) and request.mimetype == JSON:
        request.max_content_length = MAX_JSON_BYTES


def _secured(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.path.startswith(API):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _tell_errors(app: Flask) -> None:
    @app.errorhandler(HTTPError)
    def refused(error: HTTPError) -> Response:
        pointed = specification.pointers(error.detail)
        detail = "; ".join(f"{found['pointer']}: {found['detail']}" for found in pointed) or str(error.message)
        headers = {name: str(value) for name, value in dict(error.headers or {}).items()}
        return _told(_http_problem(error.status_code, str(error.message), detail, pointed), headers)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if status < 400 and error.response is not None:
            return error.get_response()  # type: ignore[return-value]  # a redirect is no error
        headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
        title = "Form expired" if isinstance(error, CSRFError) else error.name
        return _told(_http_problem(status, title, error.description or error.name), headers)

    @app.errorhandler(Exception)
    def other(error: Exception) -> Response:
        found = problem_of(error)
        if found.status == 500:
            log.error("%s %s failed", request.method, request.path, exc_info=error)
        return _told(found, {})


def _http_problem(status: int, title: str, detail: str, pointed: list[dict[str, str]] | None = None) -> Problem:
    slug = title.lower().replace(" ", "-")
    return Problem(PROBLEM_TYPES + slug, title.capitalize(), status, detail, 2, pointed or [])


def _told(found: Problem, headers: dict[str, str]) -> Response:
    """As problem+json to programs, as a page to people."""
    if request.path.startswith(API) or not request.accept_mimetypes.accept_html or "Authorization" in request.headers:
        return problem(found, headers)
    return Response(render_template("error.html", problem=found), found.status, headers, mimetype="text/html")
