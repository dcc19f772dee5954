"""Classifiers that answer differently each time: attacks on them climb the expectation over several draws.

Athalye et al. (2018), ICML, "Synthesizing Robust Adversarial Examples": expectation over transformation. An attack on a
single draw follows the noise, and the next draw undoes what it found.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.data import ImageData, unit_interval
from evenhand.auditors.robustness.noise import sample_keys
from evenhand.auditors.robustness.scores import gives_gradients, probabilities

if TYPE_CHECKING:
    from torch import Tensor

DRAWS = 8
"""Calls that one answer is averaged over."""

CALLS_DIFFER = 1e-5
MOST_PICTURES = 256


class OverDraws:
    """A classifier whose probabilities are means over `draws` calls."""

    def __init__(self, inside: ImageClassifier, draws: int = DRAWS) -> None:
        self.inside, self.draws = inside, draws
        self.classes, self.image_shape = inside.classes, inside.image_shape

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean probabilities, shape (n, K)."""
        calls = [self.inside.predict_proba(images) for _ in range(self.draws)]
        return np.asarray(np.mean(calls, axis=0), dtype=np.float64)


class GradientOverDraws(OverDraws):
    """The same with gradients, of the logarithm of the mean probability."""

    def logits(self, batch: "Tensor") -> "Tensor":
        """Logarithms of mean probabilities, shape (n, K)."""
        import torch

        inside: Any = self.inside
        logs = [torch.log_softmax(inside.logits(batch), dim=1) for _ in range(self.draws)]
        return torch.logsumexp(torch.stack(logs), dim=0) - float(np.log(self.draws))


def calls_differ(data: ImageData, classifier: ImageClassifier, *, seed: int, batch_size: int) -> float:
    """Largest difference between two answers about the same pictures, on at most 256, the same whatever their order."""
    rows = np.argsort(sample_keys(seed, data.ids, "masking checks"), kind="stable")[:MOST_PICTURES]
    pictures = unit_interval(data.images[rows])
    first, second = (probabilities(classifier, pictures, batch_size=batch_size) for _ in range(2))
    return float(np.abs(first - second).max())


def steadied(classifier: ImageClassifier, difference: float) -> ImageClassifier:
    """The classifier itself where two calls agree, else its mean over draws."""
    if difference <= CALLS_DIFFER:
        return classifier
    return GradientOverDraws(classifier) if gives_gradients(classifier) else OverDraws(classifier)


def inside_of(classifier: ImageClassifier) -> ImageClassifier:
    """The classifier that is asked once a call."""
    return classifier.inside if isinstance(classifier, OverDraws) else classifier


def draws_of(classifier: ImageClassifier) -> int:
    """Calls that one of its answers takes."""
    return classifier.draws if isinstance(classifier, OverDraws) else 1
