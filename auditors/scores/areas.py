"""Areas under the ROC curve within and across groups, exact with ties, all from one sorted layout.

Row i, column j: how often a positive of group i scores above a negative of group j. Histograms belong in `binned`.
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
        error: DeLong's standard error, shape (k, k).
        bound: the most that `area` can be wrong by, shape (k, k); 0 where it is exact.
    """

    area: Floats
    error: Floats
    bound: Floats


def areas(grouped: GroupedScores) -> Areas:
    """Every positive ranked among the negatives of every group.

    Returns:
        Exact areas; a tie counts half. The error is at least half a row of the smaller side, as DeLong's is 0 where
        positives and negatives are separated.

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
    error = np.maximum(np.sqrt(of_positives + of_negatives), least)
    return Areas(area, np.where(np.isnan(area), np.nan, error), np.zeros((k, k)))


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
    influence = rows.weight * (placed - np.repeat(mean, rows.rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        correction = np.where(rows.rows > 1, rows.rows / np.maximum(rows.rows - 1, 1), 1.0)
        return mean, rows.summed(influence**2) / total**2 * correction
