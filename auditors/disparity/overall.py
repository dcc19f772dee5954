"""Each group against all rows, itself among them, on a rate: what fairlearn calls `to_overall`, with intervals.

A group and all rows share rows, so that their rates are not independent. But the rate of all rows is w p + (1 - w) q, with p
the group's rate, q that of the other rows and w the group's share of what the rate counts; so p less it is (1 - w) (p - q), and
p over it is R / (w R + 1 - w) with R = p / q. Both rise with the comparison of two independent parts, whose interval is known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.intervals import Interval, difference_interval, ratio_interval
from evenhand.auditors.metrics import Metric
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ToOverall:
    """Each group's gap to all rows: estimate of shape (k,), and bounds; NaN where undefined."""

    estimate: Floats
    bounds: Interval


def against_overall(counts: GroupCounts, *, metric: Metric, comparison: Comparison, z: float) -> ToOverall:
    """Each group less, or over, all rows.

    Args:
        counts: of all groups, those with a missing value too: together they are all rows.
        metric: a rate.
        z: two-sided quantile of one comparison, 1.96 for 95 %; several take their own care of it.

    Returns:
        Differences in [-1, 1] or ratios in [0, 1 / w], in the order of the groups. Weighted rows enter with the effective
        sizes of their groups (Kish 1965).
    """
    x, n = metric.fraction(counts.cells)
    _, effective = metric.fraction(counts.effective)
    rest_x, rest_n = x.sum() - x, n.sum() - n
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, rest, overall = x / n, rest_x / rest_n, x.sum() / n.sum()
        share = n / n.sum()
        # rows behind a union of groups: (sum w)^2 / sum w^2, with sum w^2 = n^2 / effective in each group
        squares = np.nan_to_num(n**2 / effective)
        rest_effective = np.nan_to_num(rest_n**2 / (squares.sum() - squares))
        sides = (rate * effective, effective, np.nan_to_num(rest) * rest_effective, rest_effective)
        alone = rest_n <= 0
        if comparison is Comparison.DIFFERENCE:
            found = difference_interval(*(np.nan_to_num(side) for side in sides), z=z)
            bounds = Interval((1 - share) * found.low, (1 - share) * found.high)
            estimate, itself = rate - overall, 0.0
        else:
            found = ratio_interval(*(np.nan_to_num(side) for side in sides), z=z)
            bounds = Interval(_over_all(found.low, share), _over_all(found.high, share))
            estimate, itself = rate / overall, 1.0
    known = np.isfinite(estimate)
    low, high = (np.where(alone, itself, bound) for bound in (bounds.low, bounds.high))
    return ToOverall(
        np.where(known, estimate, np.nan), Interval(np.where(known, low, np.nan), np.where(known, high, np.nan))
    )


def _over_all(ratio: Floats, share: Floats) -> Floats:
    """R / (w R + 1 - w); 1 / w where R is infinite."""
    return np.where(np.isinf(ratio), 1 / share, ratio / (share * ratio + 1 - share))
