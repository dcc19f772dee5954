"""Distances and their ranks against exact distances, a hand count, and simulated coverage."""

import numpy as np
import pytest

from evenhand.auditors.report import Robustness
from evenhand.auditors.robustness import audit_robustness
from evenhand.auditors.robustness.audit import MOST_PICTURES
from evenhand.auditors.robustness.ranks import area
from tests.auditors.robustness.toys import BlackBox, brightness, distances_of, people

PLANTED = people(near=0.03, far=0.20, bias=0.95)


def audited(classifier: object | None = None) -> Robustness:
    report, _ = audit_robustness(PLANTED, classifier or brightness(), attributes=["tone"], eps=(0.02, 0.05), seed=0)
    return report


REPORT = audited()


def test_pictures_that_no_attack_of_the_run_broke_still_get_a_distance() -> None:
    """Exact distances are about .03 and .20; the largest size of the run is .05."""
    exact = distances_of(PLANTED)
    assert REPORT.pictures is not None
    found = np.array(REPORT.pictures.distance, dtype=float)

    assert np.isfinite(found).all()
    assert (found >= exact - 1e-6).all()
    assert np.median(found / exact) < 1.2


def test_sizes_beyond_the_run_leave_its_rates_alone() -> None:
    exact = distances_of(PLANTED)
    assert REPORT.pictures is not None

    assert REPORT.pictures.robust == (exact > REPORT.attack.eps).tolist()
    assert all(max(curve.eps) == 0.05 for curve in REPORT.curves)


def test_results_of_single_pictures_add_up_to_those_of_groups() -> None:
    codes, texts = PLANTED.attributes["tone"]
    assert REPORT.pictures is not None
    robust, correct = np.array(REPORT.pictures.robust), np.array(REPORT.pictures.correct)

    for row in REPORT.groups:
        if row.label is None:
            chosen = codes == texts.index(row.group["tone"])
            assert robust[chosen].mean() == pytest.approx(row.robust_accuracy.estimate)
            assert correct[chosen].mean() == pytest.approx(row.clean_accuracy.estimate)
    assert REPORT.pictures.ids == PLANTED.ids.tolist()
    assert len(PLANTED) < MOST_PICTURES
    assert REPORT.pictures.left_out == 0


def test_ranks_put_the_planted_groups_in_order() -> None:
    """Dark women and light men are near the boundary, light women and dark men far from it."""
    ranks = {rank.label: rank.auc for rank in REPORT.distance_ranks}

    assert set(ranks) == {"man", "woman"}
    assert ranks["man"].low is not None
    assert ranks["man"].low > 0.5
    assert ranks["woman"].high is not None
    assert ranks["woman"].high < 0.5


def test_a_black_box_gets_distances_too() -> None:
    report = audited(BlackBox(brightness()))

    assert report.pictures is not None
    assert all(distance is not None for distance in report.pictures.distance)


def test_area_is_the_hand_count_with_ties_one_half_and_infinity_farthest() -> None:
    """Of 2 × 3 pairs: .2 > .1, .2 = .2, .2 < inf; inf > .1, inf > .2, inf = inf: 3 + 2 / 2 of 6."""
    units = np.arange(5)

    estimate = area(np.array([0.2, np.inf]), np.array([0.1, 0.2, np.inf]), units[:2], units[2:], level=0.95)

    assert estimate.estimate == pytest.approx(4 / 6)


def test_swapping_groups_turns_the_area_about_one_half() -> None:
    rng = np.random.default_rng(0)
    first, second, unit = rng.random(30), rng.random(30) + 0.2, np.arange(30)

    one = area(first, second, unit, unit, level=0.95)
    other = area(second, first, unit, unit, level=0.95)

    assert one.estimate is not None
    assert one.low is not None
    assert other.estimate == pytest.approx(1 - one.estimate)
    assert other.high == pytest.approx(1 - one.low)


@pytest.mark.parametrize("shared", [0.0, 0.8], ids=["independent", "within units"])
def test_interval_of_the_area_covers_one_half_for_equal_groups(shared: float) -> None:
    """600 draws of 40 units with two pictures in each group: coverage of .95 within four standard errors, .914 to .986."""
    rng = np.random.default_rng(1)
    unit = np.repeat(np.arange(40), 2)
    covered = 0
    for _ in range(600):
        person = shared * rng.normal(size=(2, 40))
        first, second = (person[group][unit] + rng.normal(size=80) for group in (0, 1))
        shown = area(first, second, unit, unit, level=0.95)
        assert shown.low is not None
        assert shown.high is not None
        covered += shown.low <= 0.5 <= shown.high

    assert 0.914 <= covered / 600 <= 0.986
