"""The events table: who did what and when. Rows are added and never changed."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now


class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor: Mapped[str | None]
    action: Mapped[str] = mapped_column(doc="audit.submit, token.revoke, …")
    subject: Mapped[str | None]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class IdempotentReply(Base):
    """What a POST with an Idempotency-Key answered, to be answered again."""

    __tablename__ = "idempotent_replies"

    owner: Mapped[str] = mapped_column(primary_key=True, doc="the token's id")
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(doc="SHA-256 of method, path and body")
    status: Mapped[int | None] = mapped_column(doc="None while the first request is being answered")
    location: Mapped[str | None]
    body: Mapped[str | None] = mapped_column(sa.Text)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
