"""How far each broken picture had to be changed: an upper bound that ranks groups and is no headline."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import BALLS, Norm
from evenhand.auditors.robustness.ensemble import Outcome, Subjects
from evenhand.auditors.robustness.scores import probabilities

HALVINGS = 10


def distances(
    subjects: Subjects, outcome: Outcome, *, classifier: ImageClassifier, norm: Norm = "linf"
) -> NDArray[np.float64]:
    """Size of the change that breaks each picture, by bisection between the clean picture and the one that broke it.

    Returns:
        Shape (n,), in units of the whole range: 0 where the picture is misread unchanged, infinity where no attack
        broke it. An upper bound of the minimal distance (METHODS section 5: .308 against .214).
    """
    sizes = outcome.smallest.copy()
    rows = np.flatnonzero((outcome.smallest > 0) & np.isfinite(outcome.smallest))
    if len(rows) == 0:
        return sizes
    clean, label = subjects.clean[rows], subjects.label[rows]
    change = outcome.example[rows] - clean
    holds, breaks = np.zeros(len(rows), np.float32), np.ones(len(rows), np.float32)
    for _ in range(HALVINGS):
        middle = (holds + breaks) / 2
        scores = probabilities(classifier, clean + middle[:, None, None, None] * change)
        wrong = scores.argmax(axis=1) != label
        breaks, holds = np.where(wrong, middle, breaks), np.where(wrong, holds, middle)
    sizes[rows] = breaks * BALLS[norm](1.0).sizes(change)
    return sizes


def median_distance(sizes: NDArray[np.float64]) -> float | None:
    """Median of the distances; None where at least half of the pictures were never broken, or there are none."""
    if len(sizes) == 0:
        return None
    median = float(np.sort(sizes)[(len(sizes) - 1) // 2])
    return median if np.isfinite(median) else None
