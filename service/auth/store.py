"""The queries of tokens. A token's text is shown once, when it is made; the database keeps its SHA-256."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.auth.tables import FailedSignIn, Role, Token
from evenhand.service.db import now
from evenhand.service.errors import UnknownToken
from evenhand.service.events.store import record
from evenhand.service.ids import new_id

TOKEN_PREFIX = "eh_"
SHOWN_CHARACTERS = 9
LAST_USED_STEP = timedelta(minutes=1)

SIGN_IN_WINDOW = timedelta(minutes=5)
SIGN_INS_PER_WINDOW = 10


@dataclass(frozen=True)
class Principal:
    """Who asks: a token that is valid now."""

    token_id: str
    name: str
    role: Role
    project_id: str


@dataclass(frozen=True)
class NewToken:
    """A token just made. `text` is known here and nowhere else."""

    token: Token
    text: str


def create_token(
    session: Session,
    *,
    name: str,
    role: Role = Role.ADMIN,
    expires_at: datetime | None = None,
    actor: str | None = None,
) -> NewToken:
    """Make a token: `eh_` and 64 hex digits (32 random bytes)."""
    text = TOKEN_PREFIX + secrets.token_hex(32)
    token = Token(
        id=new_id("tok"),
        name=name,
        role=role,
        prefix=text[:SHOWN_CHARACTERS],
        sha256=_digest(text),
        expires_at=expires_at,
    )
    session.add(token)
    record(session, "token.create", actor=actor, subject=token.id, name=name, role=role)
    session.flush()
    return NewToken(token=token, text=text)


def list_tokens(session: Session) -> list[Token]:
    """Every token, oldest first, the revoked ones too."""
    return list(session.scalars(sa.select(Token).order_by(Token.created_at, Token.id)))


def revoke_token(session: Session, token_id: str, *, actor: str | None = None) -> Token:
    """Make a token worthless from now on. Revoking it twice changes nothing.

    Args:
        token_id: its id, or the characters that a list shows of it (`eh_…`) where they name one token alone.

    Raises:
        UnknownToken: no token, or more than one, is named so.
    """
    found = list(session.scalars(sa.select(Token).where(sa.or_(Token.id == token_id, Token.prefix == token_id))))
    if len(found) != 1:
        raise UnknownToken(token_id)
    token = found[0]
    if token.revoked_at is None:
        token.revoked_at = now()
        record(session, "token.revoke", actor=actor, subject=token.id)
    return token


def count_tokens(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Token)) or 0


def find_principal(session: Session, text: str) -> Principal | None:
    """Who holds this token text; None where nobody does, it is revoked, or it has expired."""
    if not text.startswith(TOKEN_PREFIX):
        return None
    # the lookup is by digest: how long it takes tells nothing about the text
    return _principal(session.scalar(sa.select(Token).where(Token.sha256 == _digest(text))))


def principal_of_token(session: Session, token_id: str) -> Principal | None:
    """Who a session was opened by; None once that token is revoked or has expired."""
    return _principal(session.get(Token, token_id))


def note_use(session: Session, token_id: str) -> None:
    """Keep when a token was last used, to the minute."""
    moment = now()
    session.execute(
        sa.update(Token)
        .where(Token.id == token_id)
        .where(sa.or_(Token.last_used_at.is_(None), Token.last_used_at < moment - LAST_USED_STEP))
        .values(last_used_at=moment)
    )


def sign_in_is_throttled(session: Session, address: str) -> bool:
    """Whether too many wrong tokens came from this address lately."""
    since = now() - SIGN_IN_WINDOW
    failures = session.scalar(
        sa.select(sa.func.count())
        .select_from(FailedSignIn)
        .where(FailedSignIn.address == address, FailedSignIn.at >= since)
    )
    return (failures or 0) >= SIGN_INS_PER_WINDOW


def note_failed_sign_in(session: Session, address: str) -> None:
    session.execute(sa.delete(FailedSignIn).where(FailedSignIn.at < now() - SIGN_IN_WINDOW))
    session.add(FailedSignIn(address=address))


def _principal(token: Token | None) -> Principal | None:
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= now():
        return None
    return Principal(token_id=token.id, name=token.name, role=Role(token.role), project_id=token.project_id)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
