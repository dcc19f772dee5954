"""Areas of a category for a group, each row scored by the other folds. Areas of plain scores belong in `auditors.ranks`."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.ranks import Auc, auc_from_counts

FOLDS = 5
PRIOR_ROWS = 10.0
"""Rows' worth of the overall rate that a level's rate is shrunk by."""


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
