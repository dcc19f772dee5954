"""What the deployed model says: the only judge of success. Needs no gradients."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.loop import Batch, Feedback

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

BATCH_SIZE = 64
"""Pictures a call: small batches stay in the cache of a core, 1.4 times faster a step than 256 for a small ConvNet."""
SMALLEST_PROBABILITY = 1e-300


def gives_gradients(classifier: ImageClassifier) -> "TypeGuard[DifferentiableImageClassifier]":
    """Whether white-box attacks can run: the classifier has a `logits` method."""
    return callable(getattr(classifier, "logits", None))


def labels_only(classifier: ImageClassifier, scores: NDArray[np.float64]) -> bool:
    """Whether the classifier is asked without gradients and its scores (n, K) are all 0 or 1, labels put as numbers."""
    return not gives_gradients(classifier) and len(scores) > 0 and bool(np.all((scores == 0) | (scores == 1)))


def batches(n: int, batch_size: int) -> Iterator[slice]:
    """Slices that cover n rows, none longer than `batch_size`."""
    return (slice(start, min(start + batch_size, n)) for start in range(0, n, batch_size))


def probabilities(
    classifier: ImageClassifier, pictures: Pictures, *, batch_size: int = BATCH_SIZE
) -> NDArray[np.float64]:
    """Probabilities of the deployed model, shape (n, K), of pictures, `batch_size` a call."""
    if len(pictures) == 0:
        return np.empty((0, len(classifier.classes)))
    parts = [classifier.predict_proba(pictures[rows]) for rows in batches(len(pictures), batch_size)]
    return np.concatenate(parts).astype(np.float64, copy=False)


def score_margin(scores: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log odds of the best other class against the label, shape (n,); above 0 where the label has lost."""
    logs = np.log(np.maximum(scores, SMALLEST_PROBABILITY))
    rows = np.arange(len(label))
    own = logs[rows, label]
    logs[rows, label] = -np.inf
    return np.asarray(logs.max(axis=1) - own)


class ScoreOracle:
    """Scores candidates through the deployed model."""

    def __init__(self, classifier: ImageClassifier) -> None:
        self._classifier = classifier

    def __call__(self, candidate: Pictures, batch: Batch) -> Feedback:
        scores = probabilities(self._classifier, candidate, batch_size=len(candidate))
        return Feedback(loss=score_margin(scores, batch.label), wrong=scores.argmax(axis=1) != batch.label)
