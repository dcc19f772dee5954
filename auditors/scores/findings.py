"""From a check on scores to its findings: the composite over all pairs or groups, and the pairs of gated checks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.disparity.settle import rows_of
from evenhand.auditors.disparity.words import rows_to_settle
from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Finding
from evenhand.auditors.scores.distances import MeanDifferences
from evenhand.auditors.scores.gaps import ScoreGaps, gaps_between, gaps_of_means
from evenhand.auditors.scores.grouped import GroupedScores
from evenhand.auditors.scores.measured import Measured
from evenhand.auditors.scores.plan import ScoreCheck
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import group_name, number, quoted_group, span, would_have_shown

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MOST_PAIRS_LISTED = 300
POWER_DRAWS = 2_000
POWER = 0.8


@dataclass(frozen=True)
class Settle:
    """What an open check would take: rows of the smallest group; and the smallest gap that these rows would have shown.

    Attributes:
        rows_needed: if the groups are truly equal, or where the estimate lies beyond the tolerance, if it is the truth.
        rows_needed_at_estimate: if an estimate within the tolerance is the truth.
        smallest: rows of the smallest group compared.
    """

    rows_needed: int | None = None
    rows_needed_at_estimate: int | None = None
    smallest: int | None = None
    detectable: float | None = None


def answer(check: ScoreCheck, grouped: GroupedScores, measured: Measured | MeanDifferences | None) -> list[Finding]:
    """The check's composite finding, then its pairs where it is gated.

    Args:
        measured: the metric of every group, or the differences of every pair; None where the scores do not have it.
    """
    rows = grouped.rows.rows
    small = rows < SMALL_GROUP_ROWS
    compared = ~grouped.unknown & ~small if check.small_groups == "list" else ~grouped.unknown
    if measured is None:
        return [_open(check, int(rows[compared].sum()), f"{check.metric.called} is undefined: {check.undefined}.")]
    least = 1 if check.comparison is Comparison.VALUE else 2
    if compared.sum() < least:
        many = "one group" if compared.sum() else "no group"
        return [
            _open(check, int(rows[compared].sum()), f"{check.attribute} has {many} to compare: nothing can be said.")
        ]
    if check.comparison is Comparison.VALUE:
        assert isinstance(measured, Measured)
        return [_value(check, grouped, measured, compared)]
    gaps = (
        gaps_between(measured, compared=compared, decidable=~small)
        if isinstance(measured, Measured)
        else gaps_of_means(measured, compared=compared, decidable=~small)
    )
    z = check.budget.z_all_pairs(int(compared.sum()))
    values = measured.value if isinstance(measured, Measured) else None
    composite = _difference(check, grouped, gaps, values, compared, z)
    return [composite, *_pair_findings(check, grouped, gaps, values, z)] if check.gate is not Gate.OFF else [composite]


def _difference(
    check: ScoreCheck, grouped: GroupedScores, gaps: ScoreGaps, values: Floats | None, compared: Mask, z: float
) -> Finding:
    """The largest difference over all pairs; undefined where a part of it is."""
    low, high = gaps.bounds(z)
    equivalence_low, equivalence_high = gaps.bounds(check.budget.z_equivalence)
    disparity = gaps.disparity(tolerance=check.tolerance, z=z)
    within = gaps.within(tolerance=check.tolerance, z_equivalence=check.budget.z_equivalence)
    undefined = bool(gaps.undefined.any())
    if disparity.any():
        verdict, at = Verdict.PROVEN_DISPARITY, int(np.argmax(np.where(disparity, low, -np.inf)))
    else:
        verdict = Verdict.PROVEN_WITHIN if within.all() and not undefined else Verdict.INCONCLUSIVE
        at = _open_because_of(gaps.undefined, gaps.decidable & ~within, equivalence_high)
    first, second = int(gaps.first[at]), int(gaps.second[at])

    def over_pairs(bounds: Floats) -> float | None:
        return None if undefined else float(bounds.max())

    settle = (
        _settle(check, grouped, gaps, compared, z) if verdict is Verdict.INCONCLUSIVE and not undefined else Settle()
    )
    near = (low, high) if verdict is Verdict.PROVEN_DISPARITY else (equivalence_low, equivalence_high)
    says = "" if gaps.undefined[at] else f"{_begins(verdict, 'pair')} {_pair(check, grouped, gaps, values, at, *near)}"
    lacking = [int(i) for i in np.flatnonzero(compared) if _lacks(gaps, values, int(i))]
    finding = Finding(
        id=check.id,
        audit="group_disparity",
        metric=check.metric.name,
        comparison=check.comparison,
        attribute=check.attribute,
        group=grouped.groups[first],
        reference=grouped.groups[second],
        estimate=over_pairs(gaps.estimate),
        low=over_pairs(low),
        high=over_pairs(high),
        level=check.budget.level,
        equivalence_low=over_pairs(equivalence_low),
        equivalence_high=over_pairs(equivalence_high),
        tolerance=check.tolerance,
        verdict=verdict,
        n=int(grouped.rows.rows[first]),
        reference_n=int(grouped.rows.rows[second]),
        gate=check.gate,
        message="",
        rows_needed=settle.rows_needed,
        rows_needed_at_estimate=settle.rows_needed_at_estimate,
        smallest_n=settle.smallest,
        detectable=settle.detectable,
    )
    message = _message(check, grouped, says, lacking if undefined else [], compared, finding)
    return finding.model_copy(update={"message": message})


def _lacks(gaps: ScoreGaps, values: Floats | None, group: int) -> bool:
    """Whether the group has no such metric, or, of a metric of pairs, none with any other group."""
    if values is not None:
        return bool(np.isnan(values[group]))
    part = (gaps.first == group) | (gaps.second == group)
    return bool(gaps.undefined[part].all())


def _value(check: ScoreCheck, grouped: GroupedScores, measured: Measured, compared: Mask) -> Finding:
    """Every group's distance from the ideal, held for all groups together by Bonferroni."""
    members = np.flatnonzero(compared)
    z = normal_quantile(1 - (1 - check.budget.level) / (2 * len(members)))
    ideal, tolerance = check.metric.ideal, check.tolerance
    low, high = (bound[members] - ideal for bound in measured.bounds(z))
    near_low, near_high = (bound[members] - ideal for bound in measured.bounds(check.budget.z_equivalence))
    decidable = grouped.rows.rows[members] >= SMALL_GROUP_ROWS
    undefined = np.isnan(measured.value[members])
    nearest = np.maximum(np.maximum(low, -high), 0.0)
    furthest = np.maximum(np.abs(near_low), np.abs(near_high))
    disparity = (nearest > tolerance) & decidable
    if disparity.any():
        verdict, at = Verdict.PROVEN_DISPARITY, int(np.argmax(np.where(disparity, nearest, -np.inf)))
    else:
        within = (furthest < tolerance) & decidable & ~undefined
        verdict = Verdict.PROVEN_WITHIN if within.all() else Verdict.INCONCLUSIVE
        at = _open_because_of(undefined, decidable & ~within, furthest)
    group, defined = int(members[at]), not undefined[at]

    def shown(bounds: Floats) -> float | None:
        return float(bounds[at] + ideal) if defined else None

    says = (
        f"{_begins(verdict, 'group')} {group_name(grouped.groups[group])}: {check.metric.called} {number(measured.value[group])} "
        f"({span(shown(low), shown(high))}), where {number(ideal)} would be perfect."
        if defined
        else ""
    )
    finding = Finding(
        id=check.id,
        audit="group_disparity",
        metric=check.metric.name,
        comparison=check.comparison,
        attribute=check.attribute,
        group=grouped.groups[group],
        estimate=float(measured.value[group]) if defined else None,
        low=shown(low),
        high=shown(high),
        level=check.budget.level,
        equivalence_low=shown(near_low),
        equivalence_high=shown(near_high),
        tolerance=tolerance,
        verdict=verdict,
        n=int(grouped.rows.rows[group]),
        gate=check.gate,
        message="",
    )
    lacking = [int(members[i]) for i in np.flatnonzero(undefined)]
    return finding.model_copy(update={"message": _message(check, grouped, says, lacking, compared, finding)})


def _open_because_of(undefined: Mask, open_and_decidable: Mask, furthest: Floats) -> int:
    """What is furthest from being shown within; of a group too small to decide only where nothing else is open."""
    standing = np.where(undefined, 2, open_and_decidable.astype(int))
    return int(np.lexsort((-np.nan_to_num(furthest), -standing))[0])


def _begins(verdict: Verdict, what: str) -> str:
    return {
        Verdict.PROVEN_DISPARITY: "Proven by",
        Verdict.PROVEN_WITHIN: f"Every {what} is shown within; the furthest is",
        Verdict.INCONCLUSIVE: "Open because of",
    }[verdict]


def _settle(check: ScoreCheck, grouped: GroupedScores, gaps: ScoreGaps, compared: Mask, z: float) -> Settle:
    """Rows of the smallest group, the others in proportion, that would settle the check with 80 % power; what was detectable.

    Errors shrink with the square root of the rows. A gap beyond the tolerance would have to be proven so; else every pair
    would have to be shown within, were all groups alike or were the estimates the truth.
    """
    tolerance, smallest = check.tolerance, int(grouped.rows.rows[compared].min())
    room = np.abs(gaps.estimate - tolerance)
    beyond = (gaps.estimate > tolerance) & (room > 1e-12)
    z_power = normal_quantile(POWER)
    growth = at_estimate = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        if beyond.any():
            growth = float(
                np.min((((z + z_power) * gaps.error_down + gaps.bias_down + gaps.doubt) / room)[beyond]) ** 2
            )
        elif tolerance > 0 and not (room <= 1e-12).any():
            growth, at_estimate = (
                _growth_to_show_within(gaps, truth, tolerance, check.budget.z_equivalence, groups=len(grouped.groups))
                for truth in (np.zeros_like(gaps.estimate), gaps.estimate)
            )
    at = int(np.argmax(gaps.bounds(check.budget.z_equivalence)[1]))
    detectable = float(tolerance + gaps.bias_down[at] + gaps.doubt[at] + (z + z_power) * gaps.error_down[at])
    return Settle(
        rows_of(growth, smallest),
        rows_of(at_estimate, smallest),
        smallest,
        detectable if detectable < gaps.most else None,
    )


def _growth_to_show_within(gaps: ScoreGaps, truth: Floats, tolerance: float, z: float, *, groups: int) -> float:
    """By how much all groups must grow so that every pair is shown within with 80 % power if these are the true gaps.

    Args:
        truth: shape (pairs,), each less than the tolerance.
    """
    draws = np.random.default_rng(20_261_124).standard_normal((POWER_DRAWS, groups))
    stray = (draws[:, gaps.first] - draws[:, gaps.second]) * gaps.error_up / np.sqrt(2)
    shift = np.maximum(gaps.bias_down, gaps.bias_up) + gaps.doubt + z * gaps.error_up
    needed = np.maximum((stray + shift) / (tolerance - truth), (shift - stray) / (tolerance + truth))
    return float(np.quantile(needed.max(axis=1), POWER)) ** 2


def _pair_findings(
    check: ScoreCheck, grouped: GroupedScores, gaps: ScoreGaps, values: Floats | None, z: float
) -> list[Finding]:
    """The pairs as findings of their own, gate off; the largest gaps where there are very many."""
    order = np.arange(len(gaps.estimate))
    if len(order) > MOST_PAIRS_LISTED:
        order = np.sort(np.argsort(-np.nan_to_num(gaps.estimate, nan=-np.inf), kind="stable")[:MOST_PAIRS_LISTED])
    low, high = gaps.bounds(z)
    equivalence_low, equivalence_high = gaps.bounds(check.budget.z_equivalence)
    disparity = gaps.disparity(tolerance=check.tolerance, z=z)
    within = gaps.within(tolerance=check.tolerance, z_equivalence=check.budget.z_equivalence)
    p_value = gaps.p_value
    findings = []
    for at in order:
        first, second = int(gaps.first[at]), int(gaps.second[at])
        one, other = grouped.groups[first], grouped.groups[second]
        findings.append(
            Finding(
                id=f"{check.id}/{check.metric.name}/{quoted_group(one)}:{quoted_group(other)}",
                audit="group_disparity",
                metric=check.metric.name,
                comparison=check.comparison,
                attribute=check.attribute,
                group=one,
                reference=other,
                estimate=_number(gaps.estimate[at]),
                low=_number(low[at]),
                high=_number(high[at]),
                level=check.budget.level,
                equivalence_low=_number(equivalence_low[at]),
                equivalence_high=_number(equivalence_high[at]),
                tolerance=check.tolerance,
                verdict=Verdict.PROVEN_DISPARITY
                if disparity[at]
                else Verdict.PROVEN_WITHIN
                if within[at]
                else Verdict.INCONCLUSIVE,
                n=int(grouped.rows.rows[first]),
                reference_n=int(grouped.rows.rows[second]),
                p_value=_number(p_value[at]),
                message=f"{check.metric.called} of {group_name(one)} and {group_name(other)} cannot be compared."
                if gaps.undefined[at]
                else _pair(check, grouped, gaps, values, int(at), low, high),
            )
        )
    return findings


def _pair(
    check: ScoreCheck,
    grouped: GroupedScores,
    gaps: ScoreGaps,
    values: Floats | None,
    at: int,
    low: Floats,
    high: Floats,
) -> str:
    first, second = int(gaps.first[at]), int(gaps.second[at])
    one, other = group_name(grouped.groups[first]), group_name(grouped.groups[second])
    if values is not None:
        one, other = f"{one} {number(values[first])}", f"{other} {number(values[second])}"
    shown = f"{number(gaps.estimate[at])} ({span(_number(low[at]), _number(high[at]))})"
    return f"{one} against {other}, {check.metric.called}: {shown}."


def _message(
    check: ScoreCheck,
    grouped: GroupedScores,
    says: str,
    lacking: list[int],
    compared: Mask,
    finding: Finding,
) -> str:
    """Who decides, what is undefined, which groups are too small, what would settle it, how it counts."""
    rows = grouped.rows.rows
    parts = [says]
    if lacking:
        parts.append(
            f"{check.metric.called} does not exist in {_names(grouped, lacking)}: {check.metric.undefined_when}."
        )
    small = [int(i) for i in np.flatnonzero(compared) if rows[i] < SMALL_GROUP_ROWS]
    if small and finding.verdict is not Verdict.PROVEN_DISPARITY:
        parts.append(f"Under {SMALL_GROUP_ROWS} rows, so that nothing is concluded: {_names(grouped, small)}.")
    left_out = [int(i) for i in np.flatnonzero(~compared & ~grouped.unknown)]
    if left_out:
        parts.append(
            f"Listed and left out by the policy, being under {SMALL_GROUP_ROWS} rows: {_names(grouped, left_out)}."
        )
    if finding.rows_needed is not None:
        parts.append(rows_to_settle(finding))
    if finding.detectable is not None:
        parts.append(would_have_shown(check.comparison, finding.detectable))
    if check.gate is not Gate.OFF:
        bound = number(check.tolerance)
        demand = (
            f"must be proven within {bound}" if check.gate is Gate.STRICT else f"fails only if proven beyond {bound}"
        )
        parts.append(f"Gate: {demand}.")
    text = " ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def _names(grouped: GroupedScores, groups: list[int]) -> str:
    rows = grouped.rows.rows
    named = ", ".join(f"{group_name(grouped.groups[i])} ({int(rows[i])})" for i in groups[:6])
    return named + (f" and {len(groups) - 6} more" if len(groups) > 6 else "")


def _open(check: ScoreCheck, rows: int, why: str) -> Finding:
    return Finding(
        id=check.id,
        audit="group_disparity",
        metric=check.metric.name,
        comparison=check.comparison,
        attribute=check.attribute,
        estimate=None,
        level=check.budget.level,
        tolerance=check.tolerance,
        verdict=Verdict.INCONCLUSIVE,
        n=rows,
        gate=check.gate,
        message=why[:1].upper() + why[1:],
    )


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
