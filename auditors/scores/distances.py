"""How far apart the scores of two groups lie, labels aside: standardized mean difference, Kolmogorov-Smirnov, Wasserstein."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import kolmogi, kolmogorov

from evenhand.auditors.scores.grouped import GroupedScores
from evenhand.auditors.scores.noise import bridge

Floats = NDArray[np.float64]

DRAWS = 1_000
NULL_BINS = 100
LEVEL = 0.95


@dataclass(frozen=True)
class MeanDifferences:
    """Standardized mean differences of all pairs, row's group less column's; shape (k, k), NaN where undefined.

    Attributes:
        value: difference of means over the pooled standard deviation of the two groups (Cohen's d).
        error: by the delta method on means and variances: no normal distribution is assumed. Rows of one unit move
            together.
        bound: how far the value can lie from that of scores that were not put into bins; None where it is exact.
    """

    value: Floats
    error: Floats
    bound: Floats | None = None


def standardized_mean_differences(grouped: GroupedScores) -> MeanDifferences:
    """All pairs at once, from four moments a group.

    Source: Cohen (1988); in lending as standardized mean difference. Its variance with the third and fourth moments as in
    Bonett (2008), Psychological Methods 13, for groups of unequal variance.
    """
    rows, scores = grouped.rows, grouped.scores
    total = np.where(rows.total > 0, rows.total, np.nan)
    mean = rows.summed(rows.weight * scores) / total
    away = scores - np.repeat(mean, rows.entries)
    square = away * away
    second, third, fourth = (rows.summed(rows.weight * power) / total for power in (square, square * away, square**2))
    n = np.where(rows.effective > 1, rows.effective, np.nan)
    # variance and covariance of a group's mean and variance
    of_mean, of_both, of_square = second / n, third / n, (fourth - second**2) / n
    if rows.unit is not None:
        centred = square - np.repeat(second, rows.entries)
        many = rows.independent / np.maximum(rows.independent - 1, 1) / total**2
        of_mean, of_both, of_square = (
            rows.products(one, other) * many for one, other in ((away, away), (away, centred), (centred, centred))
        )
    variance = second * n / (n - 1)
    share = n[:, None] / (n[:, None] + n[None, :])  # weight of the row's group in the pooled variance
    freedom = (n - 1)[:, None] / (n[:, None] + n[None, :] - 2)
    pooled = freedom * variance[:, None] + (1 - freedom) * variance[None, :]
    sd = np.sqrt(np.where(pooled > 0, pooled, np.nan))
    value = (mean[:, None] - mean[None, :]) / sd
    pull = value * share / (2 * sd**2)
    pull_other = value * (1 - share) / (2 * sd**2)
    from_row = of_mean[:, None] / sd**2 - 2 * pull * of_both[:, None] / sd + pull**2 * of_square[:, None]
    from_column = of_mean[None, :] / sd**2 + 2 * pull_other * of_both[None, :] / sd + pull_other**2 * of_square[None, :]
    error = np.sqrt(np.maximum(from_row + from_column, 0.0))
    return MeanDifferences(value, error, _bound(grouped, value, sd, share))


def _bound(grouped: GroupedScores, value: Floats, sd: Floats, share: Floats) -> Floats | None:
    """Means move by their mean reach, and a standard deviation by the root of its mean square at most."""
    if grouped.reach is None:
        return None
    rows, reach = grouped.rows, grouped.reach[grouped.rows.step]
    square = rows.summed(rows.weight * reach**2) / np.where(rows.total > 0, rows.total, 1.0)
    wide = np.sqrt(share * square[:, None] + (1 - share) * square[None, :])
    least = np.where(sd > wide, sd - wide, np.nan)
    bound: Floats = (grouped.mean_reach[:, None] + grouped.mean_reach[None, :] + np.abs(value) * wide) / least
    return bound


@dataclass(frozen=True)
class Distances:
    """Two distances of two distributions.

    Attributes:
        ks: largest distance of the distribution functions, in 0..1.
        ks_p_value: asymptotic; conservative where scores are tied.
        ks_margin: the true distance lies within it of the observed one, at the level.
        wasserstein: area between the distribution functions, in units of the score.
        wasserstein_p_value, wasserstein_margin: likewise, by draws.
    """

    ks: float
    ks_p_value: float
    ks_margin: float
    wasserstein: float
    wasserstein_p_value: float
    wasserstein_margin: float


class ScoreDistances:
    """Distances between any two groups of one attribute; the draws behind their p-values are shared by all pairs.

    Both distances are norms of the difference of two distribution functions. So their errors are at most the norm of the
    noise, which under one common distribution is a Brownian bridge times sqrt(1/n + 1/m).
    """

    def __init__(self, grouped: GroupedScores, rng: np.random.Generator) -> None:
        self._grouped = grouped
        count = np.bincount(grouped.rows.step, grouped.rows.weight, len(grouped.values))
        total = max(float(count.sum()), 1e-300)
        # mass stands at the values: the distribution function is flat from one to the next
        below = np.cumsum(count)[:-1] / total
        widths = np.diff(grouped.values)
        cell = np.minimum((below * NULL_BINS).astype(np.int64), NULL_BINS - 1)
        width = np.bincount(cell, widths, NULL_BINS)
        self._noise = np.sort(
            np.abs(bridge(rng.standard_normal((DRAWS, NULL_BINS)), np.full(NULL_BINS, 1 / NULL_BINS))) @ width
        )

    def between(self, one: int, other: int) -> Distances:
        rows = self._grouped.rows
        first, second = rows.of(one), rows.of(other)
        step = np.concatenate([rows.step[first], rows.step[second]])
        mass = np.concatenate([rows.weight[first] / rows.total[one], -rows.weight[second] / rows.total[other]])
        order = np.argsort(step, kind="stable")  # merges two sorted runs
        step = step[order]
        gap = np.cumsum(mass[order])
        last = np.flatnonzero(step[1:] != step[:-1])
        apart = np.abs(gap[last])
        ks = float(apart.max(initial=0.0))
        values = self._grouped.values
        wasserstein = float(apart @ (values[step[last + 1]] - values[step[last]]))
        wide = float(np.sqrt(1 / rows.effective[one] + 1 / rows.effective[other]))
        reached = len(self._noise) - int(np.searchsorted(self._noise, wasserstein / wide))
        return Distances(
            ks=ks,
            ks_p_value=float(kolmogorov(ks / wide)),
            ks_margin=float(kolmogi(1 - LEVEL)) * wide,
            wasserstein=wasserstein,
            wasserstein_p_value=(1 + reached) / (1 + DRAWS),
            wasserstein_margin=float(np.quantile(self._noise, LEVEL)) * wide,
        )
