"""Decisions about encoding; information against scikit-learn; the search on its own."""

import numpy as np
import pytest
from planted_proxies import known_model
from sklearn.metrics import mutual_info_score

from evenhand.auditors.proxies.blocks import cramers_v
from evenhand.auditors.proxies.columns import code_column, joined, quantile_bins
from evenhand.auditors.proxies.encoding import EncodingTest, decide_encodings, encoding_tests
from evenhand.auditors.proxies.groups import compared_groups
from evenhand.auditors.proxies.joint import pair_information
from evenhand.auditors.ranks import auc_of_scores


def test_feature_encodes_exactly_where_its_interval_lies_beyond_the_limit() -> None:
    rng = np.random.default_rng(2)
    a = rng.integers(0, 2, 3_000).astype(np.int32)
    columns = [code_column(f"x{i}", rng.standard_normal(3_000) + i / 20 * a) for i in range(20)]
    folds = rng.integers(0, 5, 3_000, dtype=np.int8)

    found = decide_encodings(encoding_tests(columns, compared_groups("A", a, ("0", "1")), folds), level=0.95)

    for encoding in found.values():
        assert encoding.encodes == (max(encoding.low, 1 - encoding.high) >= 0.6)
    assert any(encoding.encodes for encoding in found.values())


def test_more_tests_ask_for_more() -> None:
    rng = np.random.default_rng(3)
    a = rng.integers(0, 2, 1_000).astype(bool)
    test = EncodingTest("x", "1", "number", auc_of_scores(rng.standard_normal(1_000) + 0.6 * a, a))

    alone, among_many = (decide_encodings([test], level=0.95, family=size)["x"] for size in (0, 100_000))

    assert alone.encodes
    assert not among_many.encodes


def test_information_of_pairs_is_what_scikit_learn_computes() -> None:
    rng = np.random.default_rng(4)
    cells = [rng.integers(0, 8, 4_000).astype(np.uint8) for _ in range(3)]
    groups = ((cells[0] + cells[1] + rng.integers(0, 3, 4_000)) % 3).astype(np.int32)

    information, freedom = pair_information(cells, groups, n_groups=3)

    both = mutual_info_score(groups, cells[0].astype(int) * 8 + cells[1])
    expected = both - mutual_info_score(groups, cells[0]) - mutual_info_score(groups, cells[1])
    assert information[0, 1] == pytest.approx(expected, abs=1e-9)
    assert freedom[0, 1] == 49 * 2


def test_information_of_the_known_pair_stands_out() -> None:
    """METHODS section 4: .48 to .49 nats, the next .0003 (bias of 49 degrees of freedom at 40,000 rows is .0006)."""
    columns, a = known_model(40_000, 0)
    cells = [quantile_bins(code_column(name, values), 8) for name, values in columns.items()]

    information, _ = pair_information(cells, a, n_groups=2)

    upper = information[np.triu_indices(8, k=1)]
    assert 0.475 < information[4, 5] < 0.495
    assert np.sort(upper)[-2] < 0.002


def test_cramers_v_is_one_for_renamed_levels_and_nothing_for_independent_ones() -> None:
    rng = np.random.default_rng(5)
    one = rng.integers(0, 400, 5_000).astype(np.int32)
    other = rng.integers(0, 300, 5_000).astype(np.int32)

    assert cramers_v(one, (one * 7 % 400).astype(np.int32), (400, 400)) == pytest.approx(1)
    assert cramers_v(one, other, (400, 300)) < 0.15


def test_a_level_a_row_makes_no_near_duplicate() -> None:
    rows = np.arange(500, dtype=np.int32)

    assert cramers_v(rows, rows[::-1].copy(), (500, 500)) == 0


def test_missing_is_the_last_code_and_texts_are_in_order() -> None:
    coded = code_column("c", np.array(["b", None, "a", "b"], dtype=object))

    assert coded.codes.tolist() == [1, 2, 0, 1]
    assert (coded.levels, coded.known_levels) == (3, 2)


def test_numbers_are_coded_in_order_with_missing_last() -> None:
    coded = code_column("x", np.array([2.5, np.nan, -1.0, 2.5]))

    assert coded.codes.tolist() == [1, 2, 0, 1]
    assert coded.ordered


def test_bins_keep_equal_values_together() -> None:
    values = np.repeat([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], 7)

    cells = quantile_bins(code_column("x", values), 8)

    assert cells.max() <= 7
    assert all(len(set(cells[values == value].tolist())) == 1 for value in range(10))
    assert np.all(np.diff(cells.astype(int)) >= 0)


def test_joined_features_have_a_level_for_each_combination() -> None:
    parts = [code_column("a", np.array([0.0, 0, 1, 1])), code_column("b", np.array([0.0, 1, 0, 0]))]

    assert joined("ab", parts).codes.tolist() == [0, 1, 2, 2]
