"""Attacks against classifiers whose exact robustness is known."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenhand.auditors.robustness.apgd import Apgd
from evenhand.auditors.robustness.ball import LinfBall
from evenhand.auditors.robustness.blind import Square
from evenhand.auditors.robustness.distances import distances
from evenhand.auditors.robustness.ensemble import (
    Outcome,
    Stage,
    Strength,
    Subjects,
    attack,
    black_box_stages,
    white_box_stages,
)
from evenhand.auditors.robustness.gradients import GradientOracle, margin
from evenhand.auditors.robustness.noise import normal, sample_keys, uniform
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.robustness.square_l2 import square_side
from tests.auditors.robustness.toys import BlackBox, Linear, Torch, convnet, exactly_robust

TIE = 1e-4
"""Margins nearer to 0 than this are decided by rounding of float32."""


def subjects_of(classifier: Torch | BlackBox, images: NDArray[np.float32], label: NDArray[np.int64]) -> Subjects:
    return Subjects(images, label, np.arange(len(images)), probabilities(classifier, images))


def linear_case(
    classes: int, *, clipped: bool = False
) -> tuple[Torch, Subjects, NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(classes)
    weights, bias = rng.normal(size=(classes, 6, 6, 3)), np.zeros(classes)
    images = rng.uniform(0.2, 0.8, (300, 6, 6, 3))
    if clipped:
        images = rng.choice([0.0, 0.01, 0.5, 1.0], (300, 6, 6, 3))
    bias -= (images[:, None] * weights).sum(axis=(2, 3, 4)).mean(axis=0)
    classifier = Torch(Linear(weights, bias), (6, 6, 3), [f"class {index}" for index in range(classes)])
    pictures = images.astype(np.float32)
    return classifier, subjects_of(classifier, pictures, _decisions(classifier, pictures)), weights, bias


def _decisions(classifier: Torch, pictures: NDArray[np.float32]) -> NDArray[np.int64]:
    return probabilities(classifier, pictures).argmax(axis=1)


def robust_after(subjects: Subjects, classifier: Torch | BlackBox, stages: list[Stage], eps: float) -> Outcome:
    outcome = Outcome.before(subjects)
    attack(subjects, outcome, classifier=classifier, stages=stages, eps=eps, seed=1)
    return outcome


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("eps", [0.005, 0.02, 0.06])
def test_white_box_attacks_find_exactly_what_a_linear_classifier_can_be_fooled_on(
    classes: int, eps: float, clipped: bool
) -> None:
    """The closed form: the worst corner of the box cut by [0, 1], for every other class."""
    classifier, subjects, weights, bias = linear_case(classes, clipped=clipped)
    exact = exactly_robust(subjects.clean.astype(np.float64), subjects.label, weights, bias, eps)

    outcome = robust_after(subjects, classifier, white_box_stages(classifier, Strength(targets=9), device="cpu"), eps)

    clear = np.abs(exact) > TIE
    assert clear.mean() > 0.99
    assert np.array_equal(outcome.robust(eps)[clear], exact[clear] > 0)


def test_square_never_breaks_a_picture_that_is_robust_and_breaks_most_that_are_not() -> None:
    classifier, subjects, weights, bias = linear_case(2)
    exact = exactly_robust(subjects.clean.astype(np.float64), subjects.label, weights, bias, 0.05)

    outcome = robust_after(subjects, BlackBox(classifier), black_box_stages(BlackBox(classifier), Strength()), 0.05)

    broken = ~outcome.robust(0.05)
    assert not np.any(broken & (exact > TIE))
    assert broken.sum() > 0.6 * (exact < 0).sum()


def test_examples_lie_inside_the_ball_and_the_range_and_fool_the_deployed_model() -> None:
    classifier, subjects, _, _ = linear_case(3, clipped=True)

    outcome = robust_after(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"), 0.03)

    broken = np.isfinite(outcome.smallest)
    example = outcome.example[broken]
    assert broken.sum() > 20
    assert np.abs(example - subjects.clean[broken]).max() <= 0.03 + 1e-6
    assert example.min() >= 0
    assert example.max() <= 1
    assert np.all(probabilities(classifier, example).argmax(axis=1) != subjects.label[broken])


def test_bisection_finds_the_exact_distance_of_a_linear_classifier() -> None:
    """|w x + b| / ||w||_1 where nothing is clipped."""
    classifier, subjects, weights, bias = linear_case(2)
    difference = weights[1] - weights[0]
    exact = np.abs((subjects.clean * difference).sum(axis=(1, 2, 3)) + bias[1] - bias[0]) / np.abs(difference).sum()

    outcome = robust_after(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"), 0.05)

    measured = distances(subjects, outcome, classifier=classifier)
    found = np.isfinite(measured)
    assert np.all(measured[found] >= exact[found] - 1e-4)
    assert np.median(measured[found] / exact[found]) < 1.25


@pytest.fixture(scope="module")
def trained() -> tuple[Torch, Subjects]:
    """A small ConvNet that has learned stripes from checks."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 240)
    rows, columns = np.mgrid[:16, :16]
    pattern = np.where(label[:, None, None] == 1, (rows // 2) % 2, (rows // 2 + columns // 2) % 2)
    images = 0.5 + 0.06 * (pattern[..., None] - 0.5) + rng.normal(0, 0.05, (240, 16, 16, 3))
    pictures = np.clip(images, 0, 1).astype(np.float32)
    module = convnet(2)
    optimiser = torch.optim.Adam(module.parameters(), 3e-3)
    batch, target = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy()), torch.from_numpy(label)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(module(batch), target).backward()
        optimiser.step()
    classifier = Torch(module, (16, 16, 3))
    return classifier, subjects_of(classifier, pictures, label.astype(np.int64))


@pytest.mark.parametrize("black_box", [False, True])
def test_results_do_not_depend_on_the_batch_size_or_the_order(trained: tuple[Torch, Subjects], black_box: bool) -> None:
    classifier, subjects = trained
    stages = (
        black_box_stages(classifier, Strength(queries=60))
        if black_box
        else white_box_stages(classifier, Strength(steps=15), device="cpu")
    )
    rows, eps = np.arange(48), 0.2 if black_box else 0.02
    results = []
    for order, batch_size in ((rows, 1), (rows, 512), (rows[::-1], 7)):
        part = subjects.take(order)
        outcome = Outcome.before(part)
        attack(part, outcome, classifier=classifier, stages=stages, eps=eps, seed=3, batch_size=batch_size)
        results.append(outcome.smallest[np.argsort(order)])

    assert 0 < np.isinf(results[0]).mean() < 1
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_a_longer_ensemble_never_finds_less(trained: tuple[Torch, Subjects]) -> None:
    classifier, subjects = trained
    stages = white_box_stages(classifier, Strength(), device="cpu")

    one, all_of_them = (robust_after(subjects, classifier, part, 0.02).robust(0.02) for part in (stages[:1], stages))

    assert np.all(one | ~all_of_them)


class _Planted(nn.Module):
    """A robust rule with a planted exception: near a secret point of each ball the decision turns.

    The last layer alone differs from the bare rule: it adds the bump, whose slope leads to the secret point.
    """

    def __init__(self, secret: Tensor):
        super().__init__()
        self.secret = secret

    def forward(self, batch: Tensor) -> Tensor:
        rule = 40 * (batch.mean(dim=(1, 2, 3)) - 0.5)
        away = ((batch[:, None] - self.secret[None]) ** 2).mean(dim=(2, 3, 4)).amin(dim=1)
        bump = 20 * torch.exp(-away / 6e-4)
        return torch.stack([bump, rule], dim=1)


def test_the_attack_finds_an_adversarial_example_that_was_planted() -> None:
    """The unit test of Zimmermann et al. (2022): an attack that misses what is known to be there proves nothing."""
    rng = np.random.default_rng(5)
    eps, images = 0.03, rng.uniform(0.6, 0.9, (40, 6, 6, 1)).astype(np.float32)
    secret = images + rng.choice([-eps, eps], images.shape).astype(np.float32) * np.float32(0.9)
    classifier = Torch(_Planted(torch.from_numpy(secret.transpose(0, 3, 1, 2).copy())), (6, 6, 1))
    subjects = subjects_of(classifier, images, np.ones(40, dtype=np.int64))
    assert subjects.correct.all()
    assert np.all(probabilities(classifier, secret).argmax(axis=1) == 0)

    outcome = robust_after(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"), eps)

    assert outcome.robust(eps).mean() == 0


def test_thorough_attacks_restart_towards_each_target_from_other_points() -> None:
    classifier, subjects, _, _ = linear_case(5)
    thorough = Strength.thorough()

    stages = [stage for stage in white_box_stages(classifier, thorough, device="cpu") if stage.attack.name == "APGD-T"]

    batch, ball = subjects.batch(np.arange(1), 0), LinfBall(0.03)
    room = ball.around(batch.clean)
    starts = {stage.attack.search(batch, ball=ball, seed=1).propose(room).tobytes() for stage in stages}
    assert sorted(stage.target_rank for stage in stages) == sorted(5 * [0, 1, 2, 3])
    assert len(starts) == len(stages) == 20


def test_what_only_the_logits_misread_does_not_count() -> None:
    """Success is scored again by the deployed model; here it disagrees with its own logits everywhere."""
    classifier, subjects, _, _ = linear_case(2)
    stages = white_box_stages(classifier, Strength(), device="cpu")

    class Deployed(Torch):
        def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
            return np.tile([0.9, 0.1], (len(images), 1))

    deployed = Deployed(classifier.module, classifier.image_shape)
    zeros = subjects.take(np.flatnonzero(subjects.label == 0))

    outcome = robust_after(zeros, deployed, stages, 0.06)

    assert outcome.robust(0.06).all()


def test_a_network_that_calls_view_on_its_input_can_be_attacked() -> None:
    class Viewing(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            score = batch.view(len(batch), -1).mean(dim=1) - 0.5
            return torch.stack([-score, score], dim=1)

    pictures = np.full((4, 6, 6, 3), 0.52, dtype=np.float32)
    classifier = Torch(Viewing(), (6, 6, 3))
    subjects = subjects_of(classifier, pictures, np.ones(4, dtype=np.int64))

    outcome = robust_after(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"), 0.03)

    assert not outcome.robust(0.03).any()


def test_an_attack_supplies_only_its_start_and_direction() -> None:
    """The loop runs an attack it has never seen."""
    classifier, subjects, _, _ = linear_case(2)
    stage = Stage(Apgd("mine", 5), GradientOracle(classifier, margin))

    outcome = robust_after(subjects, classifier, [stage], 0.06)

    assert outcome.names == ["mine"]
    assert (~outcome.robust(0.06)).any()


def test_square_sides_follow_the_published_schedule() -> None:
    """Andriushchenko et al. (2020): the share of the area starts at .8 and is halved at set queries of 10,000."""
    sides = [square_side(query, queries=10_000, height=32, width=32) for query in (1, 11, 51, 201, 501, 9000)]

    assert sides == [29, 20, 14, 10, 7, 1]


def test_noise_depends_on_the_sample_alone() -> None:
    ids = np.array([7, 3, 11], dtype=np.int64)

    together = uniform(sample_keys(1, ids, "start"), 50)
    alone = uniform(sample_keys(1, ids[1:2], "start"), 50)

    assert np.array_equal(together[1], alone[0])
    assert not np.array_equal(together[0], together[1])
    assert not np.array_equal(together, uniform(sample_keys(2, ids, "start"), 50))
    assert not np.array_equal(together, uniform(sample_keys(1, ids, "other"), 50))


def test_noise_has_the_moments_it_claims() -> None:
    keys = sample_keys(0, np.arange(400, dtype=np.int64), "moments")

    flat, bell = uniform(keys, 501), normal(keys, 501)

    assert flat.min() >= 0
    assert flat.max() < 1
    assert flat.mean() == pytest.approx(1 / 2, abs=0.003)
    assert flat.var() == pytest.approx(1 / 12, abs=0.001)
    assert abs(np.corrcoef(flat[:, 0], flat[:, 1])[0, 1]) < 0.15
    assert bell.mean() == pytest.approx(0, abs=0.01)
    assert bell.var() == pytest.approx(1, abs=0.02)


def test_ball_measures_the_largest_change() -> None:
    change = np.zeros((2, 2, 2, 1), dtype=np.float32)
    change[1, 0, 1, 0] = -0.25

    assert LinfBall(0.1).sizes(change).tolist() == [0.0, 0.25]


def test_black_box_audit_needs_no_torch() -> None:
    code = "import sys, evenhand.auditors.robustness, evenhand.auditors.perception; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_square_asks_no_more_than_its_queries() -> None:
    classifier, subjects, _, _ = linear_case(2)
    asked = 0

    class Counting(BlackBox):
        def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
            nonlocal asked
            asked += len(images)
            return super().predict_proba(images)

    counting = Counting(classifier)
    one = subjects.take(np.flatnonzero(np.abs(subjects.scores[:, 1] - 0.5) > 0.49)[:1])
    stage = next(
        stage for stage in black_box_stages(counting, Strength(queries=25)) if isinstance(stage.attack, Square)
    )

    robust_after(one, counting, [stage], 1e-5)

    assert asked == 25
