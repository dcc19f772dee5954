"""How REST shows reports in lists, and what differs between two. The report itself is auditors' Report."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Verdict


class ReportSummary(BaseModel):
    """A report in a list."""

    id: str
    audit: str
    title: str
    verdict: Verdict
    outcome: Literal["pass", "fail", "inconclusive"]
    exit_code: int
    created_at: datetime
    links: dict[str, str] = Field(description="format to address")


class ReportList(BaseModel):
    """One page of reports, newest first."""

    items: list[ReportSummary]
    next: str | None = Field(description="cursor of the next page; null on the last")


class ChangedFinding(BaseModel):
    """One question that both reports answer, differently."""

    before: Finding
    after: Finding
    verdict_changed: bool


class ReportDiff(BaseModel):
    """What the second report says otherwise than the first."""

    before: str = Field(description="id of the first report")
    after: str = Field(description="id of the second report")
    verdict_before: Verdict
    verdict_after: Verdict
    added: list[Finding]
    removed: list[Finding]
    changed: list[ChangedFinding]
