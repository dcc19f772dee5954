"""Small classifiers whose exact robustness is known, and pictures for them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenhand.auditors.robustness import ImageData

torch.set_num_threads(1)


class Torch:
    """Any function from an NCHW batch to logits, as a classifier."""

    def __init__(self, module: nn.Module, shape: tuple[int, int, int], classes: Sequence[str] = ("man", "woman")):
        self.module = module.eval()
        self.image_shape = shape
        self.classes = tuple(classes)

    def logits(self, batch: Tensor) -> Tensor:
        return self.module(batch)

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        with torch.no_grad():
            batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
            return torch.softmax(self.logits(batch).double(), dim=1).numpy()


class BlackBox:
    """The same classifier without its gradients."""

    def __init__(self, inside: Torch):
        self._inside = inside
        self.image_shape, self.classes = inside.image_shape, inside.classes

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._inside.predict_proba(images)


class Linear(nn.Module):
    """Logits = weights @ pixels + bias; weights (classes, height, width, channels)."""

    def __init__(self, weights: NDArray[np.float64], bias: NDArray[np.float64]):
        super().__init__()
        # pixels arrive channels first
        self.weights = torch.tensor(weights.transpose(0, 3, 1, 2).reshape(len(weights), -1), dtype=torch.float32)
        self.bias = torch.tensor(bias, dtype=torch.float32)

    def forward(self, batch: Tensor) -> Tensor:
        return batch.flatten(1) @ self.weights.T + self.bias


def exactly_robust(
    images: NDArray[np.float64],
    label: NDArray[np.int64],
    weights: NDArray[np.float64],
    bias: NDArray[np.float64],
    eps: float,
) -> NDArray[np.float64]:
    """Smallest margin of the label over any class within eps and [0, 1]: above 0 exactly where the picture is robust.

    The worst change of a linear function within a box is a corner of the box; without clipping it is eps times the
    L1 norm of the difference of weights.
    """
    low, high = np.maximum(images - eps, 0), np.minimum(images + eps, 1)
    margins = np.full((len(images), len(weights)), np.inf)
    for other in range(len(weights)):
        for own in range(len(weights)):
            rows = label == own
            if own != other:
                difference = weights[own] - weights[other]
                worst = np.where(difference > 0, low[rows], high[rows])
                margins[rows, other] = (worst * difference).sum(axis=(1, 2, 3)) + bias[own] - bias[other]
    return margins.min(axis=1)


class Brightness(nn.Module):
    """Two classes by mean brightness: a picture of mean .5 + d has L-infinity distance |d|, exactly."""

    def __init__(self, scale: float = 20.0):
        super().__init__()
        self.scale = scale

    def forward(self, batch: Tensor) -> Tensor:
        margin = self.scale * (batch.mean(dim=(1, 2, 3)) - 0.5)
        return torch.stack([-margin / 2, margin / 2], dim=1)


SIDE = 8


def people(
    *, near: float, far: float, bias: float, units: int = 40, seed: int = 0, classes: tuple[str, ...] = ("man", "woman")
) -> ImageData:
    """Grey pictures for `Brightness`: each unit a dark and a light man and woman.

    Light women and dark men have distance about `far`, light men and dark women about `near` where `bias` is 1; where
    it is 0 a coin of the unit and class decides.
    """
    rng = np.random.default_rng(seed)
    images, label, tone, unit = [], [], [], []
    for person in range(units):
        for gender in (0, 1):
            coin = rng.random() < 0.5
            for shade in (0, 1):
                aligned = gender == shade
                close = not aligned if rng.random() < bias else coin
                distance = (near if close else far) + rng.uniform(-0.01, 0.01)
                mean = 0.5 + (distance if gender else -distance)
                images.append(np.clip(mean + rng.uniform(-0.05, 0.05, (SIDE, SIDE, 1)), 0, 1))
                label.append(gender)
                tone.append(shade)
                unit.append(person)
    n = len(images)
    return ImageData(
        images=np.rint(np.array(images) * 255).astype(np.uint8),
        label=np.array(label, dtype=np.int32),
        classes=classes,
        attributes={"tone": (np.array(tone, dtype=np.int32), ("dark", "light"))},
        unit=np.array(unit, dtype=np.int32),
        pair=np.array(unit, dtype=np.int32) * 2 + np.array(label, dtype=np.int32),
        ids=np.arange(n, dtype=np.int64),
    )


def distances_of(data: ImageData) -> NDArray[np.float64]:
    """Exact L-infinity distance of each picture to the decision of `Brightness` (no pixel is clipped)."""
    return np.abs(data.images.mean(axis=(1, 2, 3)) / 255 - 0.5)


def brightness(scale: float = 20.0, classes: Sequence[str] = ("man", "woman")) -> Torch:
    return Torch(Brightness(scale), (SIDE, SIDE, 1), classes)


def convnet(classes: int, *, channels: int = 3, side: int = 16, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(channels, 8, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * (side // 4) ** 2, classes),
    )
