"""What differs between two reports: the findings of one question side by side."""

import json
import math

from evenhand.auditors.report import Finding, Report
from evenhand.auditors.words import quoted_group
from evenhand.service.reports.documents import ChangedFinding, ReportDiff

SAME_RELATIVE = 1e-9
"""Estimates this near are the same: only rounding lies between them."""


def diff(before: Report, after: Report) -> ReportDiff:
    """Findings added, removed, and changed in verdict, gate, tolerance or estimate, each in the order of its report.

    Two findings answer one question where their ids are the same; those of a pair also the other way round. A
    composite's id does not name the pair that decides, which may be another in every report.
    """
    old, new = by_question(before), by_question(after)
    return ReportDiff(
        before=before.id,
        after=after.id,
        verdict_before=before.verdict,
        verdict_after=after.verdict,
        added=[finding for question, finding in new.items() if question not in old],
        removed=[finding for question, finding in old.items() if question not in new],
        changed=[
            ChangedFinding(
                before=old[question], after=finding, verdict_changed=old[question].verdict != finding.verdict
            )
            for question, finding in new.items()
            if question in old and not _same(old[question], finding)
        ],
    )


def by_question(report: Report) -> dict[tuple[str, ...], Finding]:
    """The findings of a report, each under what it answers."""
    return {_question(finding): finding for finding in report.findings}


def _question(finding: Finding) -> tuple[str, ...]:
    if not is_pair(finding):
        return (finding.id,)
    parts = (finding.audit, finding.metric, finding.comparison.value, finding.attribute or "")
    groups = (json.dumps(finding.group, sort_keys=True), json.dumps(finding.reference, sort_keys=True))
    return (*parts, finding.id.split("/")[-2], *sorted(groups))


def is_pair(finding: Finding) -> bool:
    """Whether it compares two groups for a composite; its id ends with them, whichever way round they stand."""
    if finding.group is None or finding.reference is None:
        return False
    return finding.id.endswith(f"/{quoted_group(finding.group)}:{quoted_group(finding.reference)}")


def _same(one: Finding, other: Finding) -> bool:
    if (one.verdict, one.gate, one.tolerance) != (other.verdict, other.gate, other.tolerance):
        return False
    if one.estimate is None or other.estimate is None:
        return one.estimate is other.estimate
    return math.isclose(one.estimate, other.estimate, rel_tol=SAME_RELATIVE, abs_tol=SAME_RELATIVE)
