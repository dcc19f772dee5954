"""Intervals of rates, differences and ratios, vectorised over groups or pairs, and the quantiles that hold their error.

Which interval decides what belongs in `disparity`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

BISECTIONS = 6
ILLINOIS_STEPS = 40
CLOSE = 1e-10
"""Of a statistic to its quantile: nearer than the statistic's own rounding for very small variances."""


@dataclass(frozen=True)
class Interval:
    """Lower and upper bounds, arrays of one shape; NaN where the rate does not exist."""

    low: Floats
    high: Floats


def normal_quantile(probability: float) -> float:
    """z such that a standard normal lies below it with this probability."""
    return float(ndtri(probability))


@cache
def tukey_z(groups: int, *, level: float) -> float:
    """Quantile of the range of `groups` standard normals, over sqrt 2: holds all pairs of groups at once.

    Args:
        groups: how many groups are compared, at least 2.
        level: of the whole family, a fraction in (0, 1).

    Returns:
        1.960 for 2 groups at .95, 2.728 for 5, 4.302 for 100.

    Source: Tukey (1953); q(level; k, infinity) from the range's distribution by the trapezoidal rule, which converges
    exponentially for a smooth integrand that vanishes at both ends.
    """
    if groups < 2:
        return normal_quantile((1 + level) / 2)
    low, high = 0.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _range_below(middle, groups) < level else (low, middle)
    return (low + high) / 2 / float(np.sqrt(2))


def tukey_p_value(z: float, groups: int) -> float:
    """Probability that of `groups` equal groups some pair's statistic lies beyond z, either way: the inverse of `tukey_z`."""
    if z <= 0:
        return 1.0
    return max(0.0, 1.0 - _range_below(float(np.sqrt(2)) * z, max(groups, 2)))


def _range_below(q: float, groups: int) -> float:
    """Distribution of the range of `groups` standard normals."""
    z, density = _normal_density()
    return float(groups * np.sum(density * (ndtr(z) - ndtr(z - q)) ** (groups - 1)))


@cache
def _normal_density() -> tuple[Floats, Floats]:
    """Points, and the probability near each."""
    z = np.linspace(-10.0, 10.0, 1001)
    return z, np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])


def wilson(successes: ArrayLike, trials: ArrayLike, *, z: float) -> Interval:
    """Score interval of one rate.

    Args:
        successes, trials: arrays of one shape; fractional (effective) counts are allowed.
        z: two-sided normal quantile, 1.96 for 95 %.

    Source: Wilson (1927), Journal of the American Statistical Association 22.
    """
    x, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (x + z * z / 2) / (n + z * z)
        half = z / (n + z * z) * np.sqrt(x * (n - x) / n + z * z / 4)
        low, high = np.where(x == 0, 0.0, centre - half), np.where(x == n, 1.0, centre + half)
    exists = n > 0
    return Interval(np.where(exists, low.clip(0, 1), np.nan), np.where(exists, high.clip(0, 1), np.nan))


def _restricted_second_rate(x1: Floats, n1: Floats, x2: Floats, n2: Floats, difference: Floats) -> Floats:
    """Maximum-likelihood rate of the second group when the first is `difference` higher: a cubic's closed-form root."""
    total = n1 + n2
    l3 = total
    l2 = (n1 + 2 * n2) * difference - total - x1 - x2
    l1 = (n2 * difference - total - 2 * x2) * difference + x1 + x2
    l0 = x2 * difference * (1 - difference)
    shift = l2 / (3 * l3)
    q = shift * shift * shift - l1 * l2 / (6 * l3 * l3) + l0 / (2 * l3)
    p = np.copysign(np.sqrt(np.maximum(shift * shift - l1 / (3 * l3), 0.0)), q)
    cube = np.where(p == 0, 1.0, p * p * p)
    angle = (np.pi + np.arccos(np.clip(np.where(p == 0, 0.0, q / cube), -1.0, 1.0))) / 3
    rate = 2 * p * np.cos(angle) - shift
    clipped: Floats = np.clip(rate, np.maximum(0.0, -difference), np.minimum(1.0, 1.0 - difference))
    return clipped


def score_z_difference(x1: Floats, n1: Floats, x2: Floats, n2: Floats, difference: ArrayLike) -> Floats:
    """Score statistic for the hypothesis that the first rate is `difference` above the second.

    Positive where the data lie above the hypothesis. All arrays broadcast; trials above 0.

    Source: Miettinen and Nurminen (1985), Statistics in Medicine 4(2), with the factor N/(N-1).
    """
    d = np.asarray(difference, dtype=np.float64)
    q2 = _restricted_second_rate(x1, n1, x2, n2, d)
    q1 = np.clip(q2 + d, 0.0, 1.0)
    total = n1 + n2
    variance = (q1 * (1 - q1) / n1 + q2 * (1 - q2) / n2) * total / np.maximum(total - 1, 1e-12)
    return _standardised(x1 / n1 - x2 / n2 - d, variance)


def score_z_ratio(x1: Floats, n1: Floats, x2: Floats, n2: Floats, ratio: ArrayLike) -> Floats:
    """Score statistic for the hypothesis that the first rate is `ratio` times the second; as `score_z_difference`."""
    r = np.asarray(ratio, dtype=np.float64)
    total = n1 + n2
    a = total * r
    b = -(n1 * r + x1 + n2 + x2 * r)
    c = x1 + x2
    q2 = np.clip((-b - np.sqrt(np.maximum(b * b - 4 * a * c, 0.0))) / (2 * a), 0.0, np.minimum(1.0, 1.0 / r))
    q1 = np.clip(r * q2, 0.0, 1.0)
    variance = (q1 * (1 - q1) / n1 + r * r * q2 * (1 - q2) / n2) * total / np.maximum(total - 1, 1e-12)
    return _standardised(x1 / n1 - r * x2 / n2, variance)


def _standardised(distance: Floats, variance: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        z = distance / np.sqrt(variance)
    return np.where(variance > 1e-300, z, np.where(np.abs(distance) < 1e-12, 0.0, np.copysign(np.inf, distance)))


def _crossing(z_at: Callable[[Floats], Floats], target: float, low: Floats, high: Floats) -> Floats:
    """Where the falling statistic crosses the target, all pairs at once.

    Bisection first, for the statistic is infinite at the edges; then the Illinois rule (Dowell and Jarratt 1971), which
    keeps the bracket and needs a quarter of the evaluations that bisection would.
    """
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        above = z_at(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    at_low, at_high = z_at(low) - target, z_at(high) - target
    at_low, at_high = np.clip(at_low, -1e6, 1e6), np.clip(at_high, -1e6, 1e6)
    kept_low, kept_high = np.zeros_like(low), np.zeros_like(low)
    for _ in range(ILLINOIS_STEPS):
        fall = at_low - at_high
        share = np.divide(at_low, fall, out=np.full_like(fall, 0.5), where=fall > 0)
        middle = low + np.clip(share, 0.0, 1.0) * (high - low)
        value = np.clip(z_at(middle) - target, -1e6, 1e6)
        above = value > 0
        at_high = np.where(above, np.where(kept_high > 0, at_high / 2, at_high), value)
        at_low = np.where(above, value, np.where(kept_low > 0, at_low / 2, at_low))
        low, high = np.where(above, middle, low), np.where(above, high, middle)
        kept_high, kept_low = np.where(above, kept_high + 1, 0), np.where(above, 0, kept_low + 1)
        if np.all((high - low < 1e-14) | (np.abs(value) < CLOSE)):
            break
    return middle


def difference_interval(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, z: float) -> Interval:
    """Miettinen-Nurminen score interval of the first rate minus the second.

    Args:
        x1, n1, x2, n2: successes and trials of both groups, arrays of shape (pairs,).
        z: two-sided quantile: 1.96 for one comparison at 95 %, `tukey_z` for all pairs.

    Returns:
        Bounds in [-1, 1]; NaN where a group has no trials.

    Source: Miettinen and Nurminen (1985). Coverage: METHODS section 2.
    """
    x1, n1, x2, n2 = _floats(x1, n1, x2, n2)
    exists = (n1 > 0) & (n2 > 0)
    low, high = np.full(x1.shape, np.nan), np.full(x1.shape, np.nan)
    if exists.any():
        a, b, c, d = x1[exists], n1[exists], x2[exists], n2[exists]
        estimate = a / b - c / d
        ones = np.ones_like(a)

        def statistic(gap: Floats) -> Floats:
            return score_z_difference(a, b, c, d, gap)

        low[exists] = np.minimum(_crossing(statistic, z, -ones, estimate), estimate)
        high[exists] = np.maximum(_crossing(statistic, -z, estimate, ones), estimate)
    return Interval(low, high)


def ratio_interval(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, z: float) -> Interval:
    """Miettinen-Nurminen score interval of the first rate over the second.

    Returns:
        Bounds in [0, inf]; NaN where a group has no trials or nobody succeeds in either. Where nobody succeeds in the
        second group the upper bound is infinite.
    """
    x1, n1, x2, n2 = _floats(x1, n1, x2, n2)
    exists = (n1 > 0) & (n2 > 0) & (x1 + x2 > 0)
    low, high = np.full(x1.shape, np.nan), np.full(x1.shape, np.nan)
    if exists.any():
        a, b, c, d = x1[exists], n1[exists], x2[exists], n2[exists]
        with np.errstate(divide="ignore"):
            estimate = np.log(a / b) - np.log(c / d)
        floor, ceiling = np.full_like(a, -40.0), np.full_like(a, 40.0)

        def statistic(log_ratio: Floats) -> Floats:
            return score_z_ratio(a, b, c, d, np.exp(log_ratio))

        lower = np.exp(_crossing(statistic, z, floor, np.clip(estimate, -40.0, 40.0)))
        upper = np.exp(_crossing(statistic, -z, np.clip(estimate, -40.0, 40.0), ceiling))
        low[exists] = np.where(a == 0, 0.0, np.minimum(lower, np.exp(np.clip(estimate, -40, 40))))
        high[exists] = np.where(c == 0, np.inf, np.maximum(upper, np.exp(np.clip(estimate, -40, 40))))
    return Interval(low, high)


def newcombe_interval(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, z: float) -> Interval:
    """Newcombe's hybrid score interval of a difference, in closed form.

    Source: Newcombe (1998), Statistics in Medicine 17, method 10.
    """
    x1, n1, x2, n2 = _floats(x1, n1, x2, n2)
    first, second = wilson(x1, n1, z=z), wilson(x2, n2, z=z)
    with np.errstate(divide="ignore", invalid="ignore"):
        p1, p2 = x1 / n1, x2 / n2
    difference = p1 - p2
    return Interval(
        difference - np.sqrt((p1 - first.low) ** 2 + (second.high - p2) ** 2),
        difference + np.sqrt((first.high - p1) ** 2 + (p2 - second.low) ** 2),
    )


def _floats(*arrays: ArrayLike) -> tuple[Floats, ...]:
    return tuple(
        np.atleast_1d(array) for array in np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in arrays))
    )
