"""What an audit needs of a classifier. The classifiers themselves live in their own room and are not imported here."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Progress = Callable[[float, str], None]
"""Called with the fraction done, in [0, 1], and what is being done."""


def silent(fraction: float, message: str) -> None:
    """A progress display that shows nothing."""


class TableClassifier(Protocol):
    """Scores rows of a table."""

    @property
    def features(self) -> tuple[str, ...]:
        """The columns it reads, in its order."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Label texts, sorted; column i of `predict_proba` is class i."""

    def predict_proba(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Probabilities, shape (n, K), of columns of length n: float64 with NaN, or object with str and None."""


class ImageClassifier(Protocol):
    """Scores pictures."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Label texts, sorted; column i of `predict_proba` is class i."""

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Height, width, channels."""

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities, shape (n, K), of pictures of shape (n, height, width, channels) in [0, 1]."""


class DifferentiableImageClassifier(ImageClassifier, Protocol):
    """An image classifier that also gives gradients."""

    def logits(self, batch: "torch.Tensor") -> "torch.Tensor":
        """Logits, shape (n, K), of a float32 NCHW batch in [0, 1]; differentiable, in evaluation mode."""


class LayeredImageClassifier(ImageClassifier, Protocol):
    """An image classifier that can be looked into; one with a torch `module` need not be one.

    Auditors ask for each method by itself: a classifier may have some of them alone.
    """

    @property
    def middle_layer(self) -> str | None:
        """Name of what the middle one of its layers with weights reads (number L // 2 of L, from 0); None: under 3."""

    def at_middle_layer(
        self, images: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the layer holds, shape (n, ...), and there the gradient of the sum of `weights` (n, K) times logits."""

    @property
    def last_layer(self) -> str | None:
        """Name of what its last linear layer reads; None: it has none that is known."""

    def at_last_layer(self, batch: "torch.Tensor") -> "torch.Tensor":
        """What that layer reads, shape (n, values), of a float32 NCHW batch in [0, 1]; differentiable."""

    def kernels(self) -> "list[tuple[str, NDArray[np.float32]]]":
        """Name and weights (filters, channels, height, width) of every convolution, in order."""
