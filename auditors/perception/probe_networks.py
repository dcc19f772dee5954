"""The two networks that probe for a group: linear on 8 x 8 pooled pixels, and a small adversarially trained ConvNet."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.threads import one_thread
from evenhand.auditors.robustness.ball import Pictures

if TYPE_CHECKING:
    from torch import Tensor

POOLED_SIDE = 8
READ_SIDE = 32
RIDGE = 0.02
"""Per picture and unit of squared weight, on pixels in units of their common standard deviation."""
NEWTON_STEPS = 25

CHANNELS = (12, 24)
MOST_EPOCHS, LEAST_EPOCHS = 15, 8
PICTURES_SHOWN = 12_000
"""A training ends after about this many, within the bounds on its epochs."""
BATCH_ROWS = 32
LEARNING_RATE = 5e-3
WEIGHT_DECAY = 1e-2
EPS = 4 / 255
SCORED_AT_ONCE = 256


def pooled(pictures: Pictures, side: int) -> Pictures:
    """Area averages, at most `side` pixels high and wide; smaller pictures stay as they are."""
    rows, columns = _areas(pictures.shape[1], side), _areas(pictures.shape[2], side)
    areas = np.einsum("ih,nhwc,jw->nijc", rows, pictures, columns, optimize=True)
    return np.asarray(areas, dtype=np.float32)


def _areas(length: int, side: int) -> NDArray[np.float32]:
    """Matrix (min(side, length), length) that averages neighbouring pixels, parts of pixels included."""
    cells = min(side, length)
    edges = np.linspace(0, length, cells + 1)
    pixel = np.arange(length)
    overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.asarray(np.maximum(overlap, 0) * cells / length, dtype=np.float32)


def fit_linear(
    pictures: Pictures, target: NDArray[np.float32], weights: NDArray[np.float32], seed: int
) -> Callable[[Pictures], NDArray[np.float64]]:
    """Ridge logistic regression by Newton's method on pixels pooled to 8 x 8; needs no chance."""
    features = _flat(pictures)
    mean, scale = features.mean(axis=0), max(float(features.std(axis=0).mean()), 1e-6)
    rows = np.column_stack([(features - mean) / scale, np.ones(len(features))])
    penalty = np.full(rows.shape[1], RIDGE * len(rows))
    penalty[-1] = 1e-6
    coefficients = np.zeros(rows.shape[1])
    for _ in range(NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ coefficients, -30, 30)))
        slope = rows.T @ (weights * (chance - target)) + penalty * coefficients
        curvature = (rows * (weights * chance * (1 - chance) + 1e-9)[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        coefficients -= step
        if np.abs(step).max() < 1e-10:
            break

    def score(pictures: Pictures) -> NDArray[np.float64]:
        return np.asarray((_flat(pictures) - mean) / scale @ coefficients[:-1] + coefficients[-1])

    return score


def _flat(pictures: Pictures) -> NDArray[np.float64]:
    return pooled(pictures, POOLED_SIDE).reshape(len(pictures), -1).astype(np.float64)


def fit_convnet(
    pictures: Pictures, target: NDArray[np.float32], weights: NDArray[np.float32], seed: int
) -> Callable[[Pictures], NDArray[np.float64]]:
    """Two strided convolutions and a linear layer, trained against one-step attacks (Madry 2018; Wong 2020).

    Adversarial training makes its gradients, and so its judgement of dreams, follow what a person sees and not noise.
    """
    import torch

    read = _nchw(pictures)
    mean = read.mean(dim=(0, 2, 3), keepdim=True)
    rng = np.random.default_rng(seed)
    parameters = _first_weights(tuple(read.shape[1:]), rng)
    labels, factors = torch.from_numpy(target), torch.from_numpy(weights)
    with one_thread(), torch.enable_grad():
        _train(parameters, read, mean, labels, factors, rng)
    frozen = [parameter.detach() for parameter in parameters]

    def score(pictures: Pictures) -> NDArray[np.float64]:
        batch = _nchw(pictures)
        with one_thread(), torch.no_grad():
            parts = [_logits(frozen, part - mean) for part in torch.split(batch, SCORED_AT_ONCE)]
        return torch.cat(parts).numpy().astype(np.float64)

    return score


def _nchw(pictures: Pictures) -> "Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(pooled(pictures, READ_SIDE).transpose(0, 3, 1, 2)))


def _first_weights(shape: tuple[int, ...], rng: np.random.Generator) -> "list[Tensor]":
    """He's normal weights from our own generator, so that torch's chance is neither read nor moved."""
    import torch

    channels, height, width = shape
    first, second = CHANNELS
    left = second * ((height + 3) // 4) * ((width + 3) // 4)  # each stride of 2 halves a side, rounded up
    shapes = ((first, channels, 5, 5), (second, first, 3, 3), (1, left))
    parameters = []
    for one in shapes:
        spread = np.sqrt((2 if len(one) == 4 else 1) / np.prod(one[1:]))
        values = rng.normal(0, spread, one).astype(np.float32)
        parameters += [torch.from_numpy(values), torch.zeros(one[0])]
    return [parameter.requires_grad_() for parameter in parameters]


def _logits(parameters: "list[Tensor]", batch: "Tensor") -> "Tensor":
    from torch.nn import functional

    first, first_bias, second, second_bias, last, last_bias = parameters
    batch = functional.relu(functional.conv2d(batch, first, first_bias, stride=2, padding=2))
    batch = functional.relu(functional.conv2d(batch, second, second_bias, stride=2, padding=1))
    return functional.linear(batch.flatten(1), last, last_bias)[:, 0]


def _train(
    parameters: "list[Tensor]",
    read: "Tensor",
    mean: "Tensor",
    labels: "Tensor",
    factors: "Tensor",
    rng: np.random.Generator,
) -> None:
    import torch
    from torch.nn import functional

    def loss(batch: "Tensor", chosen: "Tensor") -> "Tensor":
        losses = functional.binary_cross_entropy_with_logits(
            _logits(parameters, batch - mean), labels[chosen], reduction="none"
        )
        return (factors[chosen] * losses).mean()

    optimizer = torch.optim.AdamW(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    epochs = min(MOST_EPOCHS, max(LEAST_EPOCHS, PICTURES_SHOWN // len(read)))
    steps = -(-len(read) // BATCH_ROWS) * epochs
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=LEARNING_RATE, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.split(torch.from_numpy(rng.permutation(len(read))), BATCH_ROWS):
            batch = read[chosen]
            noise = torch.from_numpy(rng.uniform(-EPS, EPS, tuple(batch.shape)).astype(np.float32))
            moved = (batch + noise).requires_grad_()
            (slope,) = torch.autograd.grad(loss(moved, chosen), moved)
            moved = batch + (noise + 1.25 * EPS * slope.sign()).clamp(-EPS, EPS)
            optimizer.zero_grad()
            loss(moved, chosen).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
