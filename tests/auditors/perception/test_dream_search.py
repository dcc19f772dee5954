"""Components, dreams and drift against closed forms: linear networks, whose dreams are known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from evenhand.auditors.perception.components import Components, principal_components
from evenhand.auditors.perception.dreams import PENALTY, STARTS, dream
from evenhand.auditors.perception.drift import LEASH, chosen_rows, drift
from tests.auditors.robustness.toys import Linear, Torch

SHAPE = (6, 5, 1)
PIXELS = 30
BOTH = np.array([0, 1])


def grey(n: int = 200, seed: int = 0) -> NDArray[np.float32]:
    """Pictures near mid-grey that vary along three directions."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.normal(size=(PIXELS, 3)))[0].T
    pictures = 0.5 + rng.normal(size=(n, 3)) * [0.1, 0.05, 0.02] @ directions
    return pictures.reshape(n, *SHAPE).astype(np.float32)


def linear(seed: int = 1, scale: float = 1.0) -> tuple[Torch, NDArray[np.float64]]:
    """A network whose margin of class 1 is `weights` · pixels, and those weights."""
    weights = np.random.default_rng(seed).normal(size=(2, *SHAPE)) * scale
    return Torch(Linear(weights, np.zeros(2)), SHAPE), (weights[1] - weights[0]).reshape(-1)


def components_of(pictures: NDArray[np.float32]) -> Components:
    return principal_components(pictures, np.arange(len(pictures)), seed=0)


@pytest.mark.parametrize("n", [20, 200])
def test_components_are_those_of_scikit_learn(n: int) -> None:
    from sklearn.decomposition import PCA

    pictures = grey(n)
    reference = PCA(n_components=3).fit(pictures.reshape(n, -1).astype(np.float64))

    found = components_of(pictures)

    lengths = np.linalg.norm(found.directions[:3], axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(reference.explained_variance_), rtol=1e-4)
    cosines = np.abs((found.directions[:3] / lengths[:, None] * reference.components_).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, atol=1e-4)
    np.testing.assert_allclose(found.mean, reference.mean_, atol=1e-6)


def test_components_do_not_depend_on_the_order_of_the_pictures() -> None:
    pictures, order = grey(), np.random.default_rng(0).permutation(200)

    before = components_of(pictures)
    after = principal_components(pictures[order], order, seed=0)

    np.testing.assert_allclose(before.directions[:3], after.directions[:3], atol=1e-5)


def test_pictures_that_are_all_alike_have_no_components() -> None:
    assert len(components_of(np.full((5, *SHAPE), 0.5, np.float32))) == 0


def test_dream_of_a_linear_network_ends_where_slope_and_penalty_are_equal() -> None:
    """d/dz (g · z / s - .067 z²) = 0 at z = g / (2 · .067 · s), from every start."""
    pictures = grey()
    classifier, weights = linear()
    found = components_of(pictures)
    slope = found.directions @ weights
    scale = 8 * np.linalg.norm(slope)  # small enough steps that Adam arrives within its 80

    dreams = dream(classifier, found, labels=BOTH, scales=np.array([scale, scale]), device="cpu", seed=0)

    expected = slope / (2 * PENALTY * scale)
    for index, sign in enumerate((-1, 1)):
        picture = (found.mean + sign * expected @ found.directions).reshape(SHAPE)
        np.testing.assert_allclose(dreams.pictures[:, index], np.broadcast_to(picture, (STARTS, *SHAPE)), atol=0.02)


def test_dreams_of_a_thousandfold_surer_network_are_the_same() -> None:
    found = components_of(grey())
    one, thousand = linear()[0], linear(scale=1000)[0]

    first = dream(one, found, labels=BOTH, scales=np.ones(2), device="cpu", seed=0)
    second = dream(thousand, found, labels=BOTH, scales=np.full(2, 1000.0), device="cpu", seed=0)

    np.testing.assert_allclose(first.pictures, second.pictures, atol=1e-5)


def test_a_dream_does_not_depend_on_the_classes_dreamt_beside_it() -> None:
    found = components_of(grey())
    classifier, _ = linear()

    both = dream(classifier, found, labels=BOTH, scales=np.ones(2), device="cpu", seed=0)
    alone = dream(classifier, found, labels=np.array([1]), scales=np.ones(1), device="cpu", seed=0)

    np.testing.assert_allclose(both.pictures[:, 1], alone.pictures[:, 0], atol=1e-6)


def test_network_without_slope_reports_no_steepness() -> None:
    class Constant(nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return torch.zeros(len(batch), 2)

    classifier = Torch(Constant(), SHAPE)

    dreams = dream(classifier, components_of(grey()), labels=BOTH, scales=np.ones(2), device="cpu", seed=0)

    assert (dreams.steepness == 0).all()


def test_drift_goes_along_the_weights_of_a_linear_network_to_the_end_of_the_leash() -> None:
    pictures = grey()
    classifier, weights = linear()
    rows = np.array([3, 70])

    drifted = drift(classifier, pictures, rows, labels=BOTH, device="cpu")

    change = drifted.pictures - pictures[rows][:, None]
    assert np.sqrt((change**2).mean(axis=(2, 3, 4))) == pytest.approx(np.full((2, 2), LEASH), rel=1e-3)
    unit = weights / np.linalg.norm(weights)
    for row in change:
        along = row.reshape(2, -1) @ unit / np.linalg.norm(row.reshape(2, -1), axis=1)
        np.testing.assert_allclose(along, [-1, 1], atol=1e-4)


def test_drifted_pictures_stay_pictures() -> None:
    pictures = np.random.default_rng(0).uniform(size=(10, *SHAPE)).astype(np.float32)

    drifted = drift(linear()[0], pictures, np.arange(10), labels=BOTH, device="cpu").pictures

    assert drifted.min() >= 0
    assert drifted.max() <= 1


def test_chosen_pictures_take_every_cell_and_unit_alike() -> None:
    unit, cell = np.repeat(np.arange(24), 4), np.tile(np.arange(4), 24)

    rows = chosen_rows(cell, unit, np.arange(96), seed=0)

    assert np.bincount(cell[rows]).tolist() == [12, 12, 12, 12]
    assert np.bincount(unit[rows]).tolist() == [2] * 24


def test_pictures_of_no_cell_are_never_chosen() -> None:
    rows = chosen_rows(np.where(np.arange(30) < 10, 0, -1), np.arange(30), np.arange(30), seed=0)

    assert rows.tolist() == list(range(10))
