"""How often each column is empty in each group: what is missing more often for some is known less well about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from evenhand.auditors.exact_tests import exact
from evenhand.auditors.intervals import difference_interval, normal_quantile, tukey_z, wilson
from evenhand.auditors.multiplicity import holm
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Estimate, Finding, Group, MissingByGroup, MissingRate
from evenhand.auditors.representation.population import Tolerated
from evenhand.auditors.verdict import Comparison, Verdict
from evenhand.auditors.words import group_name, number

Floats = NDArray[np.float64]
Levels = tuple[str | None, ...]

TOLERANCE = 0.1
"""Difference of the rates of empty cells tolerated where no check names another."""

MOST_GROUPS = 30
"""With more groups the pairs of those with the highest and lowest rates are compared, and nothing is shown within."""

SMALLEST_EXPECTATION = 5.0


def missing_by_group(
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]],
    missing: Mapping[str, NDArray[np.bool_]],
    *,
    tolerated: Mapping[str, Tolerated],
) -> list[MissingByGroup]:
    """Rates of empty cells by group, for every column that has some and every attribute but itself.

    Args:
        attributes: attribute to codes of shape (n,) and the levels' texts, None for missing.
        missing: column to which cells are empty, shape (n,).
        tolerated: by attribute; the level holds all pairs of groups of all columns together.

    Returns:
        Columns in order, the attributes of each; p-values adjusted by Holm over all of them.
    """
    columns = {column: empty for column, empty in missing.items() if empty.any()}
    by_pair: dict[tuple[str, str], MissingByGroup] = {}
    for attribute, (codes, levels) in attributes.items():
        others = {column: empty for column, empty in columns.items() if column != attribute}
        counted = {column: np.bincount(codes[empty], minlength=len(levels)) for column, empty in others.items()}
        n = np.bincount(codes, minlength=len(levels))
        gaps = _gaps(counted, n, levels, tolerated[attribute], columns=len(columns))
        for column, x in counted.items():
            by_pair[column, attribute] = _document(column, attribute, x, n, levels, gaps[column], tolerated[attribute])
    found = [by_pair[column, attribute] for column in columns for attribute in attributes if column != attribute]
    p = np.array([one.p_value if one.p_value is not None else 1.0 for one in found])
    return [
        one.model_copy(update={"adjusted_p": None if one.p_value is None else float(adjusted)})
        for one, adjusted in zip(found, holm(p), strict=True)
    ]


@dataclass(frozen=True)
class _Gap:
    """The largest difference of one column: the groups, and the bounds over all pairs."""

    top: int
    bottom: int
    low: float
    high: float
    equivalence_low: float
    equivalence_high: float
    all_pairs: bool
    p_value: float


def _gaps(
    counted: Mapping[str, NDArray[np.int64]],
    n: NDArray[np.int64],
    levels: Levels,
    tolerated: Tolerated,
    *,
    columns: int,
) -> dict[str, _Gap | None]:
    """The largest difference of every column; all pairs of all columns in one call, which is what takes the time."""
    compared = np.array([i for i, text in enumerate(levels) if text is not None and n[i] >= SMALL_GROUP_ROWS], np.intp)
    if len(compared) < 2 or not counted:
        return dict.fromkeys(counted)
    orders, firsts, seconds, successes = {}, [], [], []
    for column, x in counted.items():
        order = orders[column] = compared[np.argsort(-x[compared] / n[compared], kind="stable")]
        outer = np.unique(np.concatenate([order[: MOST_GROUPS // 2], order[-MOST_GROUPS // 2 :]]))
        # the group with the higher rate first, so that differences are positive
        pairs = np.array(list(combinations([i for i in order if i in outer], 2)))
        firsts.append(pairs[:, 0])
        seconds.append(pairs[:, 1])
        successes.append(x)
    one, other = np.concatenate(firsts), np.concatenate(seconds)
    x1 = np.concatenate([x[first] for x, first in zip(successes, firsts, strict=True)])
    x2 = np.concatenate([x[second] for x, second in zip(successes, seconds, strict=True)])
    level = 1 - (1 - tolerated.level) / columns
    together = difference_interval(x1, n[one], x2, n[other], z=tukey_z(len(compared), level=level))
    # one-sided and undivided: to be shown within, every pair of every column must pass (intersection-union)
    alone = difference_interval(x1, n[one], x2, n[other], z=normal_quantile(tolerated.level))
    ends = np.cumsum([len(first) for first in firsts])
    gaps: dict[str, _Gap | None] = {}
    for (column, order), end, first in zip(orders.items(), ends, firsts, strict=True):
        mine = slice(end - len(first), end)
        gaps[column] = _Gap(
            top=int(order[0]),
            bottom=int(order[-1]),
            low=float(together.low[mine].max()),
            high=float(together.high[mine].max()),
            equivalence_low=float(alone.low[mine].max()),
            equivalence_high=float(alone.high[mine].max()),
            all_pairs=len(compared) <= MOST_GROUPS,
            p_value=_p_value(counted[column][compared], n[compared]),
        )
    return gaps


def _document(
    column: str,
    attribute: str,
    x: NDArray[np.int64],
    n: NDArray[np.int64],
    levels: Levels,
    gap: _Gap | None,
    tolerated: Tolerated,
) -> MissingByGroup:
    shown = wilson(x, n, z=normal_quantile(0.975))
    groups = [
        MissingRate(
            group={attribute: text},
            n=int(n[i]),
            missing=int(x[i]),
            rate=Estimate(estimate=float(x[i] / n[i]), low=float(shown.low[i]), high=float(shown.high[i])),
        )
        for i, text in enumerate(levels)
        if n[i]
    ]
    if gap is None:
        return MissingByGroup(
            column=column,
            attribute=attribute,
            groups=groups,
            difference=Estimate(estimate=None, reason=f"fewer than two groups have {SMALL_GROUP_ROWS} rows"),
            p_value=None,
            adjusted_p=None,
            tolerance=tolerated.tolerance,
            verdict=Verdict.INCONCLUSIVE,
        )
    verdict = Verdict.INCONCLUSIVE
    if gap.low > tolerated.tolerance:
        verdict = Verdict.PROVEN_DISPARITY
    elif gap.all_pairs and gap.equivalence_high < tolerated.tolerance:
        verdict = Verdict.PROVEN_WITHIN
    return MissingByGroup(
        column=column,
        attribute=attribute,
        groups=groups,
        difference=Estimate(
            estimate=float(x[gap.top] / n[gap.top] - x[gap.bottom] / n[gap.bottom]), low=gap.low, high=gap.high
        ),
        group={attribute: levels[gap.top]},
        reference={attribute: levels[gap.bottom]},
        equivalence_low=gap.equivalence_low,
        equivalence_high=gap.equivalence_high,
        p_value=gap.p_value,
        adjusted_p=None,
        tolerance=tolerated.tolerance,
        verdict=verdict,
    )


def _p_value(x: NDArray[np.int64], n: NDArray[np.int64]) -> float:
    """Pearson's chi-square test of equal rates; the smallest Fisher p over pairs, by Bonferroni, where cells are small."""
    total, empty = float(n.sum()), float(x.sum())
    expected = np.stack([n * empty / total, n * (total - empty) / total])
    if expected.min() >= SMALLEST_EXPECTATION:
        statistic = float(((np.stack([x, n - x]) - expected) ** 2 / expected).sum())
        return float(chdtrc(len(n) - 1, statistic))
    order = np.argsort(x / n, kind="stable")
    ends: Sequence[int] = order[:5].tolist() + order[5:][-5:].tolist()
    pairs = list(combinations(ends, 2))
    smallest = min(exact(int(x[i]), int(n[i]), int(x[j]), int(n[j]), boschloo=False).fisher for i, j in pairs)
    return min(1.0, smallest * len(n) * (len(n) - 1) / 2)


def finding_of(attribute: str, found: Sequence[MissingByGroup], *, tolerated: Tolerated) -> Finding | None:
    """The column that decides for one attribute; None where no column has empty cells."""
    mine = [one for one in found if one.attribute == attribute]
    if not mine:
        return None
    order = (Verdict.PROVEN_DISPARITY, Verdict.INCONCLUSIVE, Verdict.PROVEN_WITHIN)
    worst = min(mine, key=lambda one: (order.index(one.verdict), -(one.difference.low or -1.0)))
    return Finding(
        id=f"representation/missingness/difference/{attribute}",
        audit="representation",
        metric="missingness",
        comparison=Comparison.DIFFERENCE,
        attribute=attribute,
        group=worst.group,
        reference=worst.reference,
        estimate=worst.difference.estimate,
        low=worst.difference.low,
        high=worst.difference.high,
        level=tolerated.level,
        equivalence_low=worst.equivalence_low,
        equivalence_high=worst.equivalence_high,
        tolerance=tolerated.tolerance,
        verdict=worst.verdict,
        n=_rows(worst, worst.group),
        reference_n=_rows(worst, worst.reference),
        p_value=worst.adjusted_p,
        gate=tolerated.gate,
        message=_message(worst, len(mine)),
    )


def _rows(found: MissingByGroup, group: Group | None) -> int | None:
    return next((row.n for row in found.groups if row.group == group), None)


def _message(found: MissingByGroup, columns: int) -> str:
    if found.difference.estimate is None:
        return f"{found.column} has empty cells, and {found.difference.reason}: nothing can be said."
    rates = {group_name(row.group): row.rate.estimate for row in found.groups}
    one, other = group_name(found.group), group_name(found.reference)
    text = (
        f"{found.column} is empty in {number(rates[one])} of {one} and {number(rates[other])} of {other}: difference "
        f"{number(found.difference.estimate)} ({number(found.difference.low)} to {number(found.difference.high)})."
    )
    if found.verdict is Verdict.PROVEN_DISPARITY:
        return f"{text} That is beyond {number(found.tolerance)} and needs justification."
    if found.verdict is Verdict.PROVEN_WITHIN:
        return f"{text} Every column with empty cells ({columns}) is shown within {number(found.tolerance)}."
    return f"{text} Open, with {number(found.tolerance)} tolerated."
