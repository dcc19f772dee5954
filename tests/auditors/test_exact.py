"""Exact tests against scipy, and the answers of METHODS 8.2."""

import numpy as np
import pytest
from scipy.stats import boschloo_exact, fisher_exact

from evenhand.auditors.exact_tests import exact, is_small


def test_twelve_of_forty_against_forty_eight_of_eighty() -> None:
    found = exact(12, 40, 48, 80)

    assert found.fisher == pytest.approx(0.003409, abs=5e-7)
    assert found.boschloo == pytest.approx(0.002006, abs=5e-7)


def test_female_against_male_of_the_culture_fit_table() -> None:
    """METHODS 8.4."""
    assert exact(34, 76, 50, 92).fisher == pytest.approx(0.278, abs=5e-4)


@pytest.mark.parametrize("seed", range(15))
def test_fisher_and_boschloo_equal_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n1, n2 = (int(n) for n in rng.integers(2, 40, 2))
    x1, x2 = int(rng.integers(0, n1 + 1)), int(rng.integers(0, n2 + 1))
    groups_as_columns = [[x1, x2], [n1 - x1, n2 - x2]]

    found = exact(x1, n1, x2, n2)

    assert found.fisher == pytest.approx(fisher_exact(groups_as_columns).pvalue, abs=1e-9)
    assert found.boschloo == pytest.approx(boschloo_exact(groups_as_columns, n=64).pvalue, abs=1e-5)


def test_mid_p_takes_half_of_the_table_seen() -> None:
    """By hand, margins (3, 3) and 3 successes: 0 or 3 of 3 have probability 1/20 each, 1 or 2 have 9/20 each."""
    assert exact(0, 3, 3, 3).mid_p == pytest.approx((1 / 20 + 1 / 20) / 2)
    assert exact(0, 3, 3, 3).fisher == pytest.approx(2 / 20)


def test_swapping_the_groups_changes_no_p_value() -> None:
    one, other = exact(3, 20, 9, 25), exact(9, 25, 3, 20)

    assert one.fisher == pytest.approx(other.fisher)
    assert one.mid_p == pytest.approx(other.mid_p)
    assert one.boschloo == pytest.approx(other.boschloo)


def test_boschloo_is_left_out_of_large_tables() -> None:
    assert exact(3, 501, 5, 40).boschloo is None


def test_small_is_an_expectation_under_five_or_a_side_under_thirty() -> None:
    assert is_small(2, 100, 2, 100)
    assert is_small(15, 29, 50, 100)
    assert not is_small(50, 100, 40, 100)
