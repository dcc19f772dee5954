"""The bootstrap on counts: a table drawn again is a multinomial draw of its cells, so its cost does not know the rows.

For what has no closed form. It decides nothing: the percentile interval of a largest gap never covers a true 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.metrics import Metric

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """What the replicates of some numbers say, all of shape (m,); NaN where no replicate defines the number.

    Attributes:
        estimate: of the counts themselves.
        standard_error: standard deviation over the replicates.
        low, high: percentile interval.
        undefined: share of replicates in which the number is 0/0; they are left out of the rest.
    """

    estimate: Floats
    standard_error: Floats
    low: Floats
    high: Floats
    undefined: Floats


@dataclass(frozen=True)
class Resampled:
    """One metric, resampled.

    Attributes:
        metric: its name.
        replicates: shape (k, replicates), the metric of every group in every replicate; NaN is 0/0.
        by_group: shape (k,).
        difference, ratio: shape (1,): largest minus smallest over the groups, and smallest over largest. A replicate in
            which a group is undefined is left out, as a comparison with it would be.
    """

    metric: str
    replicates: Floats
    by_group: Spread
    difference: Spread
    ratio: Spread


def draw_tables(cells: Floats, *, replicates: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Count tables of as many rows, drawn with replacement from the rows counted.

    Args:
        cells: shape (k, labels, 2), counts; sums that are no whole numbers are drawn with their total rounded.
        replicates: how many tables.

    Returns:
        Shape (k, labels, 2, replicates), the replicates side by side in memory.
    """
    total = float(cells.sum())
    if not total:
        return np.zeros((*cells.shape, replicates), dtype=np.int64)
    drawn = rng.multinomial(round(total), cells.ravel() / total, size=replicates)
    return np.ascontiguousarray(drawn.T).reshape(*cells.shape, replicates)


def bootstrap(
    counts: GroupCounts,
    metrics: Sequence[Metric],
    *,
    replicates: int = 1000,
    level: float = 0.95,
    rng: np.random.Generator,
) -> list[Resampled]:
    """Metrics by group, their largest difference and smallest ratio, over tables drawn again from the counts.

    The same distribution as drawing rows with replacement, at a cost of the cells. Weighted rows are drawn at the
    effective size of their groups (Kish 1965).

    Args:
        counts: groups of one attribute or intersection.
        metrics: of the catalogue.
        replicates: tables drawn; 1,000 hold a standard error to about 2 % of itself.
        level: of the percentile intervals, a fraction in (0, 1).

    Returns:
        One result a metric, in their order.

    Source: Efron (1979), Annals of Statistics 7.
    """
    drawn = draw_tables(counts.effective, replicates=replicates, rng=rng)
    # shape (k × replicates, labels, 2) as metrics take it, seen through the memory as it lies
    flat = np.moveaxis(drawn, -1, 1).reshape(-1, *counts.effective.shape[1:]).astype(np.float64, order="F")
    results = []
    for metric in metrics:
        estimate = metric.value(counts.cells)
        values = metric.value(flat).reshape(len(estimate), replicates)
        results.append(
            Resampled(
                metric=metric.name,
                replicates=values,
                by_group=_spread(estimate, values, level),
                difference=_spread(_gap(estimate[:, None]), _gap(values)[None], level),
                ratio=_spread(_quotient(estimate[:, None]), _quotient(values)[None], level),
            )
        )
    return results


def _gap(values: Floats) -> Floats:
    gap: Floats = values.max(axis=0) - values.min(axis=0)
    return gap


def _quotient(values: Floats) -> Floats:
    top = values.max(axis=0)
    quotient: Floats = np.divide(values.min(axis=0), top, out=np.full(top.shape, np.nan), where=top > 0)
    return quotient


def _spread(estimate: Floats, values: Floats, level: float) -> Spread:
    """Over the replicates of m numbers, shape (m, replicates)."""
    ordered = np.sort(values, axis=1)  # NaN last
    undefined = np.isnan(ordered) if np.isnan(ordered[:, -1]).any() else None
    defined = np.full(len(ordered), ordered.shape[1])
    if undefined is not None:
        defined -= undefined.sum(axis=1)
    some = np.maximum(defined, 1)
    # deviations from the middle value: one array instead of two, and no loss of digits
    deviation = ordered - _quantile(ordered, defined, 0.5)[:, None]
    if undefined is not None:
        deviation[undefined] = 0.0
    variance = np.einsum("ij,ij->i", deviation, deviation) / some - (deviation.sum(axis=1) / some) ** 2
    variance *= defined / np.maximum(defined - 1, 1)
    return Spread(
        estimate=estimate,
        standard_error=np.where(defined > 1, np.sqrt(np.maximum(variance, 0.0)), np.nan),
        low=_quantile(ordered, defined, (1 - level) / 2),
        high=_quantile(ordered, defined, (1 + level) / 2),
        undefined=1 - defined / ordered.shape[1],
    )


def _quantile(ordered: Floats, defined: NDArray[np.int64], share: float) -> Floats:
    """Of the first `defined` values of each sorted row, by linear interpolation as numpy's default has it."""
    at = share * np.maximum(defined - 1, 0)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(defined - 1, 0))
    row = np.arange(len(ordered))
    low, high = ordered[row, below], ordered[row, above]
    quantile: Floats = low + (at - below) * (high - low)
    return quantile
