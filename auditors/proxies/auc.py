"""Areas under the ROC curve from counts by cell, with DeLong's variance. Which cells to count belongs to `encoding`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FOLDS = 5
PRIOR_ROWS = 10.0
"""Rows' worth of the overall rate that a level's rate is shrunk by."""


@dataclass(frozen=True)
class Auc:
    """An area and its standard error; .5 and nan-free where nothing can be ranked."""

    area: float
    error: float

    @property
    def strength(self) -> float:
        """.2 tells the groups apart as well as .8."""
        return max(self.area, 1 - self.area)


def auc_from_counts(positives: NDArray[np.int64], negatives: NDArray[np.int64]) -> Auc:
    """Exact AUC of a score with ties.

    Args:
        positives: rows of the group in each cell, shape (cells,), cells in rising order of the score.
        negatives: rows of the rest in each cell.

    Returns:
        The chance that a row of the group scores higher than one of the rest (a tie counts half), with DeLong's
        standard error. The error is at least half a row of the smaller side: DeLong's is 0 where the groups are
        separated.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); by midranks, Sun and Xu (2014).
    """
    n_positive, n_negative = int(positives.sum()), int(negatives.sum())
    if min(n_positive, n_negative) < 2:
        return Auc(0.5, 0.5)
    beaten = (np.cumsum(negatives) - negatives / 2) / n_negative
    beating = 1 - (np.cumsum(positives) - positives / 2) / n_positive
    area = float(positives @ beaten) / n_positive
    of_positives = float(positives @ (beaten - area) ** 2) / (n_positive - 1)
    of_negatives = float(negatives @ (beating - area) ** 2) / (n_negative - 1)
    error = np.sqrt(of_positives / n_positive + of_negatives / n_negative)
    return Auc(area, max(float(error), 0.5 / min(n_positive, n_negative)))


def auc_of_scores(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Auc:
    """AUC of finite scores of shape (n,) for a mask of shape (n,).

    Scores that differ in the last of their 64 bits alone count as ties. Sorts integers
    that carry the group in that bit: several times faster than sorting positions by score.
    """
    bits = (scores + 0.0).view(np.int64)  # + 0.0 makes one zero of two
    ordered = bits ^ ((bits >> 63) & np.int64(2**63 - 1))
    keys = np.sort((ordered & ~np.int64(1)) | positive)
    cells = keys >> 1
    last_of_cell = np.append(np.flatnonzero(cells[1:] != cells[:-1]), len(keys) - 1)[: len(keys)]
    positives = np.diff(np.cumsum(keys & 1)[last_of_cell], prepend=0)
    return auc_from_counts(positives, np.diff(last_of_cell + 1, prepend=0) - positives)


def cross_fitted_auc(positives: NDArray[np.int64], totals: NDArray[np.int64]) -> Auc:
    """AUC of a category for a group, each row scored by the rate of its level in the other folds.

    Args:
        positives: rows of the group by level and fold, shape (levels, folds).
        totals: rows by level and fold.

    In-sample rates show .76 for a random id with five rows a level; these show .50.
    Each score has the rate of the other folds taken off, or folds would be ranked against one another.
    """
    scores = cross_fitted_scores(positives, totals).ravel()
    occupied = np.flatnonzero(totals.ravel())
    # equal rates that went through different sums must stay ties
    _, cell = np.unique(np.round(scores[occupied], 12), return_inverse=True)
    pos = np.bincount(cell, weights=positives.ravel()[occupied])
    all_rows = np.bincount(cell, weights=totals.ravel()[occupied])
    return auc_from_counts(pos.astype(np.int64), (all_rows - pos).astype(np.int64))


def cross_fitted_scores(positives: NDArray[np.int64], totals: NDArray[np.int64]) -> NDArray[np.float64]:
    """Shrunk rate of each level in all folds but one, less the overall rate there; shape (levels, folds)."""
    other_positives = positives.sum(axis=1, keepdims=True) - positives
    other_totals = totals.sum(axis=1, keepdims=True) - totals
    prior = other_positives.sum(axis=0) / np.maximum(1, other_totals.sum(axis=0))
    scores: NDArray[np.float64] = (other_positives + PRIOR_ROWS * prior) / (other_totals + PRIOR_ROWS) - prior
    return scores
