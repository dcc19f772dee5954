"""Group disparity's findings worked out again from a report's own counts, for those who check a report without its data."""

import numpy as np

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.answer import answer
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.plan import planned
from evenhand.auditors.disparity.versus import reference_of
from evenhand.auditors.metrics import favourable_rate
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import AttributeResult, Finding, GroupDisparity


def why_not_recountable(document: GroupDisparity) -> str | None:
    """Why counts alone do not give the intervals, or None where they do."""
    if document.weighted:
        return "rows are weighted, and the counts do not hold the squares of the weights"
    if document.repeats is not None:
        return "rows repeat persons, and the counts do not tell them apart"
    return None


def findings_from_counts(document: GroupDisparity, policy: Policy) -> list[Finding]:
    """Every finding of group disparity that follows from the groups' counts, as an audit would have made it.

    Args:
        document: of a report; `why_not_recountable` is None.
        policy: the report's, as it was applied.

    Returns:
        Composites and their pairs; what needs rows, strata or scores is not among them.
    """
    favourable_is_positive = document.favourable == document.positive
    checks = planned(
        policy,
        sensitive=policy.data.sensitive or (),
        with_labels=document.label is not None,
        favourable_is_positive=favourable_is_positive,
        stratum=policy.data.stratum,
    )
    findings: list[Finding] = []
    for result in document.attributes:
        counts = _counts_of(result)
        favourable = favourable_rate(favourable_is_positive=favourable_is_positive)
        reference = reference_of(policy.data.reference, counts, favourable=favourable)
        for check in checks:
            if check.attribute == result.attribute and check.whole is None:
                found = answer(check, Evidence(counts, None), reference=reference)
                findings += [found.composite, *found.pairs]
    return findings


def _counts_of(result: AttributeResult) -> GroupCounts:
    cells = []
    for group in result.groups:
        counts = group.counts
        if counts.tp is None or counts.fp is None or counts.fn is None or counts.tn is None:
            cells.append([[group.n - counts.selected, counts.selected]])
        else:
            cells.append([[counts.tn, counts.fp], [counts.fn, counts.tp]])
    counted = np.array(cells, dtype=np.float64)
    return GroupCounts(
        attributes=tuple(result.groups[0].group),
        groups=tuple(group.group for group in result.groups),
        rows=np.array([group.n for group in result.groups], dtype=np.int64),
        cells=counted,
        effective=counted,
    )
