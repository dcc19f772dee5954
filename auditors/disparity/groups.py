"""Every group's metrics with intervals, and what the largest gap would be if all groups were equal."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.clusters import Design
from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Z_SINGLE
from evenhand.auditors.intervals import normal_quantile, wilson
from evenhand.auditors.metrics import Metric
from evenhand.auditors.report import Counts, Estimate, GroupResult
from evenhand.auditors.verdict import Comparison

LEVEL = 0.95
"""Of the intervals of single groups; comparisons hold their error for the whole audit."""

DRAWS = 2_000


def group_results(
    counts: GroupCounts,
    metrics: Sequence[Metric],
    *,
    small_rows: int,
    has_labels: bool,
    design: Design | None = None,
) -> list[GroupResult]:
    """One result a group, in the order of the counts; `design` where rows repeat persons."""
    evidence = Evidence(counts, design)
    by_metric = {metric.name: _estimates(evidence, metric) for metric in metrics}
    return [
        GroupResult(
            group=group,
            n=int(counts.rows[index]),
            small=bool(evidence.independent[index] < small_rows),
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


def _estimates(evidence: Evidence, metric: Metric) -> list[Estimate]:
    value = metric.value(evidence.counts.cells)
    z = normal_quantile((1 + LEVEL) / 2)
    if metric.is_rate:
        bounds = wilson(*evidence.trials(metric, z=z), z=z)
        low, high = bounds.low, bounds.high
    else:
        spread = evidence.error(metric, z=z)
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
    counts: GroupCounts,
    metrics: Sequence[Metric],
    comparison: Comparison,
    *,
    rng: np.random.Generator,
    average: bool = False,
    design: Design | None = None,
    compared: NDArray[np.bool_] | None = None,
) -> float | None:
    """Mean of the raw largest gap if every group had the common rates: the gap that means nothing.

    Args:
        counts: of k groups.
        compared: shape (k,), those that take part; absent, all.
        metrics: whose greatest gap is taken, or with `average` the mean of their gaps.

    Returns:
        A difference or a ratio; None where a metric is no rate or fewer than two groups have it defined.
    """
    taking_part = np.ones(len(counts.rows), dtype=bool) if compared is None else compared
    each = [_gaps_among_equals(Evidence(counts, design), metric, comparison, rng, taking_part) for metric in metrics]
    found = [gaps for gaps in each if gaps is not None]
    if len(found) < len(each):
        return None
    stacked = np.array(found)
    if average:
        gaps = stacked.mean(axis=0)
    else:
        gaps = stacked.max(axis=0) if comparison is Comparison.DIFFERENCE else stacked.min(axis=0)
    return float(np.nanmean(gaps)) if np.isfinite(gaps).any() else None


def _gaps_among_equals(
    evidence: Evidence, metric: Metric, comparison: Comparison, rng: np.random.Generator, compared: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Largest gap of each draw, shape (DRAWS,)."""
    if not metric.is_rate:
        return None
    x, n = evidence.trials(metric, z=Z_SINGLE)
    taking_part = compared & (n >= 1)
    x, n = x[taking_part], n[taking_part]
    if len(n) < 2:
        return None
    sizes = np.rint(n).astype(np.int64)
    rates = rng.binomial(sizes, min(x.sum() / n.sum(), 1.0), size=(DRAWS, len(n))) / sizes
    if comparison is Comparison.DIFFERENCE:
        gaps: NDArray[np.float64] = rates.max(axis=1) - rates.min(axis=1)
        return gaps
    top = rates.max(axis=1)
    ratios: NDArray[np.float64] = np.divide(rates.min(axis=1), top, out=np.full(DRAWS, np.nan), where=top > 0)
    return ratios
