"""The L2 ball and the attacks in it, against classifiers whose exact L2 robustness is known."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.errors import PolicyError
from evenhand.auditors.robustness import audit_robustness
from evenhand.auditors.robustness.attacked import sizes_for
from evenhand.auditors.robustness.ball import L2Ball
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
from evenhand.auditors.robustness.noise import sample_keys
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.robustness.square_l2 import hill, two_hills
from evenhand.auditors.verdict import Verdict
from tests.auditors.robustness.toys import SIDE, BlackBox, Linear, Torch, brightness, distances_of, people

TIE = 2e-3
"""Margins nearer to 0 than this, as shares of the largest, are left out: the projection is exact to a thousandth."""

EPS = 0.4
SMALL_EPS = 0.1


def case(classes: int, *, clipped: bool = False) -> tuple[Torch, Subjects, NDArray[np.float64]]:
    """Pictures read by a linear rule, and its weights (classes, height, width, channels)."""
    rng = np.random.default_rng(classes)
    weights = rng.normal(size=(classes, 6, 6, 3))
    images = rng.choice([0.0, 0.01, 0.5, 1.0], (200, 6, 6, 3)) if clipped else rng.uniform(0.2, 0.8, (200, 6, 6, 3))
    bias = -(images[:, None] * weights).sum(axis=(2, 3, 4)).mean(axis=0)
    classifier = Torch(Linear(weights, bias), (6, 6, 3), [f"class {index}" for index in range(classes)])
    pictures = images.astype(np.float32)
    scores = probabilities(classifier, pictures)
    return classifier, Subjects(pictures, scores.argmax(axis=1), np.arange(200), scores), weights


def worst_margins(subjects: Subjects, weights: NDArray[np.float64], eps: float) -> NDArray[np.float64]:
    """Least margin of the label within eps and [0, 1]: the change is t times the weights, cut, with t by bisection."""
    clean = subjects.clean.astype(np.float64)
    logs = np.log(subjects.scores)
    worst = np.full(len(subjects), np.inf)
    for row, own in enumerate(subjects.label):
        for other in set(range(len(weights))) - {own}:
            difference = weights[other] - weights[own]
            low, high = 0.0, 1e6
            for _ in range(80):
                middle = (low + high) / 2
                length = np.linalg.norm(np.clip(clean[row] + middle * difference, 0, 1) - clean[row])
                low, high = (middle, high) if length < eps else (low, middle)
            change = np.clip(clean[row] + low * difference, 0, 1) - clean[row]
            worst[row] = min(worst[row], logs[row, own] - logs[row, other] - (difference * change).sum())
    return worst


def attacked(subjects: Subjects, classifier: Torch | BlackBox, stages: list[Stage], eps: float = EPS) -> Outcome:
    outcome = Outcome.before(subjects)
    attack(subjects, outcome, classifier=classifier, stages=stages, eps=eps, seed=1, norm="l2")
    return outcome


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize("classes", [2, 3, 5])
def test_white_box_attacks_find_exactly_what_a_linear_classifier_can_be_fooled_on(classes: int, clipped: bool) -> None:
    classifier, subjects, weights = case(classes, clipped=clipped)
    eps = EPS if clipped else SMALL_EPS
    exact = worst_margins(subjects, weights, eps)

    outcome = attacked(subjects, classifier, white_box_stages(classifier, Strength(targets=9), device="cpu"), eps)

    clear = np.abs(exact) > TIE * np.abs(exact).max()
    assert 0.1 < np.mean(exact > 0) < 0.9
    assert clear.mean() > 0.97
    assert np.array_equal(outcome.robust(eps)[clear], exact[clear] > 0)


def test_examples_lie_inside_the_ball_and_the_range_and_fool_the_deployed_model() -> None:
    classifier, subjects, _ = case(3, clipped=True)

    outcome = attacked(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"))

    broken = np.isfinite(outcome.smallest)
    example = outcome.example[broken]
    assert broken.sum() > 20
    assert np.linalg.norm((example - subjects.clean[broken]).reshape(len(example), -1), axis=1).max() <= EPS + 1e-5
    assert example.min() >= 0
    assert example.max() <= 1
    assert np.all(probabilities(classifier, example).argmax(axis=1) != subjects.label[broken])


def test_square_never_breaks_a_picture_that_is_robust_and_breaks_many_that_are_not() -> None:
    classifier, subjects, weights = case(2)
    exact = worst_margins(subjects, weights, EPS)

    outcome = attacked(subjects, BlackBox(classifier), black_box_stages(BlackBox(classifier), Strength(queries=400)))

    broken = ~outcome.robust(EPS)
    assert not np.any(broken & (exact > TIE))
    assert broken.sum() > 0.4 * (exact < 0).sum()


def test_square_does_better_than_its_start() -> None:
    classifier, subjects, _ = case(2)
    ask = black_box_stages(classifier, Strength())[0].oracle

    one, many = (
        attacked(subjects, classifier, [Stage(Square(queries), ask, black_box=True)]).robust(EPS).mean()
        for queries in (1, 400)
    )

    assert many < one - 0.1


def test_distance_is_near_the_exact_one_of_a_linear_classifier() -> None:
    """|w x + b| / ||w||_2 where nothing is cut."""
    classifier, subjects, weights = case(2)
    logs = np.log(subjects.scores)
    exact = np.abs(logs[:, 1] - logs[:, 0]) / np.linalg.norm(weights[1] - weights[0])

    outcome = attacked(subjects, classifier, white_box_stages(classifier, Strength(), device="cpu"))

    found = np.isfinite(outcome.smallest)
    measured = distances(subjects, outcome, classifier=classifier, norm="l2")[found]
    assert np.all(measured >= exact[found] * 0.999)
    assert np.median(measured / exact[found]) < 1.25


@pytest.mark.parametrize("clipped", [False, True])
def test_projection_is_the_nearest_point_of_ball_and_range(clipped: bool) -> None:
    """By bisection of t in float64: the nearest point is the picture plus t times the change, cut to [0, 1]."""
    rng = np.random.default_rng(0)
    clean = rng.choice([0.0, 1.0] if clipped else [0.4, 0.6], (50, 5, 5, 1)).astype(np.float32)
    candidate = clean + rng.normal(0, 0.3, clean.shape).astype(np.float32)

    projected = L2Ball(0.7).around(clean).project(candidate.copy())

    for row in range(50):
        change = (candidate[row] - clean[row]).astype(np.float64)
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            length = np.linalg.norm(np.clip(clean[row] + middle * change, 0, 1) - clean[row])
            low, high = (middle, high) if length < 0.7 else (low, middle)
        assert projected[row] == pytest.approx(np.clip(clean[row] + low * change, 0, 1), abs=2e-3)
    assert L2Ball(0.7).sizes(projected - clean).max() <= 0.7 + 1e-6


def test_projection_does_not_depend_on_the_other_pictures() -> None:
    rng = np.random.default_rng(0)
    clean = rng.choice([0.0, 0.5, 1.0], (20, 5, 5, 3)).astype(np.float32)
    candidate = clean + rng.normal(0, 0.3, clean.shape).astype(np.float32)

    together = L2Ball(0.7).around(clean).project(candidate.copy())
    alone = [L2Ball(0.7).around(clean[row : row + 1]).project(candidate[row : row + 1].copy())[0] for row in range(20)]

    assert np.array_equal(together, np.stack(alone))


def test_random_start_has_the_length_of_the_ball() -> None:
    clean = np.full((4, 5, 5, 3), 0.5, dtype=np.float32)

    start = L2Ball(0.7).start(clean, sample_keys(0, np.arange(4), "start"))

    assert L2Ball(0.7).sizes(start - clean) == pytest.approx(0.7, abs=1e-5)


def test_bumps_of_the_square_attack_follow_the_paper() -> None:
    """Andriushchenko et al. (2020), algorithm 3: a sum of 1/k^2 from the outside in; by hand for 3 × 3."""
    by_hand = np.full((3, 3), 1 / 4)
    by_hand[1, 1] = 1 + 1 / 4

    assert hill(3, 3) == pytest.approx(by_hand / np.linalg.norm(by_hand))
    assert np.linalg.norm(two_hills(7)) == pytest.approx(1)
    assert two_hills(7)[:3].min() > 0
    assert two_hills(7)[3:].max() < 0


def test_results_do_not_depend_on_batch_size_or_order() -> None:
    classifier, subjects, _ = case(5, clipped=True)
    stages = [
        *white_box_stages(classifier, Strength(steps=10), device="cpu"),
        *black_box_stages(classifier, Strength(queries=30)),
    ]
    results = []
    for order, batch_size in ((np.arange(60), 1), (np.arange(60), 512), (np.arange(60)[::-1], 7)):
        outcome = Outcome.before(subjects.take(order))
        attack(
            subjects.take(order),
            outcome,
            classifier=classifier,
            stages=stages,
            eps=0.3,
            seed=3,
            batch_size=batch_size,
            norm="l2",
        )
        results.append(outcome.smallest[np.argsort(order)])

    assert 0 < np.isinf(results[0]).mean() < 1
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_another_norm_is_measured_beside_and_decides_nothing() -> None:
    """Brightness in L2: a mean of .5 + d is |d| times the root of the pixels away, exactly."""
    data, root = people(near=0.03, far=0.08, bias=0.95), SIDE

    report, findings = audit_robustness(
        data, brightness(), attributes=["tone"], norms=("linf", "l2"), eps=(0.05,), eps_l2=(0.05 * root,), seed=1
    )

    (other,) = report.other_norms
    alone, _ = audit_robustness(data, brightness(), attributes=["tone"], eps=(0.05,), seed=1)
    assert report.attack == alone.attack
    assert report.gaps == alone.gaps
    assert other.attack.norm == "L2"
    assert other.robust_accuracy == pytest.approx(np.mean(distances_of(data) > 0.05), abs=1e-12)
    assert not other.masking.suspected
    assert all(not gap.decides for gap in other.gaps)
    assert {rank.label for rank in other.distance_ranks} == {"man", "woman"}
    assert all(rank.auc.low is not None for rank in other.distance_ranks)
    # the same order as in L-infinity: here both distances are the same but for a factor
    for rank, first in zip(other.distance_ranks, report.distance_ranks, strict=True):
        assert (rank.auc.estimate or 0) > 0.5 if (first.auc.estimate or 0) > 0.5 else (rank.auc.estimate or 1) < 0.5
    assert len(findings) == len({finding.id for finding in findings})
    assert sum(finding.metric != "corruption_gap" for finding in findings) == len(report.gaps)


def test_l2_alone_decides_and_says_so() -> None:
    data = people(near=0.03, far=0.08, bias=0.95)

    report, findings = audit_robustness(
        data, brightness(), attributes=["tone"], norms=("l2",), eps_l2=(0.05 * SIDE,), seed=1
    )

    assert report.attack.norm == "L2"
    assert findings[0].verdict is Verdict.PROVEN_DISPARITY
    assert "under L2 attacks of eps 0.4:" in findings[0].message


def test_default_size_in_l2_is_the_usual_half_beside_eight_of_255_for_small_colours() -> None:
    """Croce et al. (2021), RobustBench: eps .5 in L2 beside 8/255, for 32 × 32 colours."""
    data = replace(people(near=0.03, far=0.08, bias=0.95), images=np.zeros((160, 32, 32, 3), np.uint8))

    assert sizes_for(data, None, "l2").deciding == pytest.approx((0.125, 0.5))


def test_an_l2_size_beyond_every_change_is_refused() -> None:
    with pytest.raises(PolicyError, match=r"eps 9 is no size of change in L2.*\(0, 8\]"):
        sizes_for(people(near=0.03, far=0.08, bias=0.95), (9,), "l2")
