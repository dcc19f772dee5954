"""Rows needed, against textbook numbers, against the formulas used once rows are there, and by drawing again."""

from itertools import combinations

import numpy as np
import pytest

from evenhand.auditors.disparity import power
from evenhand.auditors.disparity.planning import largest_stray, trials_needed
from evenhand.auditors.errors import ImpossiblePlan
from evenhand.auditors.intervals import Interval, difference_interval, normal_quantile, ratio_interval, tukey_z
from evenhand.auditors.verdict import Comparison

DEFAULTS = {"groups": 2, "alpha": 0.05, "power": 0.8}


def needed(comparison: Comparison, base: float, other: float, tolerance: float, **changed: float):
    return trials_needed(base=base, other=other, comparison=comparison, tolerance=tolerance, **(DEFAULTS | changed))


@pytest.mark.parametrize(("base", "rows"), [(0.5, 388), (0.3, 859), (0.1, 3213), (0.05, 6745)])
def test_rows_to_reject_equality_at_an_impact_ratio_of_four_fifths(base: float, rows: int) -> None:
    """METHODS section 2; the textbook size of a two-sample test of proportions (Fleiss, Levin and Paik 2003, 4.14)."""
    assert needed(Comparison.RATIO, base, 0.8 * base, 1.0).disparity == pytest.approx(rows, abs=1)


def test_rows_to_prove_a_difference_by_hand() -> None:
    """At tolerance 0 the restricted rates are the pooled one: (1.96 root(2 p q) + .8416 root(sum of p q))^2 / gap^2."""
    high, low = 0.6, 0.45
    pooled = (high + low) / 2
    by_hand = (
        1.959964 * np.sqrt(2 * pooled * (1 - pooled)) + 0.841621 * np.sqrt(high * (1 - high) + low * (1 - low))
    ) ** 2 / (high - low) ** 2

    assert needed(Comparison.DIFFERENCE, high, low, 0.0).disparity == pytest.approx(by_hand, abs=1.5)


def test_a_gap_within_the_tolerance_is_never_proven_beyond_it() -> None:
    assert needed(Comparison.DIFFERENCE, 0.5, 0.42, 0.1).disparity is None
    assert needed(Comparison.RATIO, 0.5, 0.4, 0.8).disparity is None


def test_no_tolerance_leaves_no_room_for_equality() -> None:
    assert needed(Comparison.DIFFERENCE, 0.5, 0.3, 0.0).within is None
    assert needed(Comparison.RATIO, 0.5, 0.3, 1.0).within is None


@pytest.mark.parametrize("groups", [2, 5, 14])
def test_stray_of_equal_groups_is_the_studentized_range(groups: int) -> None:
    """Tukey's quantile is that of the range over root 2, by an integral of its own."""
    assert largest_stray(groups, factor=1.0, probability=0.95) == pytest.approx(
        tukey_z(groups, level=0.95) * np.sqrt(2), abs=1e-6
    )


def test_stray_of_a_ratio_is_that_of_draws() -> None:
    draws = np.random.default_rng(1).standard_normal((200_000, 4))
    simulated = np.quantile(0.8 * draws.max(axis=1) - draws.min(axis=1), 0.8)

    assert largest_stray(4, factor=0.8, probability=0.8) == pytest.approx(simulated, abs=0.01)


@pytest.mark.parametrize("comparison", [Comparison.DIFFERENCE, Comparison.RATIO])
@pytest.mark.parametrize("groups", [2, 4])
def test_planned_rows_are_those_that_a_report_would_ask_for(comparison: Comparison, groups: int) -> None:
    """The same question put to the formulas for rows already counted, from a large sample with these rates."""
    tolerance = 0.1 if comparison is Comparison.DIFFERENCE else 0.8
    n = 1e6
    high, low = 0.6, 0.4
    one, other = (high, low) if comparison is Comparison.DIFFERENCE else (low, high)
    z, z_equivalence = tukey_z(groups, level=0.95), normal_quantile(0.95)
    growth = power.growth_to_prove_disparity(
        np.array([one]),
        np.array([n]),
        np.array([other]),
        np.array([n]),
        comparison=comparison,
        tolerance=tolerance,
        z=z,
    )[0]
    within = power.growth_to_prove_all_within(
        [(high, np.full(groups, n))], comparison=comparison, tolerance=tolerance, z_equivalence=z_equivalence
    )

    planned = needed(comparison, high, low, tolerance, groups=groups)

    assert planned.disparity == pytest.approx(growth * n, rel=0.01, abs=2)
    assert planned.within == pytest.approx(within * n, rel=0.06, abs=3)


def test_more_groups_checks_power_and_nearness_take_more_rows() -> None:
    plain = needed(Comparison.DIFFERENCE, 0.5, 0.3, 0.1)

    for changed in ({"groups": 5}, {"alpha": 0.01}, {"power": 0.9}):
        more = needed(Comparison.DIFFERENCE, 0.5, 0.3, 0.1, **changed)
        assert more.disparity > plain.disparity
        assert more.within > plain.within
    assert needed(Comparison.DIFFERENCE, 0.5, 0.38, 0.1).disparity > plain.disparity


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"base": 1.0}, "the base rate is 1"),
        ({"other": -0.1}, "puts the other group at -0.1"),
        ({"tolerance": 1.0}, "tolerance of a difference is 1"),
        ({"groups": 1}, "1 group is compared"),
        ({"power": 1.0}, "the power is 1"),
    ],
)
def test_what_cannot_be_is_refused(changed: dict[str, float], said: str) -> None:
    asked = {"base": 0.5, "other": 0.3, "comparison": Comparison.DIFFERENCE, "tolerance": 0.1} | DEFAULTS

    with pytest.raises(ImpossiblePlan, match=said):
        trials_needed(**(asked | changed))


def proven(rates: list[float], n: int, comparison: Comparison, tolerance: float, *, draws: int) -> tuple[float, float]:
    """Shares of samples in which the first and the last group are proven apart, and in which all pairs are within.

    The first group has the higher rate; a ratio is of a later group over an earlier one.
    """
    rng, groups = np.random.default_rng(20), len(rates)
    selected = rng.binomial(n, rates, size=(draws, groups)).astype(float)
    within = np.ones(draws, dtype=bool)
    difference = comparison is Comparison.DIFFERENCE
    interval = difference_interval if difference else ratio_interval

    def bounds(i: int, j: int, z: float) -> Interval:
        one, other = (i, j) if difference else (j, i)
        return interval(selected[:, one], n, selected[:, other], n, z=z)

    for i, j in combinations(range(groups), 2):
        found = bounds(i, j, normal_quantile(0.95))
        lowest, highest = (-tolerance, tolerance) if difference else (tolerance, 1 / tolerance)
        within &= (found.low > lowest) & (found.high < highest)
    ends = bounds(0, groups - 1, tukey_z(groups, level=0.95))
    beyond = ends.low > tolerance if difference else ends.high < tolerance
    return float(beyond.mean()), float(within.mean())


CASES = [
    (Comparison.DIFFERENCE, 0.5, 0.3, 0.1, 2),
    (Comparison.RATIO, 0.5, 0.3, 0.8, 2),
    (Comparison.DIFFERENCE, 0.4, 0.2, 0.1, 4),
    (Comparison.RATIO, 0.4, 0.24, 0.8, 4),
]


def promised(case: tuple[Comparison, float, float, float, int], *, draws: int) -> tuple[float, float]:
    comparison, base, other, tolerance, groups = case
    rows = needed(comparison, base, other, tolerance, groups=groups)
    middle = [(base + other) / 2] * (groups - 2)
    beyond, _ = proven([base, *middle, other], rows.disparity, comparison, tolerance, draws=draws)
    _, within = proven([base] * groups, rows.within, comparison, tolerance, draws=draws)
    return beyond, within


@pytest.mark.parametrize("case", CASES[:2], ids=str)
def test_planned_rows_have_the_power_that_they_promise_in_few_draws(case: tuple) -> None:
    """2,000 draws: 3 points, and two standard errors of .9 points."""
    for share in promised(case, draws=2000):
        assert share == pytest.approx(0.8, abs=0.048)


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=str)
def test_planned_rows_have_the_power_that_they_promise(case: tuple) -> None:
    for share in promised(case, draws=40_000):
        assert share == pytest.approx(0.8, abs=0.03)
