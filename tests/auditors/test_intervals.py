"""Known answers are those of METHODS section 8 and of the papers named there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import studentized_range
from statsmodels.stats.proportion import proportion_confint

from evenhand.auditors.intervals import (
    difference_interval,
    newcombe_interval,
    normal_quantile,
    ratio_interval,
    score_z_difference,
    score_z_ratio,
    tukey_p_value,
    tukey_z,
    wilson,
)

Z95 = normal_quantile(0.975)


@pytest.mark.parametrize(("groups", "expected"), [(2, 1.960), (5, 2.728), (14, 3.354), (100, 4.302)])
def test_tukey_z_holds_all_pairs(groups: int, expected: float) -> None:
    assert tukey_z(groups, level=0.95) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("groups", [3, 6, 20])
def test_tukey_z_equals_scipys_studentized_range(groups: int) -> None:
    reference = studentized_range.ppf(0.975, groups, np.inf) / np.sqrt(2)

    assert tukey_z(groups, level=0.975) == pytest.approx(reference, abs=1e-5)


@pytest.mark.parametrize("groups", [2, 3, 14])
@pytest.mark.parametrize("z", [0.5, 2.0, 3.5])
def test_tukey_p_value_equals_scipys_studentized_range(groups: int, z: float) -> None:
    reference = studentized_range.sf(np.sqrt(2) * z, groups, np.inf)

    assert tukey_p_value(z, groups) == pytest.approx(reference, abs=1e-7)


def test_a_statistic_inside_the_hypothesis_has_the_p_value_one() -> None:
    assert tukey_p_value(-1.0, 3) == 1


@pytest.mark.parametrize(("x", "n"), [(0, 7), (7, 7), (3, 10), (412, 1000)])
def test_wilson_equals_statsmodels(x: int, n: int) -> None:
    interval = wilson([x], [n], z=Z95)

    assert (interval.low[0], interval.high[0]) == pytest.approx(proportion_confint(x, n, method="wilson"), abs=1e-12)


def test_wilson_of_no_trials_does_not_exist() -> None:
    assert np.isnan(wilson([0], [0], z=Z95).low[0])


def test_miettinen_nurminen_difference_of_12_of_40_against_48_of_80() -> None:
    interval = difference_interval(12, 40, 48, 80, z=Z95)

    assert (interval.low[0], interval.high[0]) == pytest.approx((-0.4627, -0.1110), abs=5e-5)


def test_miettinen_nurminen_ratio_of_12_of_40_against_48_of_80() -> None:
    interval = ratio_interval(12, 40, 48, 80, z=Z95)

    assert (interval.low[0], interval.high[0]) == pytest.approx((0.2927, 0.7953), abs=5e-5)


def test_newcombe_1998_example() -> None:
    interval = newcombe_interval(56, 70, 48, 80, z=Z95)

    assert (interval.low[0], interval.high[0]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_miettinen_nurminen_of_newcombes_example() -> None:
    interval = difference_interval(56, 70, 48, 80, z=Z95)

    assert (interval.low[0], interval.high[0]) == pytest.approx((0.0528, 0.3382), abs=5e-5)


def test_nobody_selected_in_either_group_has_no_ratio() -> None:
    interval = ratio_interval([0], [10], [0], [10], z=Z95)

    assert np.isnan(interval.low[0])
    assert np.isnan(interval.high[0])


def test_nobody_selected_in_the_second_group_leaves_the_ratio_unbounded() -> None:
    assert ratio_interval([5], [10], [0], [10], z=Z95).high[0] == np.inf


sizes = st.integers(2, 400)


@given(n1=sizes, n2=sizes, share1=st.floats(0, 1), share2=st.floats(0, 1), z=st.floats(0.5, 4))
def test_bounds_are_where_the_score_statistic_is_z(n1: int, n2: int, share1: float, share2: float, z: float) -> None:
    x1, x2 = round(share1 * n1), round(share2 * n2)
    a, b, c, d = (np.array([float(v)]) for v in (x1, n1, x2, n2))

    difference = difference_interval(x1, n1, x2, n2, z=z)
    ratio = ratio_interval(x1, n1, x2, n2, z=z)

    assert difference.low[0] <= x1 / n1 - x2 / n2 <= difference.high[0]
    if difference.low[0] > -1 + 1e-9:
        assert score_z_difference(a, b, c, d, difference.low)[0] == pytest.approx(z, abs=1e-6)
    if difference.high[0] < 1 - 1e-9:
        assert score_z_difference(a, b, c, d, difference.high)[0] == pytest.approx(-z, abs=1e-6)
    if x1 > 0 and x2 > 0:
        assert score_z_ratio(a, b, c, d, ratio.low)[0] == pytest.approx(z, abs=1e-6)
        assert score_z_ratio(a, b, c, d, ratio.high)[0] == pytest.approx(-z, abs=1e-6)


@given(n1=sizes, n2=sizes, share1=st.floats(0, 1), share2=st.floats(0, 1))
def test_swapping_the_groups_turns_the_interval(n1: int, n2: int, share1: float, share2: float) -> None:
    x1, x2 = round(share1 * n1), round(share2 * n2)

    one = difference_interval(x1, n1, x2, n2, z=2.5)
    other = difference_interval(x2, n2, x1, n1, z=2.5)

    assert one.low[0] == pytest.approx(-other.high[0], abs=1e-7)
