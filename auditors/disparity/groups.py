"""Every group's metrics with intervals, and what the largest gap would be if all groups were equal."""

from collections.abc import Sequence

import numpy as np

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.pairs import standard_error
from evenhand.auditors.intervals import normal_quantile, wilson
from evenhand.auditors.metrics import Metric
from evenhand.auditors.report import Counts, Estimate, GroupResult
from evenhand.auditors.verdict import Comparison

LEVEL = 0.95
"""Of the intervals of single groups; comparisons hold their error for the whole audit."""

DRAWS = 2_000


def group_results(
    counts: GroupCounts, metrics: Sequence[Metric], *, small_rows: int, has_labels: bool
) -> list[GroupResult]:
    """One result a group, in the order of the counts."""
    by_metric = {metric.name: _estimates(counts, metric) for metric in metrics}
    return [
        GroupResult(
            group=group,
            n=int(counts.rows[index]),
            small=bool(counts.rows[index] < small_rows),
            unknown=bool(counts.unknown[index]),
            counts=_counts(counts, index, has_labels=has_labels),
            metrics={name: estimates[index] for name, estimates in by_metric.items()},
        )
        for index, group in enumerate(counts.groups)
    ]


def _counts(counts: GroupCounts, index: int, *, has_labels: bool) -> Counts:
    cells = counts.cells[index]
    selected = float(cells[:, 1].sum())
    if not has_labels:
        return Counts(tp=None, fp=None, fn=None, tn=None, selected=selected)
    (tn, fp), (fn, tp) = cells.tolist()
    return Counts(tp=tp, fp=fp, fn=fn, tn=tn, selected=selected)


def _estimates(counts: GroupCounts, metric: Metric) -> list[Estimate]:
    value = metric.value(counts.cells)
    z = normal_quantile((1 + LEVEL) / 2)
    if metric.is_rate:
        bounds = wilson(*metric.fraction(counts.effective), z=z)
        low, high = bounds.low, bounds.high
    else:
        spread = standard_error(counts.effective, metric)
        low, high = np.maximum(value - z * spread, metric.low), np.minimum(value + z * spread, metric.high)
    return [
        Estimate(estimate=None, reason=metric.undefined_when)
        if np.isnan(v)
        else Estimate(estimate=float(v), low=_finite(a), high=_finite(b))
        for v, a, b in zip(value, low, high, strict=True)
    ]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def expected_largest_gap(
    counts: GroupCounts, metric: Metric, comparison: Comparison, *, rng: np.random.Generator
) -> float | None:
    """Mean of the raw largest gap if every group had the common rate: the gap that means nothing.

    Args:
        counts: of the groups compared.

    Returns:
        A difference or a ratio; None where the metric is no rate or fewer than two groups have it defined.
    """
    if not metric.is_rate:
        return None
    x, n = metric.fraction(counts.effective)
    x, n = x[n >= 1], n[n >= 1]
    if len(n) < 2:
        return None
    sizes = np.rint(n).astype(np.int64)
    rates = rng.binomial(sizes, x.sum() / n.sum(), size=(DRAWS, len(n))) / sizes
    if comparison is Comparison.DIFFERENCE:
        return float(np.mean(rates.max(axis=1) - rates.min(axis=1)))
    top = rates.max(axis=1)
    ratios = np.divide(rates.min(axis=1), top, out=np.full(DRAWS, np.nan), where=top > 0)
    return float(np.nanmean(ratios)) if np.isfinite(ratios).any() else None
