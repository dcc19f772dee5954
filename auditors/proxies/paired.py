"""What a change of decisions does to accuracy and to a gap, on the same rows before and after.

Which decisions are changed, and how, belongs to `what_if`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Change:
    """A number before and after, and an interval of the difference.

    `low` and `high` hold at the two-sided level asked for; `worst`, where there is one, bounds the change from below
    with the same error on one side.
    """

    before: float
    after: float
    estimate: float
    low: float
    high: float
    worst: float | None = None


@dataclass(frozen=True)
class Cells:
    """Rows by cell, a group or a group within a label, and which cells are compared.

    `codes`, shape (n,): cell of the row, -1 for a row that is left out. `higher`, `lower`: the compared cells, every
    pair in both orders.
    """

    codes: NDArray[np.int32]
    count: int
    higher: NDArray[np.int64]
    lower: NDArray[np.int64]

    @property
    def comparable(self) -> bool:
        return len(self.higher) > 0


def cells_of(
    groups: NDArray[np.int32], n_groups: int, label: NDArray[np.int8] | None = None, *, smallest: int
) -> Cells:
    """Cells of the groups, or of the groups within each label; those under `smallest` rows are not compared.

    Args:
        groups: shape (n,), in [0, n_groups), or -1.
        label: shape (n,), 0 or 1; given, groups are compared within each label (equalized odds).
    """
    codes = groups if label is None else np.where(groups >= 0, label * np.int32(n_groups) + groups, -1)
    count = n_groups * (1 if label is None else 2)
    sizes = np.bincount(codes[codes >= 0], minlength=count)
    kept = np.flatnonzero(sizes >= smallest)
    one, other = np.meshgrid(kept, kept, indexing="ij")
    compared = (one != other) & (one // n_groups == other // n_groups)
    return Cells(codes.astype(np.int32), count, one[compared], other[compared])


def accuracy_change(
    before: Floats, after: Floats, label: NDArray[np.int8], *, units: NDArray[np.int64] | None, level: float
) -> Change:
    """Change of the share of right decisions.

    Args:
        before, after: decisions of the same rows, 0 to 1 (a mean of several draws), shape (n,).
        label: what would have been right, 0 or 1.
        units: whose row it is; rows of one unit are not independent. None: each row its own.
        level: of the interval, two-sided; `worst` has the same error on one side.

    Source: Bonett and Price (2012), Journal of Educational and Behavioral Statistics 37(4): two rows are added, one
    for each direction, so that no change seen is not taken for no change possible.
    """
    right_before, right_after = (1 - np.abs(decided - label) for decided in (before, after))
    whole = Cells(np.zeros(len(label), np.int32), 1, np.zeros(0, np.int64), np.zeros(0, np.int64))
    _, _, covariance = _means(right_before, right_after, whole, units)
    error = float(np.sqrt(_combined(covariance, np.array([[1.0, -1.0]]))[0]))
    estimate = float(right_after.mean() - right_before.mean())
    margin = normal_quantile((1 + level) / 2) * error
    return Change(
        float(right_before.mean()),
        float(right_after.mean()),
        estimate,
        estimate - margin,
        estimate + margin,
        estimate - normal_quantile(level) * error,
    )


def gap_change(
    before: Floats,
    after: Floats,
    cells: Cells,
    *,
    chosen_on: NDArray[np.bool_] | None,
    units: NDArray[np.int64] | None,
    level: float,
) -> Change | None:
    """Change of the largest gap between compared cells; None where no two cells can be compared.

    Args:
        before, after: decisions of the same rows, 0 to 1, shape (n,).
        cells: who is compared with whom.
        chosen_on: rows on which the widest pairs are chosen, and which are left out of the estimate; None chooses on
            all rows, which is right where there is but one pair.
        units: as in `accuracy_change`.
        level: of the interval, two-sided.

    The gap afterwards may be another pair's. So the upper bound is that of the worst pair afterwards against the pair
    that was widest before, which needs no division of the error (an intersection-union test, Berger 1982); and the
    lower bound turns this around. A gap that is turned around is a gap.
    """
    if not cells.comparable:
        return None
    every = np.ones(len(before), bool)
    estimated_on, chosen = (every, every) if chosen_on is None else (~chosen_on, chosen_on)
    b, a, covariance = _means_at(estimated_on, before, after, cells, units)
    first_b, first_a, _ = _means_at(chosen, before, after, cells, None)
    gaps_before, gaps_after = (means[cells.higher] - means[cells.lower] for means in (b, a))
    if not np.isfinite([*gaps_before, *gaps_after]).all():
        return None
    widest_before, widest_after = (
        int(np.argmax(np.nan_to_num(means[cells.higher] - means[cells.lower], nan=-2.0)))
        for means in (first_b, first_a)
    )
    weights = np.zeros((len(cells.higher), 2 * cells.count))
    pairs = np.arange(len(cells.higher))
    weights[pairs, cells.higher], weights[pairs, cells.lower] = 1, -1
    after_less_before = weights - np.roll(weights[widest_before], cells.count)
    after_widest_less = weights[widest_after] - np.roll(weights, cells.count, axis=1)
    z = normal_quantile((1 + level) / 2)
    upper = gaps_after - gaps_before[widest_before] + z * np.sqrt(_combined(covariance, after_less_before))
    lower = gaps_after[widest_after] - gaps_before - z * np.sqrt(_combined(covariance, after_widest_less))
    was, becomes = float(gaps_before.max()), float(gaps_after.max())
    return Change(was, becomes, becomes - was, float(lower.min()), float(upper.max()))


def _means_at(
    rows: NDArray[np.bool_], before: Floats, after: Floats, cells: Cells, units: NDArray[np.int64] | None
) -> tuple[Floats, Floats, Floats]:
    inside = Cells(cells.codes[rows], cells.count, cells.higher, cells.lower)
    return _means(before[rows], after[rows], inside, None if units is None else units[rows])


def _means(
    before: Floats, after: Floats, cells: Cells, units: NDArray[np.int64] | None
) -> tuple[Floats, Floats, Floats]:
    """Means by cell before and after, and the covariance of (after, before), shape (2 cells, 2 cells).

    To the covariance two rows are added in each cell, one that changes each way. An empty cell has mean NaN.
    """
    kept = cells.codes >= 0
    codes = cells.codes[kept]
    sizes = np.bincount(codes, minlength=cells.count).astype(np.float64)
    values = np.stack([after[kept], before[kept]])
    with np.errstate(invalid="ignore"):
        means = np.stack([np.bincount(codes, weights=row, minlength=cells.count) for row in values]) / sizes
    residuals = (values - means[:, codes]) / sizes[codes]
    covariance = _of_sums(residuals, codes, cells.count, None if units is None else units[kept])
    added = np.array([[0.5, -0.5], [-0.5, 0.5]])  # (1, 0) and (0, 1), each off their mean of a half
    for cell in np.flatnonzero(sizes):
        both = np.array([cell, cells.count + cell])
        covariance[np.ix_(both, both)] = covariance[np.ix_(both, both)] + added / sizes[cell] ** 2
    return means[1], means[0], covariance


def _of_sums(residuals: Floats, codes: NDArray[np.int32], count: int, units: NDArray[np.int64] | None) -> Floats:
    """Sum over units of the products of what each unit adds to every mean."""
    total = np.zeros((2 * count, 2 * count))
    if units is None:
        for i in range(2):
            for j in range(2):
                products = np.bincount(codes, weights=residuals[i] * residuals[j], minlength=count)
                total[i * count + np.arange(count), j * count + np.arange(count)] = products
        return total
    _, unit = np.unique(units, return_inverse=True)
    found = int(unit.max(initial=-1)) + 1
    sums = np.stack(
        [
            np.bincount(unit * count + codes, weights=row, minlength=found * count).reshape(found, count)
            for row in residuals
        ]
    )
    by_unit = np.concatenate([sums[0], sums[1]], axis=1)
    return np.asarray(by_unit.T @ by_unit * (found / max(1, found - 1)), dtype=np.float64)


def _combined(covariance: Floats, weights: Floats) -> Floats:
    """Variance of each weighted sum, weights of shape (sums, 2 cells)."""
    variances: Floats = np.maximum(np.einsum("pi,ij,pj->p", weights, covariance, weights, optimize=True), 0.0)
    return variances
