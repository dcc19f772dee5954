"""The one sort: exact for every kind of float, by packed integers or by positions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evenhand.auditors.errors import LengthMismatch, UndefinedScores
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.grouped import sort_rows
from evenhand.auditors.scores.sorting import packed, sort_scores
from tests.auditors.scores.rows import drawn

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(arrays(np.float64, st.integers(1, 60), elements=finite))
def test_packed_bits_order_as_the_floats_do_and_come_back(scores: np.ndarray) -> None:
    pack = packed(scores)

    assert np.array_equal(np.unique(scores, return_inverse=True)[1], np.unique(pack.signed, return_inverse=True)[1])
    assert np.array_equal(pack.unpacked(pack.signed), scores)
    assert (int(pack.signed.max()) - int(pack.least)).bit_length() <= pack.width


@given(arrays(np.float64, st.integers(1, 60), elements=finite), st.booleans())
def test_sorted_rows_are_the_rows(scores: np.ndarray, weighted: bool) -> None:
    code = np.arange(len(scores), dtype=np.int32) % 7
    weight = np.arange(len(scores), dtype=np.float64) if weighted else None

    found = sort_scores(scores, code, codes=7, weight=weight)

    assert found.values.tolist() == np.unique(scores).tolist()
    pairs = sorted(zip(found.values[found.step], found.code, strict=True))
    assert pairs == sorted(zip(scores + 0.0, code, strict=True))


def test_probabilities_need_no_positions() -> None:
    data = drawn(10_000)

    assert packed(data.scores).width <= 57


def test_scores_that_differ_in_the_last_bit_are_no_ties() -> None:
    scores = np.array([0.5, np.nextafter(0.5, 1), 0.5])

    assert len(sort_scores(scores, np.zeros(3, dtype=np.int32), codes=2).values) == 2


def test_groups_of_an_intersection_are_those_that_occur_in_the_order_of_the_count_table() -> None:
    codes = {"a": (np.array([0, 1, 1]), ("x", "y")), "b": (np.array([2, 0, 0]), ("p", "q", None))}
    rows = sort_rows(ScoreData(np.array([0.3, 0.1, 0.2]), codes))

    both = rows.of("a", "b")

    assert both.groups == ({"a": "x", "b": None}, {"a": "y", "b": "p"})
    assert both.unknown.tolist() == [True, False]
    assert both.scores.tolist() == [0.3, 0.1, 0.2]


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(UndefinedScores, match="1 scores that are not finite for 2 rows"):
        ScoreData(np.array([0.1, np.nan]), {})


def test_labels_of_another_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'label' has 1 entries where the rows are 2"):
        ScoreData(np.array([0.1, 0.2]), {}, label=np.array([1]))
