"""Areas under the ROC curve of one score for one split of the rows, with DeLong's variance, by one sort of integers.

What an area is of belongs in `proxies` and `scores`, which also compares many groups at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MAGNITUDE = np.int64(2**63 - 1)


@dataclass(frozen=True)
class Auc:
    """An area and its standard error; .5 and nan-free where nothing can be ranked."""

    area: float
    error: float

    @property
    def strength(self) -> float:
        """.2 tells the groups apart as well as .8."""
        return max(self.area, 1 - self.area)


def ordered_bits(scores: NDArray[np.float64]) -> Ints:
    """Integers that order as the finite scores do, both zeros alike; shape as scores."""
    bits = (scores + 0.0).view(np.int64)  # + 0.0 makes one zero of two
    ordered: Ints = bits ^ ((bits >> 63) & _MAGNITUDE)
    return ordered


def auc_from_counts(positives: Ints, negatives: Ints) -> Auc:
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
    keys = np.sort((ordered_bits(scores) & ~np.int64(1)) | positive)
    cells = keys >> 1
    last_of_cell = np.append(np.flatnonzero(cells[1:] != cells[:-1]), len(keys) - 1)[: len(keys)]
    positives = np.diff(np.cumsum(keys & 1)[last_of_cell], prepend=0)
    return auc_from_counts(positives, np.diff(last_of_cell + 1, prepend=0) - positives)
