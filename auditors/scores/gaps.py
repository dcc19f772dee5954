"""Pairs of groups compared on one metric of scores: estimates, intervals, and what each pair proves by itself."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.scores.distances import MeanDifferences
from evenhand.auditors.scores.measured import Measured

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class ScoreGaps:
    """All pairs of compared groups, turned so that the difference is at least 0; arrays of shape (pairs,).

    Attributes:
        first, second: indices of the groups; the first has the higher value.
        estimate: the difference; NaN where undefined.
        error_down, error_up, bias_down, bias_up: as in `Measured`, of the difference.
        decidable: both groups have enough rows.
        most: the largest difference there can be.
        doubt: how far the difference can lie from that of scores that were not put into bins.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    estimate: Floats
    error_down: Floats
    error_up: Floats
    bias_down: Floats
    bias_up: Floats
    decidable: Mask
    most: float
    doubt: Floats

    def bounds(self, z: float) -> tuple[Floats, Floats]:
        return (
            np.maximum(self.estimate - self.bias_down - self.doubt - z * self.error_down, -self.most),
            np.minimum(self.estimate + self.bias_up + self.doubt + z * self.error_up, self.most),
        )

    @property
    def undefined(self) -> Mask:
        return np.isnan(self.estimate)

    def disparity(self, *, tolerance: float, z: float) -> Mask:
        """Pairs whose simultaneous interval lies wholly beyond the tolerance."""
        low, _ = self.bounds(z)
        return (low > tolerance) & self.decidable

    def within(self, *, tolerance: float, z_equivalence: float) -> Mask:
        """Pairs whose equivalence interval lies wholly inside the tolerance."""
        low, high = self.bounds(z_equivalence)
        return (low > -tolerance) & (high < tolerance) & self.decidable

    @property
    def p_value(self) -> Floats:
        """Two-sided test of equality of one pair alone; NaN where chance shifts the metric."""
        even = (self.bias_down == 0) & (self.bias_up == 0)
        least = np.maximum(self.estimate - self.doubt, 0.0)
        p: Floats = 2 * ndtr(-least / np.where(self.error_down > 0, self.error_down, np.nan))
        return np.where(even, p, np.nan)


def gaps_between(measured: Measured, *, compared: Mask, decidable: Mask) -> ScoreGaps:
    """Differences of all pairs of independent groups.

    Args:
        compared: shape (k,), the groups that take part; decidable: those with rows enough to decide anything.
    """
    first, second = _pairs(compared)
    swap = measured.value[first] < measured.value[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    return ScoreGaps(
        first,
        second,
        measured.value[first] - measured.value[second],
        np.hypot(measured.error_down[first], measured.error_up[second]),
        np.hypot(measured.error_up[first], measured.error_down[second]),
        measured.bias[first],
        measured.bias[second],
        decidable[first] & decidable[second],
        measured.high - measured.low,
        measured.doubt[first] + measured.doubt[second],
    )


def gaps_of_means(means: MeanDifferences, *, compared: Mask, decidable: Mask) -> ScoreGaps:
    """Standardized mean differences of all pairs; one that is no number is undefined."""
    first, second = _pairs(compared)
    swap = means.value[first, second] < 0
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    error, none = means.error[first, second], np.zeros(len(first))
    return ScoreGaps(
        first,
        second,
        means.value[first, second],
        error,
        error,
        none,
        none,
        decidable[first] & decidable[second],
        np.inf,
        np.zeros(len(first)) if means.bound is None else means.bound[first, second],
    )


def _pairs(compared: Mask) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    members = np.flatnonzero(compared)
    i, j = np.triu_indices(len(members), 1)
    return members[i], members[j]
