"""The tables of reports and their findings, for queries. The document itself is in the artefact store."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now
from evenhand.service.projects.tables import DEFAULT_PROJECT


class ReportRow(Base):
    __tablename__ = "reports"

    id: Mapped[str] = mapped_column(primary_key=True, doc="the `id` in the document")
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("projects.id"), default=DEFAULT_PROJECT)
    # unique: a job that ran twice still leaves one report
    audit_id: Mapped[str] = mapped_column(sa.ForeignKey("audits.id"), unique=True)
    title: Mapped[str]
    verdict: Mapped[str]
    outcome: Mapped[str]
    exit_code: Mapped[int]
    sha256: Mapped[str] = mapped_column(doc="of the JSON document in the artefact store")
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)


class FindingRow(Base):
    __tablename__ = "findings"

    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    finding_id: Mapped[str]
    audit: Mapped[str]
    metric: Mapped[str] = mapped_column(index=True)
    comparison: Mapped[str]
    attribute: Mapped[str | None]
    group: Mapped[dict[str, Any] | None] = mapped_column("group_values")
    reference: Mapped[dict[str, Any] | None] = mapped_column("reference_values")
    estimate: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    tolerance: Mapped[float | None]
    verdict: Mapped[str] = mapped_column(index=True)
    gate: Mapped[str]
    message: Mapped[str]
