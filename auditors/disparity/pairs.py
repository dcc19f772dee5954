"""All pairs of groups compared on one metric: estimates, intervals and what each pair proves by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.clusters import Design
from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.intervals import (
    Interval,
    difference_interval,
    normal_quantile,
    ratio_interval,
    score_z_difference,
    score_z_ratio,
)
from evenhand.auditors.metrics import Metric
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

Z_SINGLE = normal_quantile(0.975)
"""Of the test of one pair by itself."""


@dataclass(frozen=True)
class Pairs:
    """Every pair of compared groups on one metric, turned so that a difference is at least 0 and a ratio at most 1.

    All arrays have shape (pairs,).

    Attributes:
        metric, comparison, tolerance: what is compared, and how much is tolerated.
        first, second: indices of the groups; the first has the higher value of a difference, the lower of a ratio.
        estimate: NaN where undefined.
        low, high: simultaneous interval over all pairs.
        equivalence_low, equivalence_high: one-sided each way.
        p_value: two-sided score test of equality, of this pair alone.
        decidable: both groups have enough rows.
    """

    metric: Metric
    comparison: Comparison
    tolerance: float
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    estimate: Floats
    low: Floats
    high: Floats
    equivalence_low: Floats
    equivalence_high: Floats
    p_value: Floats
    decidable: Mask

    @property
    def undefined(self) -> Mask:
        return np.isnan(self.estimate)

    @property
    def disparity(self) -> Mask:
        """Pairs whose interval lies wholly beyond the tolerance."""
        beyond = self.low > self.tolerance if self.comparison is Comparison.DIFFERENCE else self.high < self.tolerance
        return beyond & self.decidable

    @property
    def within(self) -> Mask:
        """Pairs whose equivalence interval lies wholly inside the tolerance."""
        if self.comparison is Comparison.DIFFERENCE:
            inside = (self.equivalence_low > -self.tolerance) & (self.equivalence_high < self.tolerance)
        else:
            inside = (self.equivalence_low > self.tolerance) & (self.equivalence_high < 1 / self.tolerance)
        return inside & self.decidable

    @property
    def gap(self) -> Floats:
        """Size of the gap for ranking: the difference, or minus the ratio; NaN where undefined."""
        return self.estimate if self.comparison is Comparison.DIFFERENCE else -self.estimate


def compare_pairs(
    counts: GroupCounts,
    *,
    metric: Metric,
    comparison: Comparison,
    tolerance: float,
    compared: Mask,
    decidable: Mask,
    z: float,
    z_equivalence: float,
    design: Design | None = None,
) -> Pairs:
    """Compare every two groups.

    Args:
        counts: of k groups.
        compared: shape (k,), the groups that take part.
        decidable: shape (k,), those with rows enough to decide anything.
        z: simultaneous over all pairs; z_equivalence: one-sided.
        design: units behind the rows, where rows repeat persons.
    """
    evidence = Evidence(counts, design)
    members = np.flatnonzero(compared)
    value = metric.value(counts.cells)
    i, j = np.triu_indices(len(members), 1)
    first, second = members[i], members[j]
    swap = value[first] < value[second] if comparison is Comparison.DIFFERENCE else value[first] > value[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    estimate = gap_between(value[first], value[second], comparison=comparison)
    undefined = np.isnan(estimate)
    simultaneous = bounds_between(evidence, metric, comparison, first, second, z=z)
    equivalence = bounds_between(evidence, metric, comparison, first, second, z=z_equivalence)
    p_value = equality_p_value(evidence, metric, comparison, first, second)
    bounds = (simultaneous.low, simultaneous.high, equivalence.low, equivalence.high, p_value)
    low, high, equivalence_low, equivalence_high, p_value = (np.where(undefined, np.nan, bound) for bound in bounds)
    return Pairs(
        metric, comparison, tolerance, first, second, estimate, low, high, equivalence_low, equivalence_high, p_value,
        decidable[first] & decidable[second],
    )  # fmt: skip


def gap_between(one: Floats, other: Floats, *, comparison: Comparison) -> Floats:
    """Difference or ratio of two values; NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return one - other if comparison is Comparison.DIFFERENCE else one / other


def bounds_between(
    evidence: Evidence, metric: Metric, comparison: Comparison, first: Indices, second: Indices, *, z: float
) -> Interval:
    """Interval of each pair's gap at this quantile: score interval of rates, delta method of what is no rate."""
    together = evidence.between(metric, first, second)
    if metric.is_rate:
        x, n = evidence.trials(metric, z=z)
        return rate_bounds(
            x[first] * together, n[first] * together, x[second] * together, n[second] * together, comparison, z=z
        )
    value, error = metric.value(evidence.counts.cells), evidence.error(metric, z=z)
    root = np.sqrt(together)
    return delta_bounds(value[first], error[first] / root, value[second], error[second] / root, comparison, z=z)


def equality_p_value(
    evidence: Evidence, metric: Metric, comparison: Comparison, first: Indices, second: Indices
) -> Floats:
    """Two-sided p-value of each pair by itself that both groups are equal."""
    together = evidence.between(metric, first, second)
    if metric.is_rate:
        x, n = evidence.trials(metric, z=Z_SINGLE)
        arguments = x[first] * together, n[first] * together, x[second] * together, n[second] * together
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = (
                score_z_difference(*arguments, 0.0)
                if comparison is Comparison.DIFFERENCE
                else score_z_ratio(*arguments, 1.0)
            )
        return 2 * ndtr(-np.abs(statistic))
    value, error = metric.value(evidence.counts.cells), evidence.error(metric, z=Z_SINGLE)
    root = np.sqrt(together)
    centre, spread = _delta(value[first], error[first] / root, value[second], error[second] / root, comparison)
    with np.errstate(divide="ignore", invalid="ignore"):
        return 2 * ndtr(-np.abs(centre / spread))


def rate_bounds(x1: Floats, n1: Floats, x2: Floats, n2: Floats, comparison: Comparison, *, z: float) -> Interval:
    """Miettinen-Nurminen interval of the difference or ratio of two rates."""
    interval = difference_interval if comparison is Comparison.DIFFERENCE else ratio_interval
    return interval(x1, n1, x2, n2, z=z)


def delta_bounds(v1: Floats, e1: Floats, v2: Floats, e2: Floats, comparison: Comparison, *, z: float) -> Interval:
    """Normal interval of a difference, or of a ratio on the logarithm."""
    centre, spread = _delta(v1, e1, v2, e2, comparison)
    if comparison is Comparison.DIFFERENCE:
        return Interval(centre - z * spread, centre + z * spread)
    return Interval(np.exp(centre - z * spread), np.exp(centre + z * spread))


def _delta(v1: Floats, e1: Floats, v2: Floats, e2: Floats, comparison: Comparison) -> tuple[Floats, Floats]:
    """Centre and spread of a difference, or of the logarithm of a ratio."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if comparison is Comparison.DIFFERENCE:
            return v1 - v2, np.hypot(e1, e2)
        return np.log(v1 / v2), np.hypot(e1 / v1, e2 / v2)
