"""What all pages of the dashboard share: their blueprint, the limit of what a form may send, and what is wrong with a field.

Signing in and roles are in auth/session.py; the check of forms, headers and the page of a refusal in app.py.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import flask
from flask import Blueprint, Response, request
from pydantic import ValidationError

from evenhand.service.artefacts import CHUNK_BYTES, Spooled, spool
from evenhand.service.current import service
from evenhand.service.errors import NameMissing, problem_of
from evenhand.service.render import page
from evenhand.service.rest import MAX_JSON_BYTES

FieldErrors = dict[str, str]
"""Field of a form to what is wrong with it; the empty field is about the whole form."""


def blueprint(folder: str, import_name: str) -> Blueprint:
    """A blueprint of pages, named beside the folder's API."""
    pages = Blueprint(f"{folder}_pages", import_name)
    pages.record_once(lambda state: page.equip(state.app.jinja_env))
    pages.url_value_preprocessor(_limit_form)
    return pages


def show(template: str, *, status: int = 200, **names: Any) -> Response:
    """A page."""
    return Response(
        flask.render_template(template, **names), status, {"Cache-Control": "no-store"}, mimetype="text/html"
    )


def field_errors(error: ValidationError) -> FieldErrors:
    """What pydantic refused, by the last name of each place: ('policy', 'data', 'threshold') is the field `threshold`."""
    found: FieldErrors = {}
    for each in error.errors(include_url=False, include_input=False):
        names = [part for part in each["loc"] if isinstance(part, str)]
        found.setdefault(names[-1] if names else "", each["msg"].removeprefix("Value error, "))
    return found


def refusal(error: Exception) -> FieldErrors:
    """A refusal, beside the field that it points at."""
    problem = problem_of(error)
    pointed: FieldErrors = {}
    for each in problem.errors:
        names = [part for part in each.get("pointer", "").split("/") if part and not part.isdecimal()]
        if names:
            pointed.setdefault(names[-1], each["detail"])
    return pointed or {"": problem.detail}


def given(form: Mapping[str, str], *names: str) -> dict[str, str]:
    """The fields that are filled in."""
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


@contextmanager
def received_in_form() -> Iterator[Spooled]:
    """The file of a form's field `file`, for as long as the block runs; what is to stay must be kept inside.

    Raises:
        NameMissing: no file was chosen, or its name has no ending.
        EmptyUpload, UploadTooLarge: as their names say.
    """
    sent = request.files.get("file")
    config = service().config
    with spool(
        iter(lambda: sent.stream.read(CHUNK_BYTES) if sent else b"", b""),
        folder=config.work,
        filename=safe_filename(sent.filename if sent else None),
        limit_bytes=config.max_upload_bytes,
        announced_bytes=None,
    ) as spooled:
        yield spooled


def safe_filename(given: str | None) -> str:
    """The name of one file, from what a browser sends. Raises NameMissing."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", (given or "").replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")[-150:]
    if "." not in name:
        raise NameMissing(given)
    return name


def _limit_form(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # before the check of the form, which reads all of it
    is_upload = (request.endpoint or "").endswith(".upload")
    request.max_content_length = MAX_JSON_BYTES + (service().config.max_upload_bytes if is_upload else 0)
