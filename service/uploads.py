"""Receiving a file as the body of a request, streamed to disk and never whole in memory."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from flask import request

from evenhand.service.artefacts import CHUNK_BYTES, Spooled, spool
from evenhand.service.current import service
from evenhand.service.errors import NameMissing, UploadTooLarge, WrongContentType
from evenhand.service.rest import parameter

FILENAME = parameter(
    "filename", "query", "the file's name; its ending tells the format. Or X-Filename, or Content-Disposition"
)
NAME = parameter("name", "query", "how to call it; by default its file name")
FILE = {"schema": {"type": "string", "format": "binary", "minLength": 1}}

DISCARD_SECONDS = 60.0

MULTIPART = "multipart/form-data"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@contextmanager
def received_file() -> Iterator[Spooled]:
    """The request's body as a file for as long as the block runs; what is to stay must be kept inside.

    Raises:
        NameMissing: neither address nor headers name it.
        WrongContentType: it comes as a multipart form.
        UploadTooLarge, UploadIncomplete, EmptyUpload: as their names say.
    """
    # curl calls every body a urlencoded form unless told otherwise, so that one is taken as the file it is
    if request.mimetype == MULTIPART:
        raise WrongContentType(
            request.mimetype, "send the file itself as the body: curl --data-binary @FILE -H 'Content-Type: text/csv'"
        )
    config = service().config
    try:
        with spool(
            _chunks(),
            folder=config.work,
            filename=upload_filename(),
            limit_bytes=config.max_upload_bytes,
            announced_bytes=request.content_length,
        ) as spooled:
            yield spooled
    except UploadTooLarge:
        _discard_rest()
        raise


def upload_filename() -> str:
    """The name that the sender gives the file, made safe as a name of one file. Raises NameMissing."""
    given = request.args.get("filename") or request.headers.get("X-Filename") or _disposition()
    name = _UNSAFE.sub("_", (given or "").replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")[-150:]
    if not name or "." not in name:
        raise NameMissing(given)
    return name


def upload_name(filename: str) -> str:
    """How to call what was uploaded."""
    return (request.args.get("name") or "").strip()[:200] or filename


def _disposition() -> str | None:
    header = request.headers.get("Content-Disposition")
    if not header:
        return None
    message = Message()
    message["Content-Disposition"] = header
    return message.get_filename()


def _discard_rest() -> None:
    # a client that is still sending would find the connection broken, and never read why
    until = time.monotonic() + DISCARD_SECONDS
    for _ in _chunks():
        if time.monotonic() > until:
            return


def _chunks() -> Iterator[bytes]:
    while chunk := request.stream.read(CHUNK_BYTES):
        yield chunk
