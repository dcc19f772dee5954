"""The largest gap over groups with its interval: of pairs, or of groups to all rows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.overall import against_overall
from evenhand.auditors.disparity.pairs import compare_pairs
from evenhand.auditors.intervals import normal_quantile, tukey_z
from evenhand.auditors.metrics import Metric
from evenhand.auditors.report import Group
from evenhand.auditors.verdict import Comparison


@dataclass(frozen=True)
class Gap:
    """The largest difference or smallest ratio; NaN where undefined. `reference` is None for all rows."""

    estimate: float
    low: float
    high: float
    group: Group | None = None
    reference: Group | None = None


UNDEFINED = Gap(np.nan, np.nan, np.nan)


def largest_pair(counts: GroupCounts, metric: Metric, *, comparison: Comparison, level: float) -> Gap:
    """Over all pairs of these groups, at Tukey's quantile."""
    groups = len(counts.groups)
    if groups < 2:
        return UNDEFINED
    everyone = np.ones(groups, dtype=bool)
    pairs = compare_pairs(
        counts,
        metric=metric,
        comparison=comparison,
        tolerance=1.0,
        compared=everyone,
        decidable=everyone,
        z=tukey_z(groups, level=level),
        z_equivalence=normal_quantile(level),
    )
    if pairs.undefined.any():
        return UNDEFINED
    worst = np.max if comparison is Comparison.DIFFERENCE else np.min
    at = int(np.argmax(pairs.gap))
    return Gap(
        *(float(worst(part)) for part in (pairs.estimate, pairs.low, pairs.high)),
        group=counts.groups[int(pairs.first[at])],
        reference=counts.groups[int(pairs.second[at])],
    )


def largest_to_overall(
    counts: GroupCounts, compared: NDArray[np.bool_], metric: Metric, *, comparison: Comparison, level: float
) -> Gap:
    """Over the compared groups, each against all rows; at Bonferroni's quantile, or as one where there are two groups.

    Args:
        counts: of all groups, whose rows are all rows.
        compared: shape (k,), the groups that take part.
    """
    groups = int(compared.sum())
    if groups < 1:
        return UNDEFINED
    value, everything = metric.value(counts.cells)[compared], metric.value(counts.cells.sum(axis=0)[None])
    difference = comparison is Comparison.DIFFERENCE
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = value - everything if difference else value / everything
    if np.isnan(estimate).any():
        return UNDEFINED
    low = high = np.full(groups, np.nan)
    if metric.is_rate:
        comparisons = 1 if groups == 2 and compared.all() else groups  # two groups that are all rows are one comparison
        z = normal_quantile(1 - (1 - level) / (2 * comparisons))
        found = against_overall(counts, metric=metric, comparison=comparison, z=z).bounds
        low, high = found.low[compared], found.high[compared]
    turned = estimate < 0 if difference else estimate > 1
    with np.errstate(divide="ignore"):
        other = (-estimate, -high, -low) if difference else (1 / estimate, 1 / high, 1 / low)
    estimate, low, high = (np.where(turned, b, a) for a, b in zip((estimate, low, high), other, strict=True))
    worst, which = (np.max, np.argmax) if difference else (np.min, np.argmin)
    at = int(np.flatnonzero(compared)[which(estimate)])
    return Gap(float(worst(estimate)), float(worst(low)), float(worst(high)), group=counts.groups[at])
