"""Classifiers that answer with labels alone: they are attacked as such, and do not look more robust than they are."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.robustness import audit_robustness
from evenhand.auditors.robustness.ball import BALLS, L2Ball, LinfBall
from evenhand.auditors.robustness.distances import distances
from evenhand.auditors.robustness.ensemble import Outcome, Stage, Strength, Subjects, attack, black_box_stages
from evenhand.auditors.robustness.loop import Found, run
from evenhand.auditors.robustness.rays import RayS
from evenhand.auditors.robustness.scores import ScoreOracle, labels_only, probabilities
from evenhand.auditors.robustness.surfree import SurFree
from evenhand.classifiers.training import train_images
from evenhand.datasets.sources import open_source
from tests.auditors.robustness import test_robustness_l2 as in_l2
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


@pytest.mark.parametrize(("norm", "eps", "search"), [("linf", 0.02, RayS), ("l2", 0.2, RayS), ("l2", 0.2, SurFree)])
def test_what_is_misread_beyond_the_ball_settles_nothing(
    norm: Norm, eps: float, search: type[RayS] | type[SurFree]
) -> None:
    classifier, subjects, _, _ = linear_case(2)
    ball = BALLS[norm](eps)
    batch = subjects.batch(np.arange(len(subjects)), 0)

    found = run(batch, attack=search(300), oracle=ScoreOracle(Labels(classifier)), ball=ball, seed=1)

    assert 20 < len(found.rows) < len(subjects)
    assert len(np.unique(found.rows)) == len(found.rows)
    assert ball.sizes(found.pictures - subjects.clean[found.rows]).max() <= ball.eps + 1e-6
    assert found.pictures.min() >= 0
    assert found.pictures.max() <= 1


@pytest.mark.parametrize(("search", "ball"), [(RayS, LinfBall), (SurFree, L2Ball)])
def test_a_search_asks_no_more_than_its_queries_and_depends_on_the_sample_alone(
    search: type[RayS] | type[SurFree], ball: type[LinfBall] | type[L2Ball]
) -> None:
    classifier, subjects, _, _ = linear_case(2)
    labels, far = Labels(classifier), subjects.take(np.flatnonzero(np.abs(subjects.scores[:, 1] - 0.5) > 0.49)[:9])

    def attacked(rows: NDArray[np.intp], *, queries: int = 400, eps: float = 0.04) -> Found:
        batch, oracle = far.batch(rows, 0), ScoreOracle(labels)
        return run(batch, attack=search(queries), oracle=oracle, ball=ball(eps * reach), seed=1)

    # an L2 change as long as an L-infinity one of that size in every value
    reach = 1.0 if ball is LinfBall else far.clean[0].size ** 0.5
    together = attacked(np.arange(9))
    alone = [attacked(np.array([row])) for row in range(9)]
    labels.asked = 0
    attacked(np.array([0]), queries=25, eps=1e-6)

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


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("eps", [0.05, 0.1, 0.2])
def test_labels_alone_break_nearly_what_a_linear_classifier_can_be_fooled_on_in_l2(classes: int, eps: float) -> None:
    """Weights of white noise, the hardest for directions that are smooth."""
    classifier, subjects, weights = in_l2.case(classes)
    exact = in_l2.worst_margins(subjects, weights, eps) > 0
    labels = Labels(classifier)
    hard = replace(subjects, scores=probabilities(labels, subjects.clean))
    stages = black_box_stages(labels, Strength(), labels_only=True, norm="l2")

    robust = in_l2.attacked(hard, labels, stages, eps).robust(eps)

    assert [stage.attack.name for stage in stages] == ["random noise", "SurFree"]
    assert not np.any(exact & ~robust)
    assert robust.mean() - exact.mean() < 0.15


@pytest.fixture(scope="module")
def digits() -> tuple[Labels, Subjects]:
    """A ConvNet that has learned half of the digits, told by labels alone, and 96 of the others."""
    images = open_source("digits").resized((28, 28))
    label = images.table.classes("digit")
    trained = train_images(
        "convnet4", images.images[:900], label.codes[:900], classes=label.names, seed=0, device="cpu", epochs=4
    )
    labels = Labels(trained.classifier)  # type: ignore[arg-type]
    clean = (images.images[900:996] / np.float32(255)).astype(np.float32)
    return labels, Subjects(clean, label.codes[900:996].astype(np.int64), np.arange(96), probabilities(labels, clean))


@pytest.mark.parametrize(("eps", "gain"), [(1.0, 0.0), (2.0, 0.1)])
def test_surfree_leaves_fewer_digits_standing_than_rays_at_the_same_queries_in_l2(
    digits: tuple[Labels, Subjects], eps: float, gain: float
) -> None:
    labels, subjects = digits
    left = {}
    for search in (SurFree(500), RayS(500)):
        outcome, stage = Outcome.before(subjects), Stage(search, ScoreOracle(labels), black_box=True)
        attack(subjects, outcome, classifier=labels, stages=[stage], eps=eps, seed=1, norm="l2")
        left[search.name] = outcome.robust(eps).mean()

    assert 0.1 < left["RayS"] < subjects.correct.mean()
    assert left["SurFree"] <= left["RayS"] - gain


def test_the_report_names_the_search_of_each_norm() -> None:
    data = people(near=0.03, far=0.08, bias=0.95, units=8)

    report, _ = audit_robustness(
        data, Labels(brightness()), attributes=["tone"], norms=("linf", "l2"), eps=(0.05,), eps_l2=(0.4,), seed=1
    )

    assert report.attack.attacks == ["random noise", "RayS"]
    assert report.other_norms[0].attack.attacks == ["random noise", "SurFree"]
