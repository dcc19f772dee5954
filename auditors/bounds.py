"""What rows without the sensitive attribute could hide: the range of a gap over every way to fill the attribute in.

Known rows stay as they are; only who the unknown rows are is open. Sampling error comes on top and is not in these bounds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.metrics import Metric
from evenhand.auditors.report import Group, UnknownBounds
from evenhand.auditors.verdict import Comparison
from evenhand.auditors.words import group_name, number, spoken

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PossibleGap:
    """Range of the largest difference, or of the smallest ratio, of rates over all groups.

    Attributes:
        estimate: among the known rows.
        lowest, highest: over every way to fill in the unknown rows.
        extreme: the gap at its widest: `highest` of a difference, `lowest` of a ratio.
        high, low: indices of the groups whose rates lie furthest apart there.
    """

    estimate: float
    lowest: float
    highest: float
    extreme: float
    high: int
    low: int


def possible_gap(
    successes: Floats,
    trials: Floats,
    *,
    unknown_successes: Floats,
    unknown_failures: Floats,
    comparison: Comparison,
    could_belong: Floats | None = None,
) -> PossibleGap | None:
    """Sharp bounds of the largest gap between k groups when some rows belong to no one knows which of them.

    The widest gap gives every unknown success to one group and every unknown failure to another. The narrowest lifts the
    lowest rates with all unknown successes to a common level l and lowers the highest with all failures to a level h, but
    neither beyond the rate of everyone; it treats rows as divisible, so that whole rows can miss it by a fraction of one.

    Args:
        successes, trials: of the known rows, shape (k,), k >= 2; trials above 0.
        unknown_successes, unknown_failures: unknown rows by kind, shape (u,).
        comparison: difference or ratio.
        could_belong: 1 where rows of a kind could belong to a group, shape (k, u); None: any to any. With a 0 in it (an
            intersection of which one part is known), the widest gap stays sharp and the narrowest is an outer bound.

    Returns:
        None where nobody succeeds, known or unknown, and a ratio is asked for.

    Source: Horowitz and Manski (1995), Econometrica 63, on contaminated data; Kallus, Mao and Zhou (2022), Management
    Science 68, on unobserved protected class.
    """
    could = np.ones((len(trials), len(unknown_successes))) if could_belong is None else could_belong
    rate = successes / trials
    top = (successes + could @ unknown_successes) / (trials + could @ unknown_successes)
    bottom = successes / (trials + could @ unknown_failures)
    high, low = _furthest(top, bottom, comparison)
    narrow_low, narrow_high = _narrowest(
        successes, trials, float(unknown_successes.sum()), float(unknown_failures.sum())
    )
    if comparison is Comparison.DIFFERENCE:
        widest = float(top[high] - bottom[low])
        return PossibleGap(
            float(rate.max() - rate.min()), max(narrow_high - narrow_low, 0.0), widest, widest, high, low
        )
    if top[high] <= 0:
        return None
    widest = float(bottom[low] / top[high])
    known = float(rate.min() / rate.max()) if rate.max() > 0 else float("nan")
    return PossibleGap(known, widest, min(narrow_low / narrow_high, 1.0) if narrow_high > 0 else 1.0, widest, high, low)


def _furthest(top: Floats, bottom: Floats, comparison: Comparison) -> tuple[int, int]:
    """The two different groups with the widest gap of the one's highest to the other's lowest rate."""
    highest = np.argsort(-top, kind="stable")[:2].tolist()
    lowest = np.argsort(bottom, kind="stable")[:2].tolist()
    pairs = [(i, j) for i in highest for j in lowest if i != j]

    def width(pair: tuple[int, int]) -> float:
        i, j = pair
        if comparison is Comparison.DIFFERENCE:
            return float(top[i] - bottom[j])
        return float(-bottom[j] / top[i]) if top[i] > 0 else float("-inf")

    return max(pairs, key=width)


def _narrowest(successes: Floats, trials: Floats, more: float, fewer: float) -> tuple[float, float]:
    """The highest level that every group can reach, and the lowest that none need exceed.

    Lifting the m lowest groups to one level takes all unknown successes when that level is theirs pooled with these; the
    level is the smallest of those over m, and likewise from above.
    """
    overall = float((successes.sum() + more) / (trials.sum() + more + fewer))
    order = np.argsort(successes / trials, kind="stable")
    x, n = successes[order], trials[order]
    lifted = (np.cumsum(x) + more) / (np.cumsum(n) + more)
    lowered = np.cumsum(x[::-1]) / (np.cumsum(n[::-1]) + fewer)
    return min(overall, float(lifted.min())), max(overall, float(lowered.max()))


def bounds_of(
    counts: GroupCounts,
    *,
    name: str,
    components: Sequence[Metric],
    comparison: Comparison,
    tolerance: float,
    average: bool = False,
) -> UnknownBounds | None:
    """The range of one check over all ways to fill in a missing attribute.

    Args:
        counts: groups of one attribute or intersection, unknown ones among them.
        name: of the check.
        components: the rates compared; the greatest gap counts, or their mean where `average`. Each looks at rows of its
            own label, or their gaps are bounded apart: then the range is an outer bound.
        tolerance: to say whether the unknown rows could turn the answer.

    Returns:
        None where no row is unknown, or a component is no plain rate. Where the range does not exist, its note says why.
    """
    if not counts.unknown.any() or not all(metric.is_rate for metric in components):
        return None
    gaps: list[PossibleGap] = []
    groups: list[list[int]] = []
    unknown = 0
    for metric in components:
        found, members, rows = _component(counts, metric, comparison)
        unknown = max(unknown, rows)
        if found is None:
            return _without(counts, name, comparison, tolerance, rows, metric)
        gaps.append(found)
        groups.append(members)
    worst = np.max if comparison is Comparison.DIFFERENCE else np.min
    across = np.mean if average else worst
    estimate, lowest, highest = (
        float(across([getattr(gap, part) for gap in gaps])) for part in ("estimate", "lowest", "highest")
    )
    widest = int(np.argmax([gap.extreme if comparison is Comparison.DIFFERENCE else -gap.extreme for gap in gaps]))
    gap, members = gaps[widest], groups[widest]
    # a ratio names the lower group first, a difference the higher one, as the pairs of the audit do
    high, low = counts.groups[members[gap.high]], counts.groups[members[gap.low]]
    first, second = (high, low) if comparison is Comparison.DIFFERENCE else (low, high)
    within = _within(np.array([lowest, highest]), comparison, tolerance)
    return UnknownBounds(
        attribute=counts.name,
        metric=name,
        comparison=comparison,
        estimate=estimate if np.isfinite(estimate) else None,
        lowest=lowest,
        highest=highest,
        unknown=unknown,
        tolerance=tolerance,
        straddles=bool(within.any() and not within.all()),
        group=first,
        reference=second,
        note=_note(counts.name, unknown, comparison, tolerance, lowest, highest, first, second),
    )


def _component(
    counts: GroupCounts, metric: Metric, comparison: Comparison
) -> tuple[PossibleGap | None, list[int], int]:
    """The possible gap of one rate, the groups compared as indices, and how many unknown rows count in it."""
    x, n = metric.fraction(counts.cells)
    members = np.flatnonzero(~counts.unknown & (n > 0))
    strangers = np.flatnonzero(counts.unknown & (n > 0))
    share_of_rows = counts.rows / np.maximum(counts.cells.sum(axis=(1, 2)), 1e-300)
    rows = round(float((n[strangers] * share_of_rows[strangers]).sum()))
    if len(members) < 2:
        return None, [], rows
    could = _could_belong(counts, members, strangers)
    placed = could.any(axis=0)
    gap = possible_gap(
        x[members],
        n[members],
        unknown_successes=x[strangers][placed],
        unknown_failures=(n - x)[strangers][placed],
        comparison=comparison,
        could_belong=could[:, placed],
    )
    return gap, members.tolist(), rows


def _could_belong(counts: GroupCounts, members: NDArray[np.intp], strangers: NDArray[np.intp]) -> Floats:
    """1 where a group with missing values could be the known one, shape (known, unknown)."""
    return np.array(
        [
            [all(value in (None, counts.groups[i][key]) for key, value in counts.groups[j].items()) for j in strangers]
            for i in members
        ],
        dtype=np.float64,
    ).reshape(len(members), len(strangers))


def _within(gap: Floats, comparison: Comparison, tolerance: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = gap <= tolerance if comparison is Comparison.DIFFERENCE else gap >= tolerance
    return inside


def _note(
    attribute: str,
    unknown: int,
    comparison: Comparison,
    tolerance: float,
    lowest: float,
    highest: float,
    first: Group,
    second: Group,
) -> str:
    who = f"The {unknown:,} rows without {attribute}" if unknown != 1 else f"The one row without {attribute}"
    pair = f"({group_name(first)} against {group_name(second)})"
    widest, narrowest = (highest, lowest) if comparison is Comparison.DIFFERENCE else (lowest, highest)
    what = "gap" if comparison is Comparison.DIFFERENCE else "ratio"
    inside = _within(np.array([widest, narrowest]), comparison, tolerance)
    if inside.all():
        return f"{who} cannot bring the {what} beyond {number(tolerance)}: at worst it is {number(widest)} {pair}."
    if not inside.any():
        return f"{who} cannot bring the {what} within {number(tolerance)}: at best it is {number(narrowest)}."
    extent = "up to" if comparison is Comparison.DIFFERENCE else "down to"
    return (
        f"{who} could hide a {what} of {extent} {number(widest)} {pair}, or the {what} could be {number(narrowest)}: "
        f"the answer to {number(tolerance)} rests on who they are."
    )


def _without(
    counts: GroupCounts, name: str, comparison: Comparison, tolerance: float, unknown: int, metric: Metric
) -> UnknownBounds:
    """A check whose range does not exist, with the reason."""
    _, n = metric.fraction(counts.cells)
    if (n[~counts.unknown] > 0).sum() < 2:
        why = f"{spoken(metric.name)} exists in fewer than two groups with known {counts.name}"
    else:
        why = f"{spoken(metric.name)} is 0 in every row, known or not, and 0/0 is no ratio"
    return UnknownBounds(
        attribute=counts.name,
        metric=name,
        comparison=comparison,
        estimate=None,
        lowest=None,
        highest=None,
        unknown=unknown,
        tolerance=tolerance,
        straddles=False,
        note=f"No bounds: {why}.",
    )
