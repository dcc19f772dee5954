"""Classifiers that learned nothing, or little, to set beside what a network shows: what they show as well is no finding.

A picture of a network that looks the same with random weights says nothing about what was learned (Adebayo, Gilmer,
Muelly, Goodfellow, Hardt and Kim 2018, NeurIPS, "Sanity checks for saliency maps").
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import Pictures

POOLED_SIDE, MLP_SIDE, MLP_WIDTH = 8, 16, 64
LINEAR_STEPS, MLP_STEPS = 60, 120
RIDGE = 1e-3
CHANNELS = (16, 32, 64)


@dataclass(frozen=True)
class Baseline:
    """A small classifier of pictures with a name; probabilities, logits and gradients, always on the CPU."""

    name: str
    module: nn.Module
    image_shape: tuple[int, int, int]
    classes: tuple[str, ...]

    def logits(self, batch: Tensor) -> Tensor:
        """Logits (n, K) of pictures (n, channels, height, width)."""
        answer: Tensor = self.module(batch)
        return answer

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities (n, K) of pictures (n, height, width, channels)."""
        with torch.no_grad():
            batch = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
            answer: NDArray[np.float64] = self.logits(batch).double().softmax(dim=1).numpy()
        return answer


class Centred(nn.Module):
    """Pictures in [0, 1] as values about 0, averaged over a grid of at most `side` by `side`, as one row each."""

    def __init__(self, side: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.grid = (min(side, shape[0]), min(side, shape[1]))
        self.pool = nn.AdaptiveAvgPool2d(self.grid)
        self.width = self.grid[0] * self.grid[1] * shape[2]

    def forward(self, pictures: Tensor) -> Tensor:
        pooled: Tensor = self.pool(2 * pictures - 1)
        return pooled.flatten(1)


def random_weights(classifier: ImageClassifier, *, seed: int) -> Baseline:
    """The network itself with weights drawn anew; where it shows none, three convolutions and a linear layer."""
    module = getattr(classifier, "module", None)
    if isinstance(module, nn.Module):
        own, name = copy.deepcopy(module).cpu(), "same network, random weights"
    else:
        own, name = _convnet(classifier.image_shape, len(classifier.classes)), "ConvNet with random weights"
    _draw(own, seed)
    own = own.eval().requires_grad_(False)
    return Baseline(name, own, tuple(classifier.image_shape), tuple(classifier.classes))  # type: ignore[arg-type]


def pooled_regression(
    pictures: Pictures, label: NDArray[np.int64], *, classes: Sequence[str], shape: tuple[int, int, int]
) -> Baseline:
    """Logistic regression on 8 by 8 pooled pixels: colour and coarse layout, no shape."""
    pool = Centred(POOLED_SIDE, shape)
    with torch.no_grad():
        rows = pool(_batch(pictures)).numpy()
    module = nn.Sequential(pool, fitted_softmax(rows, label, len(classes)))
    return Baseline("regression on pooled pixels", module.eval().requires_grad_(False), shape, tuple(classes))


def perceptron(
    pictures: Pictures, label: NDArray[np.int64], *, classes: Sequence[str], shape: tuple[int, int, int], seed: int
) -> Baseline:
    """One hidden layer of 64 on 16 by 16 pooled pixels; full batches, so that the order of rows does not matter."""
    pool = Centred(MLP_SIDE, shape)
    module = nn.Sequential(pool, nn.Linear(pool.width, MLP_WIDTH), nn.ReLU(), nn.Linear(MLP_WIDTH, len(classes)))
    _draw(module, seed)
    with torch.no_grad():
        rows = pool(_batch(pictures))
    rest, wanted = module[1:], torch.from_numpy(label)
    climber = torch.optim.AdamW(rest.parameters(), lr=5e-3, weight_decay=1e-2)
    with torch.enable_grad():
        for _ in range(MLP_STEPS):
            climber.zero_grad()
            nn.functional.cross_entropy(rest(rows), wanted).backward()  # type: ignore[no-untyped-call]  # torch's own
            climber.step()
    return Baseline("MLP", module.eval().requires_grad_(False), shape, tuple(classes))


def fitted_softmax(
    rows: NDArray[np.float32], label: NDArray[np.int64], classes: int, *, weight: NDArray[np.float32] | None = None
) -> nn.Linear:
    """Multinomial logistic regression with a small ridge, by L-BFGS from zero; `weight` by row, mean 1."""
    layer = nn.Linear(rows.shape[1], classes)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    inputs, wanted = torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)), torch.from_numpy(label)
    by_row = torch.ones(len(label)) if weight is None else torch.from_numpy(weight)
    climber = torch.optim.LBFGS(layer.parameters(), max_iter=LINEAR_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        climber.zero_grad()
        each = nn.functional.cross_entropy(layer(inputs), wanted, reduction="none")
        total = (each * by_row).mean() + RIDGE * layer.weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]  # torch's own
        return total

    with torch.enable_grad():
        climber.step(loss)  # type: ignore[no-untyped-call]  # torch's own
    return layer.requires_grad_(False)


def _batch(pictures: Pictures) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def _convnet(shape: tuple[int, int, int], classes: int) -> nn.Module:
    height, width, channels = shape
    layers: list[nn.Module] = []
    for out in CHANNELS:
        layers += [nn.Conv2d(channels, out, 3, padding=1), nn.ReLU()]
        if min(height, width) >= 8:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        channels = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * height * width, classes))


def _draw(module: nn.Module, seed: int) -> None:
    """Weights by He's rule, biases 0, norms 1; from a generator of its own, so that torch's stays as it is."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in module.modules():
            reset = getattr(layer, "reset_running_stats", None)
            if callable(reset):
                reset()
            for name, weights in layer.named_parameters(recurse=False):
                if weights.ndim >= 2:
                    deviation = (2 / weights[0].numel()) ** 0.5
                    weights.copy_(deviation * torch.randn(weights.shape, generator=chance))
                else:
                    weights.fill_(0.0 if name.endswith("bias") else 1.0)
