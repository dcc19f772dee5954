"""Worst-case bounds against enumeration of every way to fill in the unknown rows, and against hand counts."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.bounds import PossibleGap, bounds_of, possible_gap
from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.report import UnknownBounds
from evenhand.auditors.verdict import Comparison
from tests.auditors.build import audited, table_of

DIFFERENCE, RATIO = Comparison.DIFFERENCE, Comparison.RATIO
TPR, FPR = COUNT_METRICS["true_positive_rate"], COUNT_METRICS["false_positive_rate"]


def bounds(known: dict[str, tuple[int, int]], unknown: tuple[int, int], comparison: Comparison) -> PossibleGap | None:
    """Of successes and trials by group."""
    x, n = np.array(list(known.values()), dtype=float).T
    successes, trials = unknown
    return possible_gap(
        x,
        n,
        unknown_successes=np.array([float(successes)]),
        unknown_failures=np.array([float(trials - successes)]),
        comparison=comparison,
    )


def divisions(rows: int, groups: int) -> Iterator[NDArray[np.int64]]:
    """Every way to share out so many rows."""
    for bars in combinations_with_replacement(range(rows + 1), groups - 1):
        yield np.diff((0, *bars, rows))


def enumerated(known: dict[str, tuple[int, int]], unknown: tuple[int, int], comparison: Comparison) -> list[float]:
    """The gap for every way to fill in."""
    x, n = np.array(list(known.values())).T
    successes, trials = unknown
    gaps = []
    for more, fewer in product(divisions(successes, len(x)), divisions(trials - successes, len(x))):
        rate = (x + more) / (n + more + fewer)
        if comparison is DIFFERENCE:
            gaps.append(rate.max() - rate.min())
        elif rate.max() > 0:
            gaps.append(rate.min() / rate.max())
    return gaps


@pytest.mark.parametrize("comparison", [DIFFERENCE, RATIO])
@pytest.mark.parametrize("seed", range(12))
def test_bounds_hold_for_every_way_to_fill_in_and_the_widest_is_reached(seed: int, comparison: Comparison) -> None:
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 9, size=rng.integers(2, 4))
    known = {str(i): (int(rng.integers(0, m + 1)), int(m)) for i, m in enumerate(n)}
    trials = int(rng.integers(1, 6))
    unknown = (int(rng.integers(0, trials + 1)), trials)

    found = bounds(known, unknown, comparison)
    every = enumerated(known, unknown, comparison)

    if found is None:
        assert every == []
        return
    assert found.lowest <= min(every) + 1e-12
    assert found.highest >= max(every) - 1e-12
    assert found.extreme == pytest.approx(max(every) if comparison is DIFFERENCE else min(every))


@pytest.mark.parametrize("comparison", [DIFFERENCE, RATIO])
def test_narrowest_gap_is_reached_where_rows_divide_finely(comparison: Comparison) -> None:
    """30 of 60, 12 of 40, 20 of 30 and 8 selected of 16 unknown: enumeration comes within half a row of the bound."""
    known, unknown = {"a": (30, 60), "b": (12, 40), "c": (20, 30)}, (8, 16)

    found = bounds(known, unknown, comparison)
    every = enumerated(known, unknown, comparison)

    assert found is not None
    narrowest = min(every) if comparison is DIFFERENCE else max(every)
    bound = found.lowest if comparison is DIFFERENCE else found.highest
    assert abs(narrowest - bound) < 0.02


def test_two_groups_and_twenty_unknown_by_hand() -> None:
    """40/100 and 60/100, 10 selected of 20 unknown: widest 70/110 - 40/110 = 3/11, narrowest 50/110 - 60/110 in size."""
    found = bounds({"a": (40, 100), "b": (60, 100)}, (10, 20), DIFFERENCE)

    assert found is not None
    assert found.estimate == pytest.approx(0.2)
    assert (found.lowest, found.highest) == pytest.approx((10 / 110, 30 / 110))


def test_unknown_rows_can_make_unequal_groups_equal() -> None:
    found = bounds({"a": (4, 10), "b": (6, 10)}, (10, 20), DIFFERENCE)

    assert found is not None
    assert found.lowest == 0.0


def test_ratio_where_nobody_succeeds_has_no_bounds() -> None:
    assert bounds({"a": (0, 10), "b": (0, 10)}, (0, 5), RATIO) is None


def of_check(table_groups: dict[str | None, tuple[int, int, int, int]], *, tolerance: float = 0.1) -> UnknownBounds:
    counts = table_of(table_groups).of("group")
    found = bounds_of(
        counts,
        name="equalized_odds_difference",
        components=(TPR, FPR),
        comparison=DIFFERENCE,
        tolerance=tolerance,
    )
    assert found is not None
    return found


def test_each_rate_is_bounded_by_the_unknown_rows_of_its_own_label() -> None:
    """TPR 80/100 in both, 10 of 10 unknown positives selected: 90/110 - .8; FPR 20/100 in both, none unknown: 0."""
    found = of_check({"a": (80, 20, 20, 80), "b": (80, 20, 20, 80), None: (10, 0, 0, 0)})

    assert found.estimate == 0.0
    assert found.highest == pytest.approx(90 / 110 - 0.8)
    assert found.unknown == 10


def test_note_says_how_much_the_unknown_rows_could_hide() -> None:
    found = of_check({"a": (80, 20, 20, 80), "b": (80, 20, 20, 80), None: (100, 0, 100, 0)})

    assert found.straddles
    assert found.note.startswith("The 200 rows without group could hide a gap of up to .500")


def test_note_says_when_the_unknown_rows_cannot_turn_the_answer() -> None:
    within = of_check({"a": (800, 200, 200, 800), "b": (800, 200, 200, 800), None: (1, 0, 1, 0)})
    beyond = of_check({"a": (900, 0, 100, 1000), "b": (100, 0, 900, 1000), None: (1, 0, 1, 0)})

    assert not within.straddles
    assert "cannot bring the gap beyond .100" in within.note
    assert not beyond.straddles
    assert "cannot bring the gap within .100" in beyond.note


def test_rate_that_exists_in_one_known_group_has_no_bounds_and_a_reason() -> None:
    found = of_check({"a": (80, 20, 20, 80), "b": (0, 20, 0, 80), None: (5, 5, 5, 5)})

    assert (found.lowest, found.highest) == (None, None)
    assert "exists in fewer than two groups" in found.note


def test_row_of_which_one_part_is_known_goes_only_where_that_part_fits() -> None:
    """(F, unknown), selected: F-a or F-b, never M. Then F-a is 6/11 at most, and M-a stays 5/10."""
    sex = np.repeat([0, 0, 1, 1, 0], [10, 10, 10, 10, 1])
    race = np.repeat([0, 1, 0, 1, 2], [10, 10, 10, 10, 1])
    prediction = np.array([*([1] * 5 + [0] * 5) * 4, 1])
    table = count([Attribute("sex", sex, ("F", "M")), Attribute("race", race, ("a", "b", None))], prediction=prediction)

    found = bounds_of(
        table.of("sex", "race"),
        name="selection_rate",
        components=(COUNT_METRICS["selection_rate"],),
        comparison=DIFFERENCE,
        tolerance=0.1,
    )

    assert found is not None
    assert found.highest == pytest.approx(6 / 11 - 0.5)
    assert found.group == {"sex": "F", "race": "a"}


def test_audit_lists_bounds_of_its_checks_where_an_attribute_is_missing() -> None:
    document, _ = audited(table_of({"a": (80, 20, 20, 80), "b": (70, 20, 30, 80), None: (10, 10, 10, 10)}))

    assert document.bounds is not None
    assert {"impact_ratio", "equalized_odds_difference"} <= {bound.metric for bound in document.bounds}


def test_audit_without_missing_values_has_no_bounds() -> None:
    document, _ = audited(table_of({"a": (80, 20, 20, 80), "b": (70, 20, 30, 80)}))

    assert document.bounds is None
