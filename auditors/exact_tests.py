"""Exact tests of one 2 × 2 table, for cells too small for the score test: Fisher, mid-p, Boschloo.

All two-sided, of equality of two rates. When they are shown beside a pair belongs in `disparity`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, xlog1py, xlogy

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SMALL_EXPECTATION = 5.0
SMALL_SIDE = 30
MOST_FOR_BOSCHLOO = 500
"""Boschloo's test enumerates all pairs of results; beyond this many rows a side it is left out for time."""

BOSCHLOO_POINTS = 33
BOSCHLOO_ROUNDS = 4


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
    tail = _lower_tails(n1, n2)
    region = (tail <= tail[x1, x2] * (1 + 1e-9)).astype(np.float64)

    def probability(rates: Floats) -> Floats:
        return np.asarray(((_binomial(n1, rates) @ region) * _binomial(n2, rates)).sum(axis=1), dtype=np.float64)

    rates: Floats = (1 - np.cos(np.linspace(0, np.pi, 2 * BOSCHLOO_POINTS - 1))) / 2
    best = 0.0
    for _ in range(BOSCHLOO_ROUNDS):  # a finer grid around the best of the last
        values = probability(rates)
        at = int(np.argmax(values))
        best = max(best, float(values[at]))
        rates = np.linspace(rates[max(at - 1, 0)], rates[min(at + 1, len(rates) - 1)], BOSCHLOO_POINTS)
    return best


def _lower_tails(n1: int, n2: int) -> Floats:
    """Fisher's one-sided p of every table: the sum, along equal successes, of first cells no larger; shape (n1+1, n2+1)."""
    first, second = np.arange(n1 + 1), np.arange(n2 + 1)
    together = first[:, None] + second
    likelihood = np.exp(
        _log_choose(n1, first)[:, None]
        + _log_choose(n2, second)
        - _log_choose(n1 + n2, np.arange(n1 + n2 + 1))[together]
    )
    along = np.zeros((n1 + 1, n1 + n2 + 1))
    along[first[:, None], together] = likelihood
    tails: Floats = np.cumsum(along, axis=0)[first[:, None], together]
    return tails


def _binomial(n: int, rates: Floats) -> Floats:
    """Probability of 0 to n successes at each rate, shape (rates, n + 1)."""
    k = np.arange(n + 1)
    return np.asarray(np.exp(_log_choose(n, k) + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None])))
