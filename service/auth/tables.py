"""The tables of who may do what: tokens, of which only a digest is kept, and failed sign-ins."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now
from evenhand.service.projects.tables import DEFAULT_PROJECT


class Role(StrEnum):
    """Who reads, who also submits, and who also manages tokens. Each may do what the ones before it may."""

    VIEWER = "viewer"
    AUDITOR = "auditor"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Token(Base):
    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("projects.id"), default=DEFAULT_PROJECT)
    name: Mapped[str]
    role: Mapped[str]
    prefix: Mapped[str] = mapped_column(doc="its first characters, to tell tokens apart in a list")
    sha256: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]


class FailedSignIn(Base):
    """One wrong token pasted into the sign-in form; counted to slow down guessing."""

    __tablename__ = "failed_sign_ins"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    address: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index(None, "address", "at"),)
