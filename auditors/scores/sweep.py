"""What every threshold would do to every group, how scores are spread, and the scoring rate of NYC Local Law 144."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.scores.grouped import GroupedScores, Members

Floats = NDArray[np.float64]

MOST_THRESHOLDS = 100
HISTOGRAM_BINS = 20


@dataclass(frozen=True)
class Sweep:
    """Rates at each threshold, positive where score >= threshold; arrays of shape (k, thresholds), NaN where undefined.

    Attributes:
        thresholds: rising, shape (t,).
        selection_rate, true_positive_rate, false_positive_rate: the latter two None without labels.
        impact_ratio: favourable rate over the highest of the `references`.
    """

    thresholds: Floats
    selection_rate: Floats
    true_positive_rate: Floats | None
    false_positive_rate: Floats | None
    impact_ratio: Floats


def thresholds_of(everyone: GroupedScores, *, used: float | None = None) -> Floats:
    """Up to 100 thresholds: every distinct score where there are few, else quantiles, with the one in use among them."""
    # of scores in bins the lowest of each, so that what reaches it is known exactly
    values = everyone.values if everyone.reach is None else everyone.values - everyone.reach
    if len(values) > MOST_THRESHOLDS:
        most = MOST_THRESHOLDS - (used is not None)
        mass = np.cumsum(np.bincount(everyone.rows.step, everyone.rows.weight, len(values)))
        at = np.searchsorted(mass, (np.arange(most) + 0.5) / most * mass[-1])
        values = values[np.unique(np.minimum(at, len(values) - 1))]
        if used is not None:
            values = np.union1d(values, [used])
    thresholds: Floats = np.asarray(values, dtype=np.float64)
    return thresholds


def sweep(grouped: GroupedScores, thresholds: Floats, *, favourable_is_positive: bool) -> Sweep:
    """Rates of every group at every threshold."""
    at = np.searchsorted(grouped.values, thresholds)
    selection = _reaching(grouped.rows, at)
    favourable = selection if favourable_is_positive else 1 - selection
    highest = favourable[references(grouped)].max(axis=0, initial=0.0)
    ratio = np.divide(favourable, highest, out=np.full_like(favourable, np.nan), where=highest > 0)
    return Sweep(
        thresholds,
        selection,
        None if grouped.positives is None else _reaching(grouped.positives, at),
        None if grouped.negatives is None else _reaching(grouped.negatives, at),
        ratio,
    )


def references(grouped: GroupedScores) -> NDArray[np.bool_]:
    """Groups whose rate may be the highest that others are held against: known, with rows enough, where any are."""
    large = ~grouped.unknown & (grouped.rows.rows >= SMALL_GROUP_ROWS)
    return large if large.any() else ~grouped.unknown


def _reaching(members: Members, at: NDArray[np.intp]) -> Floats:
    """Share of each group's weight whose step is at least `at`; NaN without rows."""
    k = len(members.start) - 1
    rates = np.full((k, len(at)), np.nan)
    running = np.concatenate([[0.0], np.cumsum(members.weight)])
    for group in range(k):
        if members.total[group] > 0:
            inside = members.of(group)
            below = inside.start + np.searchsorted(members.step[inside], at)
            rates[group] = (running[inside.stop] - running[below]) / members.total[group]
    np.clip(rates, 0.0, 1.0, out=rates)
    return rates


def edges_of(values: Floats, *, are_probabilities: bool) -> Floats:
    """Edges of the histogram's bins: around every value where there are few, else 20 of equal width."""
    if len(values) <= HISTOGRAM_BINS:
        middle = (values[1:] + values[:-1]) / 2
        reach = (values[1] - values[0]) / 2 if len(values) > 1 else 0.5
        last = (values[-1] - values[-2]) / 2 if len(values) > 1 else 0.5
        around: Floats = np.concatenate([[values[0] - reach], middle, [values[-1] + last]])
        return around
    low, high = (0.0, 1.0) if are_probabilities else (float(values[0]), float(values[-1]))
    return np.linspace(low, high, HISTOGRAM_BINS + 1)


def spread(grouped: GroupedScores, edges: Floats) -> Floats:
    """Share of each group in each bin, shape (k, bins); NaN without rows."""
    k, bins = len(grouped.groups), len(edges) - 1
    bin_of_step = np.clip(np.searchsorted(edges, grouped.values, side="right") - 1, 0, bins - 1)
    group = np.repeat(np.arange(k), grouped.rows.entries)
    table = np.bincount(group * bins + bin_of_step[grouped.rows.step], grouped.rows.weight, k * bins).reshape(k, bins)
    total = grouped.rows.total[:, None]
    shares: Floats = np.divide(table, total, out=np.full_like(table, np.nan), where=total > 0)
    return shares


def median_of(everyone: GroupedScores) -> float:
    """Median score of all rows, by weight; halfway between the middle two."""
    mass = np.cumsum(np.bincount(everyone.rows.step, everyone.rows.weight, len(everyone.values)))
    half = mass[-1] / 2
    low, high = np.searchsorted(mass, half * (1 - 1e-12)), np.searchsorted(mass, half * (1 + 1e-12), side="right")
    last = len(everyone.values) - 1
    return float(everyone.values[min(low, last)] + everyone.values[min(high, last)]) / 2


@dataclass(frozen=True)
class BeyondMedian:
    """Rows strictly on the favourable side of the median; arrays of shape (k,).

    Attributes:
        beyond, rows: effective ones.
        doubt: share of the group that lies in the median's own bin, and may be beyond it too; 0 where scores are exact.
    """

    beyond: Floats
    rows: Floats
    doubt: Floats


def beyond_median(grouped: GroupedScores, median: float, *, favourable_is_positive: bool) -> BeyondMedian:
    """Who of each group scores on the favourable side of the median.

    Source: NYC Local Law 144, 6 RCNY 5-300: the share that receives a score above the sample's median.
    """
    scores = grouped.scores
    beyond = scores > median if favourable_is_positive else scores < median
    rows = grouped.rows
    share = np.divide(
        rows.summed(rows.weight * beyond), rows.total, out=np.zeros_like(rows.total), where=rows.total > 0
    )
    effective = rows.effective if rows.unit is None else _effective_units(rows, beyond, share)
    doubt = np.zeros_like(share)
    if grouped.reach is not None:
        near = (np.abs(scores - median) <= grouped.reach[rows.step]) & (grouped.reach[rows.step] > 0)
        doubt = rows.summed(rows.weight * near) / np.where(rows.total > 0, rows.total, 1.0)
    return BeyondMedian(share * effective, effective, doubt)


def _effective_units(rows: Members, beyond: NDArray[np.bool_], share: Floats) -> Floats:
    """Rows that a simple random sample would need for the share's variance, rows of one unit moving together; at most Kish's."""
    away: Floats = beyond - np.repeat(share, rows.entries)
    total = np.where(rows.total > 0, rows.total, 1.0)
    correction = rows.independent / np.maximum(rows.independent - 1, 1)
    variance = rows.products(away, away) * correction / total**2
    of_units: Floats = np.minimum(rows.effective, rows.independent)  # where all rows agree
    np.divide(share * (1 - share), variance, out=of_units, where=variance > 0)
    return np.minimum(rows.effective, of_units, out=of_units)
