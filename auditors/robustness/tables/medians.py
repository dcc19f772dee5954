"""The median cost of a change: its interval, and the difference between two groups with its interval and test.

A row without a change within the budget counts as dearer than any; a median beyond the budget is undefined.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.report import Estimate
from evenhand.auditors.robustness.clusters import generator, p_value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS = 1000
PERMUTATIONS = 2000


@dataclass(frozen=True)
class CostGap:
    """Median cost of the first group less that of the second; `estimate` None: undefined, and `reason` says why."""

    estimate: float | None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    reason: str | None = None


def lower_median(cost: Floats, weight: Floats | None = None) -> float:
    """The smallest cost that at least half of the weight does not exceed; infinite where half have no change."""
    weights = np.ones((1, len(cost))) if weight is None else weight[None, :]
    return float(_medians(cost, weights)[0])


def median_estimate(cost: Floats, unit: Ints, *, level: float, seed: int) -> Estimate:
    """The lower median with a percentile interval over units; an end beyond the budget is None."""
    if len(cost) == 0:
        return Estimate(estimate=None, reason="no rows with this decision")
    median = lower_median(cost)
    if not np.isfinite(median):
        return Estimate(estimate=None, reason="for half of the rows or more no change was found within the budget")
    draws = _medians(cost, _drawn(unit, generator(seed, "median cost")))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    return Estimate(estimate=median, low=_finite(low), high=_finite(high))


def cost_gap(
    first: Floats, second: Floats, first_unit: Ints, second_unit: Ints, *, budget: float, level: float, seed: int
) -> CostGap:
    """Difference of lower medians, percentile interval over units, and permutation test of equal distributions.

    In draws a median beyond the budget counts as the budget, so that a difference stays a number. A unit's rows of one group
    are permuted together.
    """
    if not len(first) or not len(second):
        return CostGap(None, reason="a group has no rows with this decision")
    medians = lower_median(first), lower_median(second)
    if not np.isfinite(medians).all():
        return CostGap(None, reason="for half of a group or more no change was found within the budget")
    estimate = medians[0] - medians[1]
    rng = generator(seed, "cost gap")
    draws = [
        np.minimum(_medians(cost, _drawn(unit, rng)), budget)
        for cost, unit in ((first, first_unit), (second, second_unit))
    ]
    low, high = np.quantile(draws[0] - draws[1], [(1 - level) / 2, (1 + level) / 2])
    permuted = _permuted(first, second, first_unit, second_unit, rng, budget)
    return CostGap(estimate, float(low), float(high), p_value(estimate, permuted, exact=False))


def _medians(cost: Floats, weights: Floats) -> Floats:
    """Lower median under each row of weights, shape (draws,); weights (draws, n)."""
    order = np.argsort(cost, kind="stable")
    upto = np.cumsum(weights[:, order], axis=1)
    place = (upto >= upto[:, -1:] / 2 - 1e-9).argmax(axis=1)
    return np.asarray(cost[order][place])


def _drawn(unit: Ints, rng: np.random.Generator) -> Floats:
    """Weights of rows when units are drawn with replacement, shape (DRAWS, n)."""
    codes, compact = np.unique(unit, return_inverse=True)
    times = rng.multinomial(len(codes), np.full(len(codes), 1 / len(codes)), size=DRAWS)
    return times[:, compact.reshape(-1)].astype(np.float64)


def _permuted(
    first: Floats, second: Floats, first_unit: Ints, second_unit: Ints, rng: np.random.Generator, budget: float
) -> Floats:
    """Differences when units are dealt anew to the groups, shape (PERMUTATIONS,)."""
    cost = np.concatenate([first, second])
    in_first = np.repeat([True, False], [len(first), len(second)])
    cells = np.stack([np.concatenate([first_unit, second_unit]), in_first], axis=1)
    kinds, cell = np.unique(cells, axis=0, return_inverse=True)
    labels = np.tile(kinds[:, 1].astype(bool), (PERMUTATIONS, 1))
    dealt = rng.permuted(labels, axis=1)[:, cell.reshape(-1)]
    one, other = _medians(cost, dealt.astype(np.float64)), _medians(cost, (~dealt).astype(np.float64))
    return np.asarray(np.minimum(one, budget) - np.minimum(other, budget))


def _finite(end: float) -> float | None:
    return float(end) if np.isfinite(end) else None
