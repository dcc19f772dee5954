"""How a feature is spread by group, and how each of its values is decided: by hand counts."""

import numpy as np
import pytest
from planted_proxies import audited, by_feature, two_groups

from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.profile import MOST_FEATURES, cells_of, profile

FOUR = Groups("A", np.array([0, 0, 1, 1, -1], np.int32), ("0", "1"))


def test_counts_shares_and_rates_are_those_of_a_hand_count() -> None:
    cells = cells_of(np.array(["x", "y", "x", "x", "x"], object))

    found = profile(cells, FOUR, np.array([True, False, True, False, True]))

    assert [cell.value for cell in found.cells] == ["x", "y"]
    assert [cell.rows for cell in found.cells] == [[1, 2], [1, 0]]
    assert [cell.share for cell in found.cells] == [[0.5, 1.0], [0.5, 0.0]]
    assert [cell.rate for cell in found.cells] == [[1.0, 0.5], [0.0, None]]
    assert found.rows == [2, 2]


def test_interval_is_wilsons() -> None:
    """Newcombe (1998), table I: 81 of 263 gives .2553 to .3662."""
    groups = Groups("A", np.zeros(263, np.int32), ("0",))

    cell = profile(cells_of(np.zeros(263)), groups, np.arange(263) < 81).cells[0]

    assert (cell.low[0], cell.high[0]) == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_without_decisions_there_are_counts_and_no_rates() -> None:
    found = profile(cells_of(np.arange(5.0)), FOUR, None)

    assert all(cell.rate == [] for cell in found.cells)


def test_numbers_are_put_into_bins_that_hold_everyone_and_name_their_range() -> None:
    values = np.append(np.arange(800.0), [np.nan] * 8)

    cells = cells_of(values)

    assert cells.texts[0] == "0 to 99"
    assert cells.texts[-2:] == ("700 to 799", None)
    assert np.bincount(cells.codes).tolist() == [100] * 8 + [8]
    assert "800 values in 8 bins" in (cells.note or "")


def test_infinite_values_stay_at_the_ends() -> None:
    cells = cells_of(np.append(np.arange(98.0), [np.inf, -np.inf]))

    assert cells.texts[0] == "-inf to 11"
    assert (cells.texts[-1] or "").endswith("inf")


def test_a_number_that_is_nearly_always_nothing_has_few_bins() -> None:
    cells = cells_of(np.append(np.zeros(990), np.arange(1.0, 31.0)))

    assert cells.texts == ("0", "1 to 30")


def test_rare_values_are_together_and_their_number_is_told() -> None:
    cells = cells_of(np.array([f"v{i % 40}" if i < 400 else "often" for i in range(500)], object))

    assert len(cells.texts) == 10
    assert (cells.texts[0], cells.texts[-1]) == ("often", "32 other values")
    assert "the 9 most frequent of 41 values" in (cells.note or "")


def test_with_many_groups_the_largest_are_shown_and_that_is_told() -> None:
    sizes = [50, 10, 60, 20, 70, 30, 40]
    groups = Groups("A", np.repeat(np.arange(7), sizes).astype(np.int32), tuple("abcdefg"))

    found = profile(cells_of(np.zeros(sum(sizes))), groups, None)

    assert found.groups == ["a", "c", "e", "f", "g"]
    assert "the 5 largest of 7 groups" in (found.note or "")


def test_most_telling_features_have_a_profile_and_the_proxy_is_among_them() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 2_000).astype(np.int32)
    columns = {f"x{i}": rng.standard_normal(2_000) for i in range(30)} | {"zip": rng.standard_normal(2_000) + 1.5 * a}

    audit, _ = audited(two_groups(columns, a), lambda x: x["zip"] + x["x0"])

    rows = by_feature(audit)
    shown = rows["zip"].profile
    assert sum(row.profile is not None for row in audit.features) == MOST_FEATURES
    assert shown is not None
    assert sum(sum(cell.rows) for cell in shown.cells) == 2_000
    assert (shown.cells[0].share[0] or 0) > 2 * (shown.cells[0].share[1] or 0)
    assert (shown.cells[0].rate[0] or 0) < (shown.cells[-1].rate[0] or 0)
