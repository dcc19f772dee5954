"""Bootstrap, permutation and planning over units, against hand counts and closed forms."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import hypergeom, norm

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.robustness.clusters import (
    Spread,
    UnitTable,
    generator,
    p_value,
    regrouped,
    resampled,
    unit_table,
    wilson,
)
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.gaps import Contrast, aligned, decide, members_of, pooled_difference, within_class
from evenhand.auditors.robustness.planning import plan

DARK, LIGHT = Level(0, "dark", 100), Level(1, "light", 100)


def table_of(success: list[int], unit: list[int], label: list[int], group: list[int]) -> UnitTable:
    return unit_table(
        np.array(success, dtype=bool),
        unit=np.array(unit),
        label=np.array(label),
        group=np.array(group),
        classes=2,
        groups=2,
    )


def test_units_with_the_same_counts_become_one_type_with_copies() -> None:
    table = table_of([1, 0, 1, 0, 1, 1], [0, 0, 1, 1, 2, 2], [0] * 6, [0, 1, 0, 1, 0, 1])

    assert sorted(table.copies.tolist()) == [1, 2]
    assert table.units == 3
    assert table.sums()[0][0, 0].tolist() == [3, 1]
    assert table.sums()[1][0, 0].tolist() == [3, 3]


def test_aligned_gap_is_half_of_the_difference_of_class_gaps() -> None:
    """By hand: R(1,a) = .75, R(1,b) = .25, R(0,a) = .5, R(0,b) = 1: half of (.5 - -.5) is .5."""
    success = np.array([[[2.0, 4.0], [3.0, 1.0]]])
    total = np.full((1, 2, 2), 4.0)

    assert aligned(2)[0].statistic(success, total)[0] == pytest.approx(0.5)


def test_marginal_gap_of_the_same_counts_cancels() -> None:
    success, total = np.array([[[2.0, 4.0], [3.0, 1.0]]]), np.full((1, 2, 2), 4.0)

    assert pooled_difference(success, total)[0] == 0


def test_sign_flips_of_few_units_are_counted_exactly() -> None:
    """Five units, each with the same gap: of 32 arrangements only two are as extreme, so p is 1/16."""
    table = table_of([1, 0] * 5, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4], [0] * 10, [0, 1] * 5)

    success, total, exact = regrouped(table, generator(0))
    drawn = pooled_difference(success, total)

    assert exact
    assert len(drawn) == 32
    assert p_value(1.0, drawn, exact=True) == 2 / 32


def test_permutation_of_single_rows_agrees_with_the_hypergeometric_tail() -> None:
    """200 rows of one class and no unit with both groups: the permuted count is hypergeometric (Fisher)."""
    success = [1] * 40 + [0] * 60 + [1] * 60 + [0] * 40
    table = table_of(success, list(range(200)), [0] * 200, [0] * 100 + [1] * 100)

    drawn_success, drawn_total, exact = regrouped(table, generator(1), draws=200_000)
    drawn = pooled_difference(drawn_success, drawn_total)

    tail = 2 * hypergeom(200, 100, 100).cdf(42)
    assert not exact
    assert p_value(0.16, drawn, exact=False) == pytest.approx(tail, rel=0.05)


def test_permutation_keeps_units_within_their_class() -> None:
    table = table_of([1, 0] * 20, list(range(40)), [0] * 20 + [1] * 20, [0, 1] * 20)

    _, total, _ = regrouped(table, generator(2), draws=50)

    assert np.array_equal(total[:, 0], np.full((50, 2), 10.0))
    assert np.array_equal(total[:, 1], np.full((50, 2), 10.0))


def test_bootstrap_of_single_rows_has_the_binomial_error() -> None:
    table = table_of([1] * 30 + [0] * 70, list(range(100)), [0] * 100, [0] * 100)

    success, total = resampled(table, generator(3), draws=20_000)
    rates = success[:, 0, 0] / total[:, 0, 0]

    assert rates.std() == pytest.approx(np.sqrt(0.3 * 0.7 / 100), rel=0.03)


def test_rows_of_one_unit_are_never_separated() -> None:
    """Ten copies of each row in one unit: the error is that of the units, not of the rows."""
    success = [1] * 30 + [0] * 70
    table = table_of(success * 10, list(range(100)) * 10, [0] * 1000, [0] * 1000)

    drawn, total = resampled(table, generator(3), draws=20_000)
    rates = drawn[:, 0, 0] / total[:, 0, 0]

    assert rates.std() == pytest.approx(np.sqrt(0.3 * 0.7 / 100), rel=0.03)


def test_units_that_all_agree_still_leave_room() -> None:
    """No variation among 30 units: the rule of three's room, Wilson's z squared / (n + z squared)."""
    interval = Spread(estimate=0.0, draws=np.zeros(100), units=30).interval(0.95)

    z_squared = norm.ppf(0.975) ** 2
    assert interval.high == pytest.approx(z_squared / (30 + z_squared))
    assert interval.low == -interval.high


def test_wilson_agrees_with_the_published_example() -> None:
    """Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263 gives .2553 to .3662."""
    interval = wilson(81, 263, 0.95)

    assert interval.low == pytest.approx(0.2553, abs=5e-5)
    assert interval.high == pytest.approx(0.3662, abs=5e-5)


def test_holm_by_hand() -> None:
    """Holm (1979): sorted .01, .02, .04 times 3, 2, 1, never falling."""
    assert holm(np.array([0.02, 0.04, 0.01])).tolist() == pytest.approx([0.04, 0.04, 0.03])


def test_swapping_the_groups_turns_the_sign_and_nothing_else() -> None:
    rng = np.random.default_rng(4)
    unit, label, group = np.repeat(np.arange(40), 4), np.tile([0, 0, 1, 1], 40), np.tile([0, 1, 0, 1], 40)
    success = rng.random(160) < np.where(label == group, 0.8, 0.4)
    tables = [table_of(success.tolist(), unit.tolist(), label.tolist(), g.tolist()) for g in (group, 1 - group)]

    straight = members_of(tables[0], [DARK, LIGHT], aligned(2), seed=1, name="x")[0]
    swapped = members_of(tables[1], [LIGHT, DARK], aligned(2), seed=1, name="x")[0]

    assert straight.estimate == pytest.approx(-(swapped.estimate or 0))
    assert straight.proven(0.1)
    assert swapped.proven(0.1)


def test_three_groups_are_compared_in_pairs_with_holm() -> None:
    rng = np.random.default_rng(6)
    levels = [Level(0, "a", 100), Level(1, "b", 100), Level(2, "c", 100)]
    group, unit, label = np.tile([0, 1, 2], 100), np.repeat(np.arange(100), 3), np.repeat([0, 1], 150)
    success = rng.random(300) < np.array([0.9, 0.9, 0.3])[group]
    table = unit_table(success, unit=unit, label=label, group=group, classes=2, groups=3)

    members = members_of(table, levels, within_class(2), seed=0, name="x")
    gap = decide(members, tolerance=0.1)

    assert len(members) == 6
    assert gap.verdict == "proven_disparity"
    assert gap.member is not None
    assert gap.member.second.text == "c"


def test_an_empty_cell_is_undefined_and_not_a_number() -> None:
    table = table_of([1, 0, 1, 0], [0, 1, 2, 3], [0, 0, 0, 0], [0, 1, 0, 1])

    gap = decide(members_of(table, [DARK, LIGHT], aligned(2), seed=0, name="x"), tolerance=0.1)

    assert gap.verdict == "not_assessed"
    assert gap.estimate is None
    assert gap.reason == "a class × group cell is empty"


def test_a_small_group_proves_nothing() -> None:
    success = [1] * 20 + [0] * 20
    table = table_of(success, list(range(40)), [0, 1] * 20, [0] * 20 + [1] * 20)
    small = [Level(0, "dark", 20), Level(1, "light", 20)]

    gap = decide(members_of(table, small, [Contrast(pooled_difference)], seed=0, name="x"), tolerance=0.1)

    assert gap.verdict == "inconclusive"
    assert "20 pictures" in (gap.reason or "")


def test_planned_rows_shrink_with_the_size_of_the_gap() -> None:
    needed = []
    for estimate in (0.15, 0.25, 0.40):
        draws = np.random.default_rng(0).normal(estimate, 0.1, 5000)
        levels = (DARK, LIGHT)
        table = table_of([1] * 50 + [0] * 50, list(range(100)), [0] * 100, [0, 1] * 50)
        member = members_of(table, levels, [Contrast(pooled_difference)], seed=0, name="x")[0]
        spread = Spread(estimate=estimate, draws=draws, units=100)
        needed.append(plan(type(member)(DARK, LIGHT, None, spread, 0.2, 0.0), tolerance=0.1).rows_needed or 0)

    assert all(more > less for more, less in pairwise(needed))
    # (z .995 + z .8) * .1 / .40 squared, times 100 rows, is below the rows there are
    assert needed[-1] == 100


def _rejections(draws: int, units: int, seed: int, *, both: bool) -> float:
    rng = np.random.default_rng(seed)
    flagged = 0
    for index in range(draws):
        level = rng.beta(2, 2, units)
        if both:
            unit, label, group = (
                np.repeat(np.arange(units), 4),
                np.tile([0, 0, 1, 1], units),
                np.tile([0, 1, 0, 1], units),
            )
        else:
            unit, label = np.repeat(np.arange(units), 4), np.repeat(np.arange(units) % 2, 4)
            group = np.repeat((np.arange(units) // 2) % 2, 4)
        success = rng.random(len(unit)) < level[unit]
        table = unit_table(success, unit=unit, label=label, group=group, classes=2, groups=2)
        member = members_of(table, [DARK, LIGHT], aligned(2), seed=index, name="x")[0]
        flagged += member.proven(0.10)
    return flagged / draws


@pytest.mark.parametrize("both", [True, False])
def test_fair_classifiers_are_accused_in_at_most_three_of_a_hundred(both: bool) -> None:
    """Level .01 and a size to reach: of 100 fair draws with units of their own difficulty, 3 are beyond chance."""
    assert _rejections(100, 28, 11, both=both) <= 0.03


@pytest.mark.slow
@pytest.mark.parametrize("both", [True, False])
def test_false_accusations_stay_near_one_in_a_hundred(both: bool) -> None:
    assert _rejections(2000, 28, 12, both=both) <= 0.016
