"""What both probes must say together: the test, the interval, the rule."""

import numpy as np
import pytest
from scipy import stats

from evenhand.auditors.perception.leaning import adjusted, lean_of, leaning
from evenhand.auditors.robustness.data import Level

LIGHT, DARK = Level(1, "light", 50), Level(0, "dark", 50)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def together(*means: float):  # type: ignore[no-untyped-def]
    spread = np.linspace(-0.1, 0.1, 16)
    return leaning([lean_of(mean + spread, rng()) for mean in means], label=1, first=DARK, second=LIGHT)


def test_sixteen_differences_of_one_sign_have_two_chances_in_all_arrangements() -> None:
    assert lean_of(np.full(16, 0.3), rng()).p_value == pytest.approx(2 / 2**16)


def test_drawn_sign_flips_agree_with_students_test() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, 40)

    found = lean_of(differences, rng())

    assert found.p_value == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, abs=0.02)


def test_interval_is_students_at_99_per_cent() -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, 16)
    reference = stats.ttest_1samp(differences, 0).confidence_interval(0.99)

    found = lean_of(differences, rng()).interval

    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_equivalence_must_hold_for_every_fit_of_a_probe() -> None:
    fits = np.array([[0.0, 0.1, -0.1], [0.8, 0.9, 0.7]])
    reference = stats.ttest_1samp(fits[1], 0).confidence_interval(0.90)

    found = lean_of(fits, rng())

    assert found.estimate == pytest.approx(0.4)
    assert found.equivalence.high == pytest.approx(reference.high)


def test_the_smaller_of_two_agreeing_differences_counts() -> None:
    assert together(1.4, 1.1).estimate == pytest.approx(1.1)
    assert together(-1.4, -1.1).estimate == pytest.approx(-1.1)


def test_probes_that_disagree_confirm_nothing() -> None:
    found = together(1.4, -1.1)

    assert not found.agree
    assert found.estimate == 0
    assert found.p_value == 1
    assert found.interval.low < -1.1 < 1.4 < found.interval.high


def test_one_class_and_group_among_four_is_adjusted_by_holm() -> None:
    four = adjusted([together(1.0, 1.0), *[together(0.01, 0.01)] * 3])

    assert four[0].p_value == pytest.approx(4 * 2 / 2**16)
    assert four[1].p_value > 0.5


def test_within_needs_both_probes() -> None:
    assert together(0.2, 0.3).within(0.5)
    assert not together(0.2, 0.6).within(0.5)
