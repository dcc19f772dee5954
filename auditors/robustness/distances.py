"""How far each broken picture had to be changed: an upper bound that ranks groups and is no headline."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import BALLS
from evenhand.auditors.robustness.ensemble import Outcome, Subjects, attack
from evenhand.auditors.robustness.masking import Setting
from evenhand.auditors.robustness.scores import probabilities

HALVINGS = 10
DOUBLINGS = 3
"""How often the largest size of the run is doubled for pictures that no attack broke."""


def farther(subjects: Subjects, outcome: Outcome, *, largest: float, setting: Setting) -> Outcome:
    """The outcome with what one attack breaks at two, four and eight times the largest size; the given one stays as it is.

    For distances alone: no rate of the report is about these sizes.
    """
    beyond = replace(
        outcome,
        smallest=outcome.smallest.copy(),
        example=outcome.example.copy(),
        winner=outcome.winner.copy(),
        names=list(outcome.names),
        tried={},
    )
    _, height, width, channels = subjects.clean.shape
    longest = BALLS[setting.norm](1.0).sizes(np.ones((1, height, width, channels), np.float32))[0]
    size = largest
    for _ in range(DOUBLINGS):
        size = min(2 * size, float(longest))
        attack(
            subjects,
            beyond,
            classifier=setting.classifier,
            stages=setting.scouts or setting.black,
            eps=size,
            seed=setting.seed,
            batch_size=setting.batch_size,
            norm=setting.norm,
        )
    return beyond


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
