"""Findings of group disparity in plain words: what was compared, who decides it, and what would settle it."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.pairs import Pairs
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import group_name, number, span, spoken


def pair_message(finding: Finding, metric: Metric, counts: GroupCounts, first: int, second: int) -> str:
    """One pair: both rates, the gap and its interval, and what would settle it."""
    one, other = group_name(finding.group), group_name(finding.reference)
    if finding.estimate is None:
        why = _why_undefined(metric, counts, [first, second])
        return f"{spoken(metric.name)} of {one} and {other} cannot be compared: {why}."
    value = metric.value(counts.cells)
    against = "against" if finding.comparison is Comparison.DIFFERENCE else "over"
    text = (
        f"{spoken(metric.name)}: {one} {number(value[first])} {against} {other} {number(value[second])}, "
        f"{finding.comparison.value} {number(finding.estimate)} ({span(finding.low, finding.high)})."
    )
    small = [i for i in (first, second) if counts.rows[i] < SMALL_GROUP_ROWS]
    if small:
        rows = " and ".join(f"{group_name(counts.groups[i])} {int(counts.rows[i])}" for i in small)
        return f"{text} Nothing is concluded from under {SMALL_GROUP_ROWS} rows ({rows})."
    return text + _settle(finding)


def composite_message(
    finding: Finding,
    check: PlannedCheck,
    counts: GroupCounts,
    components: list[Pairs],
    deciding: Pairs,
    at: int,
    compared: NDArray[np.bool_],
) -> str:
    """A whole check: who decides, where the largest gap lies, which groups are too small, what would settle it."""
    parts = [_decision(finding, check, counts, deciding, at)]
    for pairs in components:
        if pairs.undefined.any():
            members = np.flatnonzero(compared)
            parts.append(f"Undefined over all groups: {_why_undefined(pairs.metric, counts, members)}.")
    if finding.estimate is not None and not check.average:
        parts.append(_largest_gap(counts, components, deciding, at))
    small = [i for i in np.flatnonzero(compared) if counts.rows[i] < SMALL_GROUP_ROWS]
    if small and finding.verdict is not Verdict.PROVEN_DISPARITY:
        names = ", ".join(f"{group_name(counts.groups[i])} ({int(counts.rows[i])})" for i in small[:6])
        more = f" and {len(small) - 6} more" if len(small) > 6 else ""
        parts.append(f"Under {SMALL_GROUP_ROWS} rows, so that nothing is concluded: {names}{more}.")
    listed_only = np.flatnonzero(~compared & ~counts.unknown)
    if len(listed_only):
        names = ", ".join(group_name(counts.groups[i]) for i in listed_only[:6])
        parts.append(f"Listed and left out by the policy, being under {SMALL_GROUP_ROWS} rows: {names}.")
    if finding.verdict is Verdict.INCONCLUSIVE:
        parts.append(_settle(finding).strip())
    if check.gate is not Gate.OFF:
        bound = (
            f"within {number(check.tolerance)}"
            if check.comparison is Comparison.DIFFERENCE
            else f"at least {number(check.tolerance)}"
        )
        demand = "must be proven" if check.gate is Gate.STRICT else "fails only if a disparity is proven beyond"
        parts.append(f"Gate: {demand} {bound if check.gate is Gate.STRICT else number(check.tolerance)}.")
    return " ".join(part for part in parts if part)


def _decision(finding: Finding, check: PlannedCheck, counts: GroupCounts, deciding: Pairs, at: int) -> str:
    if check.average:
        return f"Mean of the largest gaps {number(finding.estimate)} ({span(finding.low, finding.high)})."
    if finding.estimate is None and finding.verdict is not Verdict.PROVEN_DISPARITY:
        return ""
    value = deciding.metric.value(counts.cells)
    first, second = int(deciding.first[at]), int(deciding.second[at])
    against = "against" if deciding.comparison is Comparison.DIFFERENCE else "over"
    pair = (
        f"{group_name(counts.groups[first])} {number(value[first])} {against} "
        f"{group_name(counts.groups[second])} {number(value[second])}, {spoken(deciding.metric.name)}: "
    )
    if finding.verdict is Verdict.PROVEN_DISPARITY:
        return f"Proven by {pair}{number(deciding.estimate[at])} ({span(deciding.low[at], deciding.high[at])})."
    bounds = span(deciding.equivalence_low[at], deciding.equivalence_high[at])
    if finding.verdict is Verdict.PROVEN_WITHIN:
        return f"Every pair is shown within; the furthest is {pair}{number(deciding.estimate[at])} ({bounds})."
    return f"Open because of {pair}{number(deciding.estimate[at])} ({bounds})."


def _largest_gap(counts: GroupCounts, components: list[Pairs], deciding: Pairs, at: int) -> str:
    tops = [int(np.nanargmax(pairs.gap)) for pairs in components]
    which = int(np.argmax([pairs.gap[top] for pairs, top in zip(components, tops, strict=True)]))
    pairs, top = components[which], tops[which]
    if pairs is deciding and top == at:
        return ""
    first, second = int(pairs.first[top]), int(pairs.second[top])
    smaller = first if counts.rows[first] <= counts.rows[second] else second
    rests = (
        f", rests on {int(counts.rows[smaller])} rows"
        if counts.rows[smaller] < SMALL_GROUP_ROWS
        else f" is {number(pairs.estimate[top])}"
    )
    comma = "," if rests.startswith(" is") else ""
    return (
        f"The largest gap, {group_name(counts.groups[first])} against {group_name(counts.groups[second])} "
        f"({spoken(pairs.metric.name)}){comma}{rests}."
    )


def _why_undefined(metric: Metric, counts: GroupCounts, members: NDArray[np.intp] | list[int]) -> str:
    value = metric.value(counts.cells)
    without = [group_name(counts.groups[i]) for i in members if np.isnan(value[i])]
    if not without:
        return f"{spoken(metric.name)} is 0 in every group compared, and 0/0 is no ratio"
    more = f" and {len(without) - 4} more" if len(without) > 4 else ""
    return f"{spoken(metric.name)} does not exist in {', '.join(without[:4])}{more}: {metric.undefined_when}"


def _settle(finding: Finding) -> str:
    if finding.verdict is not Verdict.INCONCLUSIVE:
        return ""
    text = ""
    if finding.rows_needed is not None:
        text += f" About {finding.rows_needed:,} rows in the smallest group, the others in proportion, would probably settle it."
    if finding.detectable is not None:
        text += f" These rows would have shown a {finding.comparison.value} of {number(finding.detectable)}."
    return text
