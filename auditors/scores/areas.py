"""Areas under the ROC curve within and across groups, exact with ties, all from one sorted layout.

Row i, column j: how often a positive of group i scores above a negative of group j. Where rows were counted in bins, what
ties within a bin can change is stated beside each area.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.scores.grouped import GroupedScores, Members

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Areas:
    """Areas of all pairs of groups.

    Attributes:
        area: shape (k, k), positives of the row's group against negatives of the column's; NaN where either has none.
        error: DeLong's standard error, shape (k, k); Obuchowski's where rows of one unit are not independent.
        bound: the most that `area` can be wrong by, shape (k, k); 0 where it is exact.
    """

    area: Floats
    error: Floats
    bound: Floats


def areas(grouped: GroupedScores) -> Areas:
    """Every positive ranked among the negatives of every group.

    Returns:
        Areas, exact where scores are; a tie counts half. The error is at least half a row of the smaller side, as
        DeLong's is 0 where positives and negatives are separated.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); across groups Kallus and Zhou (2019), NeurIPS
    (xAUC). Weights enter as in a linearised survey estimator: squared influences times squared weights.
    """
    positives, negatives = grouped.positives, grouped.negatives
    assert positives is not None
    assert negatives is not None
    k, steps = len(grouped.groups), len(grouped.values)
    area = np.full((k, k), np.nan)
    of_positives, of_negatives = np.full((k, k), np.nan), np.full((k, k), np.nan)
    for j in range(k):
        placed = _placed(positives, negatives, j, steps)
        if placed is not None:
            area[:, j], of_positives[:, j] = _mean_and_spread(positives, placed)
        placed = _placed(negatives, positives, j, steps)
        if placed is not None:
            _, of_negatives[j, :] = _mean_and_spread(negatives, placed)
    least = 0.5 / np.minimum.outer(np.maximum(positives.effective, 1), np.maximum(negatives.effective, 1))
    variance = of_positives + of_negatives
    if positives.unit is not None:
        variance = _variance_by_unit(grouped, area)
    error = np.maximum(np.sqrt(variance), least)
    return Areas(area, np.where(np.isnan(area), np.nan, error), _bounds(grouped))


def _bounds(grouped: GroupedScores) -> Floats:
    """The most that ties within bins can be wrong by: each pair in a bin of several scores, by a half."""
    k, steps = len(grouped.groups), len(grouped.values)
    if grouped.reach is None or grouped.positives is None or grouped.negatives is None:
        return np.zeros((k, k))
    doubtful = (grouped.reach > 0).astype(np.float64)
    up, down = (_by_step(members, steps) for members in (grouped.positives, grouped.negatives))
    return (up * doubtful) @ down.T / 2


def _by_step(members: Members, steps: int) -> Floats:
    """Share of each group at each distinct score, shape (k, steps)."""
    k = len(members.start) - 1
    group = np.repeat(np.arange(k), members.entries)
    mass = np.bincount(group * steps + members.step, members.weight, k * steps).reshape(k, steps)
    return mass / np.where(members.total > 0, members.total, 1.0)[:, None]


def _variance_by_unit(grouped: GroupedScores, area: Floats) -> Floats:
    """Variance of every area where rows of one unit, positive and negative, move together.

    Source: Obuchowski (1997), Biometrics 53(2): squared sums over units of DeLong's placements.
    """
    k = len(grouped.groups)
    variance = np.full((k, k), np.nan)
    for i, j in zip(*np.nonzero(~np.isnan(area)), strict=True):
        variance[i, j] = _variance_of_one(grouped, int(i), int(j), float(area[i, j]))
    return variance


def _variance_of_one(grouped: GroupedScores, i: int, j: int, area: float) -> float:
    """Positives of group i against negatives of group j."""
    positives, negatives = grouped.positives, grouped.negatives
    assert positives is not None
    assert negatives is not None
    assert positives.unit is not None
    assert negatives.unit is not None
    up, down = positives.of(i), negatives.of(j)
    pull_up = positives.weight[up] * (_below(positives, up, negatives, down) - area) / positives.total[i]
    # of a negative, the share of positives above it
    pull_down = negatives.weight[down] * (1 - _below(negatives, down, positives, up) - area) / negatives.total[j]
    _, unit = np.unique(np.concatenate([positives.unit[up], negatives.unit[down]]), return_inverse=True)
    sums = np.bincount(unit, np.concatenate([pull_up, pull_down]))
    return float(sums @ sums) * len(sums) / max(len(sums) - 1, 1)


def _below(rows: Members, chosen: slice, among: Members, others: slice) -> Floats:
    """For each row the share of the others that lie below, a tie counting half; both rise by score."""
    running = np.concatenate([[0.0], np.cumsum(among.weight[others])])
    lower, upper = (np.searchsorted(among.step[others], rows.step[chosen], side) for side in ("left", "right"))
    below: Floats = (running[lower] + running[upper]) / (2 * running[-1])
    return below


def _placed(rows: Members, among: Members, group: int, steps: int) -> Floats | None:
    """For each row the share of one group's members that lie below, a tie counting half; None without members."""
    inside = among.of(group)
    if among.total[group] <= 0:
        return None
    # one running sum over the distinct scores; the member's own step counts half
    at_step = np.bincount(among.step[inside], among.weight[inside], steps).astype(np.float64, copy=False)
    below: Floats = np.cumsum(at_step)
    below -= at_step / 2
    below /= among.total[group]
    placed: Floats = below[rows.step]
    return placed


def _mean_and_spread(rows: Members, placed: Floats) -> tuple[Floats, Floats]:
    """Weighted mean of each group's placements, and the variance of that mean."""
    total = np.where(rows.total > 0, rows.total, np.nan)
    mean = rows.summed(rows.weight * placed) / total
    away = placed - np.repeat(mean, rows.entries)
    with np.errstate(invalid="ignore", divide="ignore"):
        correction = np.where(rows.rows > 1, rows.rows / np.maximum(rows.rows - 1, 1), 1.0)
        return mean, rows.products(away, away) / total**2 * correction
