"""All pairs of groups compared on one metric: estimates, intervals and what each pair proves by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.intervals import Interval, difference_interval, ratio_interval, score_z_difference, score_z_ratio
from evenhand.auditors.metrics import Metric
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


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
) -> Pairs:
    """Compare every two groups.

    Args:
        counts: of k groups.
        compared: shape (k,), the groups that take part.
        decidable: shape (k,), those with rows enough to decide anything.
        z: simultaneous over all pairs; z_equivalence: one-sided.
    """
    members = np.flatnonzero(compared)
    value = metric.value(counts.cells)
    i, j = np.triu_indices(len(members), 1)
    first, second = members[i], members[j]
    swap = value[first] < value[second] if comparison is Comparison.DIFFERENCE else value[first] > value[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = value[first] - value[second] if comparison is Comparison.DIFFERENCE else value[first] / value[second]
    if metric.is_rate:
        simultaneous, equivalence, p_value = _by_score(counts, metric, comparison, first, second, z, z_equivalence)
    else:
        simultaneous, equivalence, p_value = _by_delta(counts, metric, comparison, first, second, z, z_equivalence)
    undefined = np.isnan(estimate)
    bounds = (simultaneous.low, simultaneous.high, equivalence.low, equivalence.high, p_value)
    low, high, equivalence_low, equivalence_high, p_value = (np.where(undefined, np.nan, bound) for bound in bounds)
    return Pairs(
        metric, comparison, tolerance, first, second, estimate, low, high, equivalence_low, equivalence_high, p_value,
        decidable[first] & decidable[second],
    )  # fmt: skip


def _by_score(
    counts: GroupCounts, metric: Metric, comparison: Comparison, first: NDArray[np.intp], second: NDArray[np.intp],
    z: float, z_equivalence: float,
) -> tuple[Interval, Interval, Floats]:  # fmt: skip
    x, n = metric.fraction(counts.effective)
    a, b, c, d = x[first], n[first], x[second], n[second]
    interval = difference_interval if comparison is Comparison.DIFFERENCE else ratio_interval
    with np.errstate(divide="ignore", invalid="ignore"):
        if comparison is Comparison.DIFFERENCE:
            statistic = score_z_difference(a, b, c, d, 0.0)
        else:
            statistic = score_z_ratio(a, b, c, d, 1.0)
    return interval(a, b, c, d, z=z), interval(a, b, c, d, z=z_equivalence), 2 * ndtr(-np.abs(statistic))


def _by_delta(
    counts: GroupCounts, metric: Metric, comparison: Comparison, first: NDArray[np.intp], second: NDArray[np.intp],
    z: float, z_equivalence: float,
) -> tuple[Interval, Interval, Floats]:  # fmt: skip
    value, error = metric.value(counts.cells), standard_error(counts.effective, metric)
    with np.errstate(divide="ignore", invalid="ignore"):
        if comparison is Comparison.DIFFERENCE:
            centre, spread = value[first] - value[second], np.hypot(error[first], error[second])
            statistic = centre / spread
            return (
                Interval(centre - z * spread, centre + z * spread),
                Interval(centre - z_equivalence * spread, centre + z_equivalence * spread),
                2 * ndtr(-np.abs(statistic)),
            )
        centre = np.log(value[first] / value[second])
        spread = np.hypot(error[first] / value[first], error[second] / value[second])
        return (
            Interval(np.exp(centre - z * spread), np.exp(centre + z * spread)),
            Interval(np.exp(centre - z_equivalence * spread), np.exp(centre + z_equivalence * spread)),
            2 * ndtr(-np.abs(centre / spread)),
        )


def standard_error(cells: Floats, metric: Metric) -> Floats:
    """Standard error of a metric without closed form, by the delta method on the cells' proportions.

    Half a row is added to each cell for the spread alone, so that an empty cell does not claim certainty.
    """
    smoothed = cells.reshape(len(cells), 4) + 0.5
    total = smoothed.sum(axis=1, keepdims=True)
    share = smoothed / total
    gradient = np.empty_like(share)
    step = 1e-6
    for cell in range(4):
        up, down = share.copy(), share.copy()
        up[:, cell] += step
        down[:, cell] -= step
        gradient[:, cell] = (metric.value(up.reshape(-1, 2, 2)) - metric.value(down.reshape(-1, 2, 2))) / (2 * step)
    mean = (share * gradient).sum(axis=1)
    variance = ((share * gradient**2).sum(axis=1) - mean**2) / np.maximum(cells.reshape(len(cells), 4).sum(axis=1), 1)
    error: Floats = np.sqrt(np.maximum(variance, 0.0))
    return error
