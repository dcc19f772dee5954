"""Classifiers that answer with labels alone: they are attacked as such, and do not look more robust than they are."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.robustness import audit_robustness
from evenhand.auditors.robustness.ball import BALLS, LinfBall
from evenhand.auditors.robustness.distances import distances
from evenhand.auditors.robustness.ensemble import Outcome, Strength, Subjects, attack, black_box_stages
from evenhand.auditors.robustness.loop import run
from evenhand.auditors.robustness.rays import RayS
from evenhand.auditors.robustness.scores import ScoreOracle, labels_only, probabilities
from tests.auditors.robustness.test_robustness_attacks import linear_case
from tests.auditors.robustness.toys import BlackBox, brightness, exactly_robust, people


class Labels(BlackBox):
    """The same decisions, told as probabilities of 0 and 1."""

    asked = 0

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        self.asked += len(images)
        scores = super().predict_proba(images)
        return np.eye(scores.shape[1])[scores.argmax(axis=1)]


def survivors(subjects: Subjects, classifier: BlackBox, eps: float) -> NDArray[np.bool_]:
    outcome = Outcome.before(subjects)
    hard = labels_only(classifier, subjects.scores)
    stages = black_box_stages(classifier, Strength(), labels_only=hard)
    attack(subjects, outcome, classifier=classifier, stages=stages, eps=eps, seed=1)
    return outcome.robust(eps)


def _by_square(subjects: Subjects, classifier: BlackBox, eps: float) -> NDArray[np.bool_]:
    outcome = Outcome.before(subjects)
    attack(subjects, outcome, classifier=classifier, stages=black_box_stages(classifier, Strength()), eps=eps, seed=1)
    return outcome.robust(eps)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("eps", [0.01, 0.02, 0.05])
def test_labels_alone_break_nearly_what_a_linear_classifier_can_be_fooled_on(classes: int, eps: float) -> None:
    classifier, subjects, weights, bias = linear_case(classes)
    exact = exactly_robust(subjects.clean.astype(np.float64), subjects.label, weights, bias, eps) > 0
    labels = Labels(classifier)
    hard = replace(subjects, scores=probabilities(labels, subjects.clean))

    robust = survivors(hard, labels, eps)

    assert not np.any(exact & ~robust)
    assert exact.mean() < 0.7
    assert robust.mean() - exact.mean() < 0.05
    assert _by_square(hard, labels, eps).mean() - exact.mean() > 0.3
    assert robust.mean() - survivors(subjects, BlackBox(classifier), eps).mean() < 0.03


def test_distances_found_with_labels_alone_are_near_the_analytic_ones() -> None:
    """|w x + b| / ||w||_1 where nothing is clipped."""
    classifier, subjects, weights, bias = linear_case(2)
    difference = weights[1] - weights[0]
    exact = np.abs((subjects.clean * difference).sum(axis=(1, 2, 3)) + bias[1] - bias[0]) / np.abs(difference).sum()
    labels, outcome = Labels(classifier), Outcome.before(subjects)
    stages = black_box_stages(labels, Strength(), labels_only=True)

    for eps in np.geomspace(0.05, 0.005, 9):
        attack(subjects, outcome, classifier=labels, stages=stages, eps=float(eps), seed=1)

    measured = distances(subjects, outcome, classifier=labels)
    found = (exact > 0.005) & np.isfinite(measured)
    assert found.sum() > 150
    assert np.all(measured[found] >= exact[found] - 1e-4)
    assert np.median(measured[found] / exact[found]) < 1.2


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_what_is_misread_beyond_the_ball_settles_nothing(norm: str) -> None:
    classifier, subjects, _, _ = linear_case(2)
    ball = BALLS[norm](0.02 if norm == "linf" else 0.2)  # type: ignore[index]
    batch = subjects.batch(np.arange(len(subjects)), 0)

    found = run(batch, attack=RayS(300), oracle=ScoreOracle(Labels(classifier)), ball=ball, seed=1)

    assert 20 < len(found.rows) < len(subjects)
    assert len(np.unique(found.rows)) == len(found.rows)
    assert ball.sizes(found.pictures - subjects.clean[found.rows]).max() <= ball.eps + 1e-6
    assert found.pictures.min() >= 0
    assert found.pictures.max() <= 1


def test_rays_asks_no_more_than_its_queries_and_depends_on_the_sample_alone() -> None:
    classifier, subjects, _, _ = linear_case(2)
    labels, far = Labels(classifier), subjects.take(np.flatnonzero(np.abs(subjects.scores[:, 1] - 0.5) > 0.49)[:9])

    together = run(
        far.batch(np.arange(9), 0), attack=RayS(400), oracle=ScoreOracle(labels), ball=LinfBall(0.04), seed=1
    )
    alone = [
        run(far.batch(np.array([row]), 0), attack=RayS(400), oracle=ScoreOracle(labels), ball=LinfBall(0.04), seed=1)
        for row in range(9)
    ]
    labels.asked = 0
    run(far.batch(np.array([0]), 0), attack=RayS(25), oracle=ScoreOracle(labels), ball=LinfBall(1e-6), seed=1)

    assert labels.asked == 25
    assert sorted(together.rows) == [row for row in range(9) if len(alone[row].rows)]
    for row, picture in zip(together.rows, together.pictures, strict=True):
        assert np.array_equal(alone[row].pictures[0], picture)


def test_the_report_says_that_labels_alone_were_known_and_square_is_not_tried() -> None:
    data = people(near=0.03, far=0.08, bias=0.95)

    hard, _ = audit_robustness(data, Labels(brightness()), attributes=["tone"], eps=(0.05,), seed=1)
    soft, _ = audit_robustness(data, BlackBox(brightness()), attributes=["tone"], eps=(0.05,), seed=1)

    assert hard.attack.attacks == ["random noise", "RayS"]
    assert hard.attack.steps == 500
    assert hard.attack.queries == 510
    assert any("labels alone" in note and "500 queries" in note and "weak upper bound" in note for note in hard.notes)
    assert soft.attack.attacks == ["random noise", "Square"]
    assert not any("labels alone" in note for note in soft.notes)
    (gap,) = [gap for gap in hard.gaps if gap.decides]
    assert gap.verdict == "proven_disparity"


def test_one_uncertain_answer_is_no_labels_alone() -> None:
    scores = np.array([[0.0, 1.0], [1.0, 0.0], [0.3, 0.7]])
    classifier = brightness()

    assert labels_only(BlackBox(classifier), scores[:2])
    assert not labels_only(BlackBox(classifier), scores)
    assert not labels_only(classifier, scores[:2])
