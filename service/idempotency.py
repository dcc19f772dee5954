"""Idempotency-Key: a POST that is sent twice is done once, and answered alike both times."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

import sqlalchemy as sa
from flask import Response, request
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from evenhand.service.current import writing
from evenhand.service.db import now
from evenhand.service.errors import BadIdempotencyKey, KeyInUse, KeyReused
from evenhand.service.events.tables import IdempotentReply
from evenhand.service.rest import JSON, principal

Parameters = ParamSpec("Parameters")

KEPT_FOR = timedelta(hours=24)
UNANSWERED_FOR = timedelta(minutes=10)
"""A first request that has no answer after this long died with its process; the key is free again."""


def idempotent(view: Callable[Parameters, Response]) -> Callable[Parameters, Response]:
    """Answer a request with a known key as before. Only successes are kept: errors may be mended."""

    @wraps(view)
    def answered(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*args, **kwargs)
        if not 1 <= len(key) <= 255 or not (key.isascii() and key.isprintable()):
            raise BadIdempotencyKey()
        owner = principal().token_id
        with writing() as session:
            known = _claim(session, owner, key, _fingerprint())
            if known is not None:
                return _again(known)
        try:
            response = view(*args, **kwargs)
        except BaseException:
            _forget(owner, key)
            raise
        if response.status_code >= 400:
            _forget(owner, key)
        else:
            _remember(owner, key, response)
        return response

    return answered


def _fingerprint() -> str:
    # an upload is not read twice: its length and name stand for it
    body = request.get_data(cache=True) if request.mimetype == JSON else str(request.content_length).encode()
    digest = hashlib.sha256(f"{request.method} {request.full_path} {request.mimetype}\n".encode())
    digest.update(body)
    return digest.hexdigest()


def _claim(session: Session, owner: str, key: str, fingerprint: str) -> IdempotentReply | None:
    """The reply to give again; None where the key is now ours.

    Raises:
        KeyReused: the key came with another request.
        KeyInUse: that request is still being answered.
    """
    moment = now()
    old = sa.or_(
        IdempotentReply.created_at < moment - KEPT_FOR,
        sa.and_(IdempotentReply.status.is_(None), IdempotentReply.created_at < moment - UNANSWERED_FOR),
    )
    session.execute(sa.delete(IdempotentReply).where(old))
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    claim = insert(IdempotentReply).values(owner=owner, key=key, fingerprint=fingerprint, created_at=moment)
    ours = session.execute(claim.on_conflict_do_nothing().returning(IdempotentReply.key)).scalar() is not None
    if ours:
        return None
    known = session.get_one(IdempotentReply, (owner, key))
    if known.fingerprint != fingerprint:
        raise KeyReused()
    if known.status is None:
        raise KeyInUse()
    return known


def _again(known: IdempotentReply) -> Response:
    response = Response(known.body, status=known.status, mimetype=JSON, headers={"Idempotent-Replayed": "true"})
    if known.location is not None:
        response.autocorrect_location_header = False
        response.headers["Location"] = known.location
    return response


def _remember(owner: str, key: str, response: Response) -> None:
    with writing() as session:
        known = session.get(IdempotentReply, (owner, key))
        if known is not None:
            known.status = response.status_code
            known.body = response.get_data(as_text=True)
            known.location = response.headers.get("Location")


def _forget(owner: str, key: str) -> None:
    with writing() as session:
        session.execute(sa.delete(IdempotentReply).where(IdempotentReply.owner == owner, IdempotentReply.key == key))
