"""The reviews table: what people decided about a report, and why. Rows are added and never changed; the database refuses it.

The report's document knows nothing of them, so that its digest stays. They go when their report goes, and not before.
"""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evenhand.service.db import Base, now


class Decision(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NEEDS_WORK = "needs_work"


class Review(Base):
    __tablename__ = "reviews"

    id: Mapped[str] = mapped_column(primary_key=True)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id", ondelete="CASCADE"))
    finding: Mapped[str | None] = mapped_column(doc="id of a finding of the report; None for the whole report")
    decision: Mapped[str]
    justification: Mapped[str] = mapped_column(sa.Text)
    author: Mapped[str] = mapped_column(
        doc="name of the token; a name may be given twice, so the token stands beside it"
    )
    token_id: Mapped[str] = mapped_column(sa.ForeignKey("tokens.id"))
    # unique: what is superseded is so once, by one review
    supersedes: Mapped[str | None] = mapped_column(sa.ForeignKey("reviews.id"), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    __table_args__ = (sa.Index(None, "report_id", "created_at"),)

    successor: Mapped["Review | None"] = relationship(viewonly=True, uselist=False, lazy="joined", join_depth=1)

    @property
    def superseded_by(self) -> str | None:
        """Id of the review that stands in its place."""
        return None if self.successor is None else self.successor.id
