"""A test of the attack itself: adversarial examples are planted by a new last layer, and the attack must find them.

Zimmermann et al. (2022), NeurIPS, "Increasing Confidence in Adversarial Robustness Evaluations": the last layer of the
network is replaced, for one picture at a time, by a linear rule that separates random changes inside the ball from one
point on its edge. So there is an adversarial example, by construction. An attack that misses it proves nothing about the
network in front of that layer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenhand.auditors.robustness.apgd import Apgd
from evenhand.auditors.robustness.ball import Ball, Pictures
from evenhand.auditors.robustness.gradients import GradientOracle, as_batch, logits_in_any_layout, margin
from evenhand.auditors.robustness.loop import Batch, Feedback, run
from evenhand.auditors.robustness.noise import sample_keys

INNER = 60
"""Random changes inside the ball, a picture, that the new layer must call unchanged."""
INNER_SHARE = 0.5
"""Their size, as a share of the ball's."""
THRESHOLD = 0.9
"""Where the new layer turns, from the last inner point (0) to the planted one (1)."""
RIDGE = 1e-6
RESTARTS = 2


class LastLayer:
    """What the last linear layer of a network reads; without a `layer` of torch the classifier says it itself."""

    def __init__(self, classifier: Any, layer: nn.Linear | None) -> None:
        self._classifier, self._layer = classifier, layer

    def features(self, batch: Tensor) -> Tensor:
        """What the layer reads of an NCHW batch, shape (n, values); differentiable."""
        if self._layer is None:
            told: Tensor = self._classifier.at_last_layer(batch)
            return told
        read: list[Tensor] = []
        hook = self._layer.register_forward_pre_hook(lambda layer, inputs: read.append(inputs[0]))
        try:
            logits_in_any_layout(self._classifier, batch)
        finally:
            hook.remove()
        return read[-1].flatten(1)


def last_layer(classifier: Any) -> LastLayer | None:
    """The last linear layer that computes; None where the classifier neither shows a torch `module` nor names one."""
    module = getattr(classifier, "module", None)
    if not isinstance(module, nn.Module):
        says = getattr(classifier, "last_layer", None) is not None and hasattr(classifier, "at_last_layer")
        return LastLayer(classifier, None) if says else None
    called: list[nn.Linear] = []
    layers = [part for part in module.modules() if isinstance(part, nn.Linear)]
    hooks = [layer.register_forward_pre_hook(lambda layer, inputs: called.append(layer)) for layer in layers]
    height, width, channels = classifier.image_shape
    try:
        with torch.no_grad():
            device = next((weight.device for weight in module.parameters()), torch.device("cpu"))
            classifier.logits(torch.full((1, channels, height, width), 0.5, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return LastLayer(classifier, called[-1]) if called else None


class Planted:
    """The network with a new last layer for each picture; logits (0, margin), so that class 1 is the planted one.

    `weights` has shape (n, values), `bias` and `there` (n,), in the order of `ids`; `there` says where the planted point
    is called planted and every inner one unchanged.
    """

    def __init__(
        self, layer: LastLayer, ids: NDArray[np.int64], weights: Tensor, bias: Tensor, there: NDArray[np.bool_]
    ) -> None:
        self._layer, self._weights, self._bias, self.there = layer, weights, bias, there
        self._row = {int(one): row for row, one in enumerate(ids)}
        self._rows: list[int] = []

    def about(self, ids: NDArray[np.int64]) -> None:
        """Say which pictures the next batch shows."""
        self._rows = [self._row[int(one)] for one in ids]

    def logits(self, batch: Tensor) -> Tensor:
        features = self._layer.features(batch)
        score = (features * self._weights[self._rows]).sum(dim=1) + self._bias[self._rows]
        return torch.stack([torch.zeros_like(score), score], dim=1)


class _PlantedOracle:
    def __init__(self, planted: Planted, ask: GradientOracle) -> None:
        self._planted, self._ask = planted, ask

    def __call__(self, candidate: Pictures, batch: Batch) -> Feedback:
        self._planted.about(batch.ids)
        return self._ask(candidate, batch)


def missed(
    layer: LastLayer,
    clean: Pictures,
    ids: NDArray[np.int64],
    *,
    ball_of: Callable[[float], Ball],
    eps: float,
    steps: int,
    seed: int,
    device: str,
) -> float | None:
    """Share of planted examples that APGD on the margin does not find, with as many steps as in the run.

    None where the last layer cannot tell a point on the edge from those inside on half of the pictures.
    """
    ball = ball_of(eps)
    planted = plant(layer, clean, ids, ball_of=ball_of, eps=eps, seed=seed, device=device)
    oracle = _PlantedOracle(planted, GradientOracle(planted, margin, device=device))  # type: ignore[arg-type]
    if planted.there.mean() < 0.5:
        return None
    zeros = np.zeros(len(clean), dtype=np.int64)
    left = Batch(clean, zeros, zeros + 1, ids).take(planted.there)
    for restart in range(RESTARTS):
        if len(left):
            found = run(left, attack=Apgd("APGD-planted", steps, restart), oracle=oracle, ball=ball, seed=seed)
            left = left.take(~np.isin(np.arange(len(left)), found.rows))
    return len(left) / int(planted.there.sum())


def plant(
    layer: LastLayer,
    clean: Pictures,
    ids: NDArray[np.int64],
    *,
    ball_of: Callable[[float], Ball],
    eps: float,
    seed: int,
    device: str,
) -> Planted:
    """A last layer for each picture, of least weight, that parts inner points from one on the edge of the ball."""
    weights, biases, there = [], [], []
    for row in range(len(clean)):
        points = _points(clean[row : row + 1], ids[row : row + 1], ball_of=ball_of, eps=eps, seed=seed)
        with torch.no_grad():
            features = layer.features(as_batch(points, device)).double()
        centred = features - features[:-1].mean(dim=0)
        kernel = centred @ centred.T
        target = torch.zeros(len(points), dtype=torch.float64, device=kernel.device)
        target[-1] = 1
        ridge = RIDGE * kernel.diagonal().mean().clamp(min=RIDGE) * torch.eye(len(points), device=kernel.device)
        weight = centred.T @ torch.linalg.solve(kernel + ridge, target)
        scores = features @ weight
        last = scores[:-1].max()
        turn = last + THRESHOLD * (scores[-1] - last)
        scale = 1 / (scores[-1] - last).clamp(min=RIDGE)
        weights.append((weight * scale).float())
        biases.append((-turn * scale).float())
        single = features.float() @ weights[-1] + biases[-1]
        there.append(bool(single[-1] > 0) and bool((single[:-1] < 0).all()))
    return Planted(layer, ids, torch.stack(weights), torch.stack(biases), np.array(there))


def _points(
    clean: Pictures, ids: NDArray[np.int64], *, ball_of: Callable[[float], Ball], eps: float, seed: int
) -> Pictures:
    """The picture, random changes of it inside the ball, and last the point on the edge; all inside [0, 1]."""
    inner, outer = ball_of(INNER_SHARE * eps), ball_of(eps)
    points = [clean]
    for draw in range(INNER):
        points.append(inner.around(clean).project(inner.start(clean, sample_keys(seed, ids, "inner", draw))))
    edge = outer.start(clean, sample_keys(seed, ids, "planted"))
    # far beyond the ball, so that its projection lies on the edge
    points.append(outer.around(clean).project(clean + np.float32(1e3) * (edge - clean)))
    return np.concatenate(points)
