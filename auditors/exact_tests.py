"""Exact tests of one 2 × 2 table, for cells too small for the score test: Fisher, mid-p, Boschloo.

All two-sided, of equality of two rates. When they are shown beside a pair belongs in `disparity`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SMALL_EXPECTATION = 5.0
SMALL_SIDE = 30
MOST_FOR_BOSCHLOO = 500
"""Boschloo's test enumerates all pairs of results; beyond this many rows a side it is left out for time."""

BOSCHLOO_POINTS = 64


@dataclass(frozen=True)
class Exact:
    """p-values; Boschloo's None where a side has more rows than are enumerated."""

    fisher: float
    mid_p: float
    boschloo: float | None


def is_small(x1: int, n1: int, x2: int, n2: int) -> bool:
    """Whether a cell's expectation is under 5, or a side has under 30 rows."""
    total, successes = n1 + n2, x1 + x2
    least = min(n1, n2) * min(successes, total - successes) / total if total else 0.0
    return least < SMALL_EXPECTATION or min(n1, n2) < SMALL_SIDE


def exact(x1: int, n1: int, x2: int, n2: int, *, boschloo: bool = True) -> Exact:
    """Three tests that x1 of n1 and x2 of n2 have one rate; integers, n1 and n2 above 0.

    Fisher's p sums the tables no likelier than the one seen and never exceeds its level; mid-p counts only half of those
    equally likely (Lancaster 1961). Boschloo's never exceeds its level either and is the more powerful of the two.
    """
    likelihood = _hypergeometric(x1 + x2, n1, n2)
    seen = likelihood[x1 - max(0, x1 + x2 - n2)]
    equal = np.isclose(likelihood, seen, rtol=1e-7, atol=0)
    rarer = float(likelihood[(likelihood < seen) & ~equal].sum())
    ties = float(likelihood[equal].sum())
    enumerated = boschloo and max(n1, n2) <= MOST_FOR_BOSCHLOO
    return Exact(min(rarer + ties, 1.0), min(rarer + ties / 2, 1.0), _boschloo(x1, n1, x2, n2) if enumerated else None)


def _hypergeometric(successes: int, n1: int, n2: int) -> Floats:
    """Probability of each possible first cell, given all margins."""
    first = np.arange(max(0, successes - n2), min(n1, successes) + 1)
    share: Floats = np.exp(
        _log_choose(n1, first) + _log_choose(n2, successes - first) - _log_choose(n1 + n2, np.array(successes))
    )
    return share


def _log_choose(n: int, k: Integers) -> Floats:
    return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), dtype=np.float64)


def _boschloo(x1: int, n1: int, x2: int, n2: int) -> float:
    """Twice the smaller one-sided p: Fisher's one-sided p as the statistic, the worst common rate for the probability.

    Source: Boschloo (1970), Statistica Neerlandica 24. scipy's `boschloo_exact` takes the groups as columns.
    """
    return min(1.0, 2 * min(_one_sided(x1, n1, x2, n2), _one_sided(x2, n2, x1, n1)))


def _one_sided(x1: int, n1: int, x2: int, n2: int) -> float:
    """Worst probability, over the common rate, of a table with Fisher's lower tail no larger than the one seen."""
    tail = np.empty((n1 + 1, n2 + 1))
    for successes in range(n1 + n2 + 1):
        first = np.arange(max(0, successes - n2), min(n1, successes) + 1)
        tail[first, successes - first] = np.cumsum(_hypergeometric(successes, n1, n2))
    region = tail <= tail[x1, x2] * (1 + 1e-12)
    log1, log2 = _log_choose(n1, np.arange(n1 + 1)), _log_choose(n2, np.arange(n2 + 1))

    def probability(rate: float) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            one = np.exp(log1 + _power(np.arange(n1 + 1), rate) + _power(n1 - np.arange(n1 + 1), 1 - rate))
            two = np.exp(log2 + _power(np.arange(n2 + 1), rate) + _power(n2 - np.arange(n2 + 1), 1 - rate))
        return float(one @ region @ two)

    rates = (1 - np.cos(np.linspace(0, np.pi, BOSCHLOO_POINTS))) / 2
    values = [probability(float(rate)) for rate in rates]
    at = int(np.argmax(values))
    low, high = float(rates[max(at - 1, 0)]), float(rates[min(at + 1, len(rates) - 1)])
    best = values[at]
    for _ in range(40):  # golden section: the probability is smooth in the rate
        left, right = high - 0.6180339887 * (high - low), low + 0.6180339887 * (high - low)
        one, two = probability(left), probability(right)
        best = max(best, one, two)
        low, high = (low, right) if one > two else (left, high)
    return best


def _power(count: Integers, rate: float) -> Floats:
    """count * log(rate), 0 where both are 0."""
    return np.where(count == 0, 0.0, count * np.log(rate)) if rate > 0 else np.where(count == 0, 0.0, -np.inf)
