"""Which audits and reports a search finds: by words, days, outcome, verdict and project, over REST and on the dashboard."""

import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator
from sqlalchemy.orm import InstrumentedAttribute, Session

from evenhand.auditors.policy import INTERSECTION_SIGN
from evenhand.auditors.report import Report
from evenhand.service.audits.tables import Audit
from evenhand.service.projects.store import require_project
from evenhand.service.reports.tables import ReportRow
from evenhand.service.texts import typed

MOST_CHARACTERS = 200
DAY = "2026-07-01"

Outcome = Literal["pass", "fail", "inconclusive"]
"""What the gate of a report said."""
VerdictName = Literal["proven_disparity", "proven_within", "inconclusive"]


def _day(value: Any) -> Any:
    try:
        # the day alone: pydantic would read 20 as seconds since 1970
        return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"{value[:40]!r} is no day; write it as {DAY}") from None


Words = Annotated[str, Field(max_length=MOST_CHARACTERS), BeforeValidator(typed)]
Day = Annotated[date, BeforeValidator(_day)]


class Search(BaseModel):
    """What a list is narrowed to. All that is given must hold; without anything, everything is found."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    q: Words | None = Field(
        default=None,
        description="words, each of which must be in the title, the data set's or model's name or id, an audited attribute "
        "or the report's id; capitals do not matter",
    )
    since: Day | None = Field(default=None, alias="from", description=f"first day (UTC), {DAY} say")
    until: Day | None = Field(default=None, alias="to", description="last day (UTC), itself included")
    outcome: Outcome | None = Field(default=None, description="of the report's gate")
    verdict: VerdictName | None = Field(default=None, description="of the report")
    project: str | None = Field(default=None, pattern="^[A-Za-z0-9_-]{1,80}$", description="id of a project")

    @field_validator("until")
    @classmethod
    def _not_before_the_first(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise ValueError(f"{until} is before the first day, {since}")
        return until


EVERYTHING = Search()


def searchable(audit: Audit, attributes: Iterable[str], report_id: str | None = None) -> str:
    """The text that words are looked for in, for the column `searched`.

    Args:
        attributes: that were asked for, or that the report is about; parts of intersections stand for themselves.
        report_id: once there is one.
    """
    names = (audit.title, audit.dataset_name, audit.dataset, audit.model_name, audit.model, audit.id, report_id)
    parts = [part for attribute in attributes for part in attribute.split(INTERSECTION_SIGN)]
    return " ".join(dict.fromkeys(_folded(text) for text in (*names, *parts) if text))


def attributes_of(report: Report) -> list[str]:
    """The attributes that its findings are about, each once, in their order."""
    return list(dict.fromkeys(finding.attribute for finding in report.findings if finding.attribute))


def audits_found(session: Session, asked: Search) -> sa.Select[Any]:
    """The audits that a search finds. Raises UnknownProject."""
    query = sa.select(Audit).where(*_dated(Audit.created_at, asked), *_named(asked))
    if asked.project is not None:
        query = query.where(Audit.project_id == require_project(session, asked.project))
    of_reports = _concluded(asked)
    if of_reports:
        # asked row by row, newest first: a list of all such audits would be made before the first of them is shown
        query = query.where(sa.exists().where(ReportRow.audit_id == Audit.id, *of_reports))
    return query


def reports_found(session: Session, asked: Search) -> sa.Select[Any]:
    """The reports that a search finds. Raises UnknownProject."""
    query = sa.select(ReportRow).where(*_dated(ReportRow.created_at, asked), *_concluded(asked))
    if asked.project is not None:
        query = query.where(ReportRow.project_id == require_project(session, asked.project))
    if asked.q is not None:
        query = query.join(Audit, Audit.id == ReportRow.audit_id).where(*_named(asked))
    return query


def _named(asked: Search) -> list[sa.ColumnElement[bool]]:
    return [Audit.searched.contains(word, autoescape=True) for word in _folded(asked.q or "").split()]


def _dated(made: InstrumentedAttribute[datetime], asked: Search) -> list[sa.ColumnElement[bool]]:
    found = []
    if asked.since is not None:
        found.append(made >= datetime.combine(asked.since, time.min, UTC))
    if asked.until is not None:
        found.append(made <= datetime.combine(asked.until, time.max, UTC))
    return found


def _concluded(asked: Search) -> list[sa.ColumnElement[bool]]:
    found = []
    if asked.outcome is not None:
        found.append(ReportRow.outcome == asked.outcome)
    if asked.verdict is not None:
        found.append(ReportRow.verdict == asked.verdict)
    return found


def _folded(text: str) -> str:
    """Letters that differ by capitals or width only are one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
