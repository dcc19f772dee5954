"""Findings of group disparity in plain words: what was compared, who decides it, and what would settle it."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Pairs
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.metrics import FAVOURABLE_RATE, Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.practice.one_person import Selected, one_person_turns, ratio, with_one_swapped
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import group_name, number, span, spoken, would_have_shown


def pair_message(finding: Finding, metric: Metric, evidence: Evidence, first: int, second: int) -> str:
    """One pair: both rates, the gap and its interval, and what would settle it."""
    counts = evidence.counts
    one, other = group_name(finding.group), group_name(finding.reference)
    if finding.estimate is None:
        why = _why_undefined(metric, counts, [first, second])
        return f"{spoken(metric.name)} of {one} and {other} cannot be compared: {why}."
    value = metric.value(counts.cells)
    against = "against" if finding.comparison is Comparison.DIFFERENCE else "over"
    text = (
        f"{spoken(metric.name)}: {one} {number(value[first])} {against} {other} {number(value[second])}, "
        f"{finding.comparison.value} {number(finding.estimate)} ({span(finding.low, finding.high)})."
    ) + _one_person(metric, finding.comparison, finding.tolerance, evidence, first, second)
    small = [i for i in (first, second) if evidence.small[i]]
    if small:
        rows = " and ".join(f"{group_name(counts.groups[i])} {int(evidence.independent[i])}" for i in small)
        return f"{text} Nothing is concluded from under {SMALL_GROUP_ROWS} {evidence.noun} ({rows})."
    return text + _settle(finding)


def composite_message(
    finding: Finding,
    check: PlannedCheck,
    evidence: Evidence,
    components: list[Pairs],
    deciding: Pairs,
    at: int,
    compared: NDArray[np.bool_],
) -> str:
    """A whole check: who decides, where the largest gap lies, which groups are too small, what would settle it."""
    counts = evidence.counts
    parts = [_decision(finding, check, counts, deciding, at)]
    if parts[0]:
        first, second = int(deciding.first[at]), int(deciding.second[at])
        turned = _one_person(deciding.metric, check.comparison, check.tolerance, evidence, first, second)
        parts.append(turned.strip())
    for pairs in components:
        if pairs.undefined.any():
            members = np.flatnonzero(compared)
            parts.append(f"Undefined over all groups: {_why_undefined(pairs.metric, counts, members)}.")
    if finding.estimate is not None and not check.average:
        parts.append(_largest_gap(evidence, components, deciding, at))
    parts += about_small_groups(evidence, compared, proven=finding.verdict is Verdict.PROVEN_DISPARITY)
    if finding.verdict is Verdict.INCONCLUSIVE:
        parts.append(_settle(finding).strip())
    parts.append(gate_words(check))
    return " ".join(part for part in parts if part)


def _one_person(
    metric: Metric, comparison: Comparison, tolerance: float | None, evidence: Evidence, first: int, second: int
) -> str:
    """That one person turns an impact ratio around, where one does; only whole people can be swapped."""
    whole = evidence.design is None and evidence.counts.effective is evidence.counts.cells
    if metric.name != FAVOURABLE_RATE or comparison is not Comparison.RATIO or tolerance is None or not whole:
        return ""
    x, n = metric.fraction(evidence.counts.cells)
    if min(n[first], n[second]) == 0:
        return ""
    one, other = Selected(int(x[first]), int(n[first])), Selected(int(x[second]), int(n[second]))
    found, swapped = ratio(one, other), with_one_swapped(one, other)
    if found is None or swapped is None or found >= tolerance or not one_person_turns(one, other):
        return ""
    after = ratio(*swapped)
    becomes = "leaves nobody favoured there" if after is None else f"makes the ratio {number(float(after))}"
    names = evidence.counts.groups
    return (
        f" One person favoured in {group_name(names[first])} instead of {group_name(names[second])} {becomes}: "
        "too few people to say which way it goes."
    )


def about_small_groups(evidence: Evidence, compared: NDArray[np.bool_], *, proven: bool) -> list[str]:
    """Which groups nothing is concluded from, and which the policy leaves out."""
    counts, parts = evidence.counts, []
    small = [i for i in np.flatnonzero(compared) if evidence.small[i]]
    if small and not proven:
        names = ", ".join(f"{group_name(counts.groups[i])} ({int(evidence.independent[i])})" for i in small[:6])
        more = f" and {len(small) - 6} more" if len(small) > 6 else ""
        parts.append(f"Under {SMALL_GROUP_ROWS} {evidence.noun}, so that nothing is concluded: {names}{more}.")
    listed_only = np.flatnonzero(~compared & ~counts.unknown)
    if len(listed_only):
        names = ", ".join(group_name(counts.groups[i]) for i in listed_only[:6])
        parts.append(f"Listed and left out by the policy, being under {SMALL_GROUP_ROWS} {evidence.noun}: {names}.")
    return parts


def gate_words(check: PlannedCheck) -> str:
    """What the gate demands; nothing where the check is not gated."""
    if check.gate is Gate.OFF:
        return ""
    limit = number(check.tolerance)
    if check.gate is Gate.PROOF:
        return f"Gate: fails only if a disparity is proven beyond {limit}."
    return f"Gate: must be proven {'at least' if check.comparison is Comparison.RATIO else 'within'} {limit}."


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
        return f"Proven by {pair}{number(deciding.estimate[at])} ({span(deciding.low[at], deciding.high[at])} for disparity)."
    bounds = f"{span(deciding.equivalence_low[at], deciding.equivalence_high[at])} for equivalence"
    if finding.verdict is Verdict.PROVEN_WITHIN:
        return f"Every pair is shown within; the furthest is {pair}{number(deciding.estimate[at])} ({bounds})."
    return f"Open because of {pair}{number(deciding.estimate[at])} ({bounds})."


def _largest_gap(evidence: Evidence, components: list[Pairs], deciding: Pairs, at: int) -> str:
    counts = evidence.counts
    tops = [int(np.nanargmax(pairs.gap)) for pairs in components]
    which = int(np.argmax([pairs.gap[top] for pairs, top in zip(components, tops, strict=True)]))
    pairs, top = components[which], tops[which]
    if pairs is deciding and top == at:
        return ""
    first, second = int(pairs.first[top]), int(pairs.second[top])
    independent = evidence.independent
    smaller = first if independent[first] <= independent[second] else second
    rests = (
        f", rests on {int(independent[smaller])} {evidence.noun}"
        if evidence.small[smaller]
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


def rows_to_settle(finding: Finding) -> str:
    """How many rows it takes, and what would have to be true; where there are as many already, chance decided.

    Of an estimate within the tolerance the rows are said for equal groups and for the estimate; beyond, for the estimate.
    """
    if finding.rows_needed is None:
        return ""
    smallest = finding.smallest_n or min(finding.n or 0, finding.reference_n or finding.n or 0)
    estimated = finding.audit == "group_disparity"
    truth = (
        ""
        if not estimated
        else "if the groups are as estimated"
        if _beyond(finding)
        else "if the groups were truly equal"
    )
    if finding.rows_needed <= smallest:
        of_whom = f" {truth}" if truth else ""
        text = f"With as many rows as there are, four of five samples would have settled it{of_whom}; this one did not"
    else:
        rows = f"about {finding.rows_needed:,} rows in the smallest group, the others in proportion, would probably settle it"
        text = f"{truth}, {rows}" if truth else rows
    text = text[:1].upper() + text[1:]
    if not estimated or _beyond(finding):
        return f"{text}."
    if finding.rows_needed_at_estimate is None:
        return f"{text}. If they are as estimated, they are too near the tolerance to be settled."
    return f"{text}. If they are as estimated, it takes about {finding.rows_needed_at_estimate:,}."


def _beyond(finding: Finding) -> bool:
    if finding.estimate is None or finding.tolerance is None:
        return False
    if finding.comparison is Comparison.RATIO:
        return finding.estimate < finding.tolerance
    return abs(finding.estimate) > finding.tolerance


def _settle(finding: Finding) -> str:
    if finding.verdict is not Verdict.INCONCLUSIVE:
        return ""
    text = ""
    if finding.rows_needed is not None:
        text += f" {rows_to_settle(finding)}"
    if finding.detectable is not None:
        text += f" {would_have_shown(finding.comparison, finding.detectable)}"
    return text
