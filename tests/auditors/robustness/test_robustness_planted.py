"""Adversarial examples planted by a new last layer: the attack finds them in an honest network, and not in a masked one."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from evenhand.auditors.robustness import planted
from evenhand.auditors.robustness.ball import BALLS, Norm
from tests.auditors.robustness.toys import Torch, brightness, convnet

SHAPE = (16, 16, 3)
EPS: dict[Norm, float] = {"linf": 8 / 255, "l2": 0.5}


def pictures() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(0, 1, (16, *SHAPE)).astype(np.float32)


class Before(Torch):
    """The network behind a function of its input."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__(convnet(2), SHAPE)
        self._change = change

    def logits(self, batch: Tensor) -> Tensor:
        return super().logits(self._change(batch))


def missed(classifier: Torch, norm: Norm) -> float | None:
    layer = planted.last_layer(classifier)
    assert layer is not None
    return planted.missed(
        layer, pictures(), np.arange(16), ball_of=BALLS[norm], eps=EPS[norm], steps=40, seed=0, device="cpu"
    )


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_planted_examples_are_found_in_a_bare_network(norm: Norm) -> None:
    assert missed(Torch(convnet(2), SHAPE), norm) == 0


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_planted_examples_are_missed_behind_a_quantised_input(norm: Norm) -> None:
    value = missed(Before(lambda batch: (batch * 64).round() / 64), norm)

    assert value is not None
    assert value > 0.5


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_is_planted_is_misread_and_lies_inside_the_ball_where_the_picture_is_not(norm: Norm) -> None:
    """Scored through the new layer: the edge is planted, the clean picture and the inner points are unchanged."""
    layer = planted.last_layer(Torch(convnet(2), SHAPE))
    assert layer is not None
    clean, ids, ball = pictures(), np.arange(16), BALLS[norm]

    layers = planted.plant(layer, clean, ids, ball_of=ball, eps=EPS[norm], seed=0, device="cpu")

    assert layers.there.all()
    for row in range(16):
        points = planted._points(clean[row : row + 1], ids[row : row + 1], ball_of=ball, eps=EPS[norm], seed=0)
        layers.about(np.repeat(ids[row], len(points)))
        with torch.no_grad():
            decision = layers.logits(torch.from_numpy(points.transpose(0, 3, 1, 2).copy())).argmax(dim=1)
        assert decision.tolist() == [0] * (planted.INNER + 1) + [1]
        length = ball(1.0).sizes(points[-1:] - clean[row : row + 1])
        assert 0.9 * EPS[norm] < length[0] <= EPS[norm] + 1e-6


def test_nothing_is_planted_where_the_last_layer_always_reads_the_same() -> None:
    assert missed(Before(torch.zeros_like), "linf") is None


def test_a_classifier_without_a_linear_layer_has_no_last_layer() -> None:
    assert planted.last_layer(brightness()) is None
