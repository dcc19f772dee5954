"""ROC curves by group and the area between two of them (ABROCA), exact on the merged vertices, with its null.

Areas under the curves belong in `areas`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.scores.grouped import GroupedScores, Members
from evenhand.auditors.scores.noise import bridge

Floats = NDArray[np.float64]

NULL_BINS = 100
DRAWS = 400
LEVEL = 0.95


@dataclass(frozen=True)
class RocCurve:
    """A ROC curve by its distinct false positive rates, rising from 0 to 1; straight between them.

    Attributes:
        fpr: shape (v,).
        enter, leave: the lowest and the highest true positive rate at each, shape (v,); they differ where the curve
            climbs straight up.
    """

    fpr: Floats
    enter: Floats
    leave: Floats


def roc_curve(grouped: GroupedScores, group: int) -> RocCurve | None:
    """The curve of one group; None where it lacks positives or negatives."""
    assert grouped.label is not None
    assert grouped.positives is not None
    assert grouped.negatives is not None
    positive, negative = grouped.positives.total[group], grouped.negatives.total[group]
    if positive <= 0 or negative <= 0:
        return None
    inside = grouped.rows.of(group)
    step, label, weight = grouped.rows.step[inside], grouped.label[inside], grouped.rows.weight[inside]
    first = np.flatnonzero(np.concatenate([[True], step[1:] != step[:-1]]))
    both, above = np.add.reduceat(weight, first)[::-1], np.add.reduceat(weight * label, first)[::-1]
    tpr = np.concatenate([[0.0], np.cumsum(above)]) / positive
    fpr = np.concatenate([[0.0], np.cumsum(both - above)]) / negative
    tpr[-1] = fpr[-1] = 1.0
    at = np.flatnonzero(np.concatenate([[True], fpr[1:] != fpr[:-1]]))
    last = np.concatenate([at[1:], [len(fpr)]]) - 1
    return RocCurve(fpr[at], tpr[at], tpr[last])


def area_between(one: RocCurve, other: RocCurve) -> float:
    """Integral over the false positive rate of the distance of two curves, exact, crossings included.

    Source: Gardner, Brooks and Baker (2019), LAK, who interpolate on a grid.
    """
    places = np.concatenate([one.fpr, other.fpr])
    order = np.argsort(places, kind="stable")  # merges two sorted runs
    x = places[order]
    from_one = order < len(one.fpr)
    # an interval of no width takes no part, so that equal rates need no care
    of_one = np.cumsum(from_one)[:-1] - 1
    of_other = np.cumsum(~from_one)[:-1] - 1
    wide = np.flatnonzero((np.diff(x) > 0) & (of_one >= 0) & (of_other >= 0))
    left, right = x[wide], x[wide + 1]
    start_one, end_one = _along(one, of_one[wide], left, right)
    start_other, end_other = _along(other, of_other[wide], left, right)
    start, end = start_one - start_other, end_one - end_other
    sides = np.abs(start) + np.abs(end)
    crossing = start * end < 0
    height = np.where(crossing, (start**2 + end**2) / np.where(sides > 0, sides, 1.0), sides) / 2
    return float(np.sum((right - left) * height))


def _along(curve: RocCurve, at: NDArray[np.intp], left: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Heights of the piece that starts at vertex `at`, at both ends of an interval inside it."""
    begin, end = curve.fpr[at], curve.fpr[np.minimum(at + 1, len(curve.fpr) - 1)]
    low = curve.leave[at]
    slope = (curve.enter[np.minimum(at + 1, len(curve.fpr) - 1)] - low) / (end - begin)
    return low + slope * (left - begin), low + slope * (right - begin)


@dataclass(frozen=True)
class BetweenCurves:
    """One pair's area, what chance alone would make of it, and how far noise can carry it.

    Attributes:
        area: observed.
        expected: mean under equal curves, these many positives and negatives given.
        p_value: share of draws under equal curves that reach the area.
        margin: the level's quantile of those draws; the true area lies within it of the observed one, for distance is
            a norm.
    """

    area: float
    expected: float
    p_value: float
    margin: float


class NullAreas:
    """Draws of the area between two curves that are the same, for any pair of groups of one attribute.

    A permutation of the groups within each label, in its Gaussian limit: both rates move as Brownian bridges along the
    pooled distributions, and the area is, to first order, the sum over bins of |dTPR dFPR' - dFPR dTPR'|. All pairs share
    the draws.
    """

    def __init__(self, grouped: GroupedScores, rng: np.random.Generator) -> None:
        assert grouped.positives is not None
        assert grouped.negatives is not None
        count = np.bincount(grouped.rows.step, grouped.rows.times, len(grouped.values))
        middle = np.cumsum(count) - count / 2
        bin_of_step = (middle * NULL_BINS / max(float(count.sum()), 1)).astype(np.int64)
        self._positives = _by_bin(grouped.positives, bin_of_step)
        self._negatives = _by_bin(grouped.negatives, bin_of_step)
        self._sizes = grouped.positives.effective, grouped.negatives.effective
        self._draws = rng.standard_normal((2, DRAWS, NULL_BINS))

    def judge(self, area: float, one: int, other: int) -> BetweenCurves:
        up, along = (_share(table[one] + table[other]) for table in (self._positives, self._negatives))
        wide = [float(np.sqrt(1 / size[one] + 1 / size[other])) for size in self._sizes]
        rise = wide[0] * bridge(self._draws[0], up) * along
        run = wide[1] * bridge(self._draws[1], along) * up
        draws = np.abs(rise - run).sum(axis=1)
        reached = int((draws >= area).sum())
        return BetweenCurves(area, float(draws.mean()), (1 + reached) / (1 + DRAWS), float(np.quantile(draws, LEVEL)))


def _by_bin(members: Members, bin_of_step: NDArray[np.int64]) -> Floats:
    k = len(members.start) - 1
    group = np.repeat(np.arange(k), members.entries)
    cell = group * NULL_BINS + bin_of_step[members.step]
    return np.bincount(cell, members.weight, k * NULL_BINS).astype(np.float64).reshape(k, NULL_BINS)


def _share(counts: Floats) -> Floats:
    share: Floats = counts / counts.sum()
    return share
