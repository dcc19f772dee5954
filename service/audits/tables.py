"""The audits table: what was asked. How far it is stands in its job, what came out in its report."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evenhand.service.db import Base, now
from evenhand.service.jobs.tables import Job
from evenhand.service.projects.tables import DEFAULT_PROJECT
from evenhand.service.reports.tables import ReportRow


class Audit(Base):
    __tablename__ = "audits"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("projects.id"), default=DEFAULT_PROJECT)
    title: Mapped[str]
    dataset: Mapped[str] = mapped_column(doc="the id or built-in name that was asked for")
    dataset_id: Mapped[str | None] = mapped_column(sa.ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    dataset_name: Mapped[str]
    model: Mapped[str | None] = mapped_column(doc="the id that was asked for")
    model_id: Mapped[str | None] = mapped_column(sa.ForeignKey("models.id", ondelete="SET NULL"), index=True)
    model_name: Mapped[str | None]
    request: Mapped[dict[str, Any]] = mapped_column(doc="an AuditSubmission")
    job_id: Mapped[str] = mapped_column(sa.ForeignKey("jobs.id"))
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    created_by: Mapped[str | None]
    searched: Mapped[str] = mapped_column(sa.Text, default="", doc="what a search looks for words in; see search.py")

    job: Mapped[Job] = relationship(lazy="joined", innerjoin=True)
    report: Mapped[ReportRow | None] = relationship(lazy="joined", viewonly=True)

    @property
    def status(self) -> str:
        return self.job.status

    @property
    def verdict(self) -> str | None:
        return None if self.report is None else self.report.verdict

    @property
    def exit_code(self) -> int | None:
        """As `evenhand audit` would exit: of the report's gate; for a failed audit, of its error; None before."""
        if self.report is not None:
            return self.report.exit_code
        return None if self.job.error is None else self.job.error.get("exit_code", 4)
