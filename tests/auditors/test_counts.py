import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.errors import LengthMismatch, TooManyCells

VALUES = {"sex": ("F", "M", None), "race": ("a", "b", "c")}


def random_rows(seed: int, n: int) -> tuple[list[Attribute], NDArray[np.int8], NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    attributes = [Attribute(k, rng.integers(0, len(v), n).astype(np.int32), v) for k, v in VALUES.items()]
    return attributes, rng.integers(0, 2, n).astype(np.int8), rng.integers(0, 2, n).astype(np.int8)


def sliced(attributes: list[Attribute], part: slice) -> list[Attribute]:
    return [Attribute(a.name, a.codes[part], a.values) for a in attributes]


@given(seed=st.integers(0, 1000), n=st.integers(0, 60), cut=st.integers(0, 60))
def test_merged_counts_equal_counts_of_merged_rows(seed: int, n: int, cut: int) -> None:
    attributes, label, prediction = random_rows(seed, n)

    whole = count(attributes, prediction=prediction, label=label)
    first = count(sliced(attributes, slice(cut)), prediction=prediction[:cut], label=label[:cut])
    second = count(sliced(attributes, slice(cut, None)), prediction=prediction[cut:], label=label[cut:])

    np.testing.assert_array_equal((first + second).rows, whole.rows)


@given(seed=st.integers(0, 1000), n=st.integers(1, 60))
def test_row_order_does_not_matter(seed: int, n: int) -> None:
    attributes, label, prediction = random_rows(seed, n)
    order = np.random.default_rng(seed).permutation(n)
    shuffled = [Attribute(a.name, a.codes[order], a.values) for a in attributes]

    one = count(attributes, prediction=prediction, label=label)
    other = count(shuffled, prediction=prediction[order], label=label[order])

    np.testing.assert_array_equal(one.rows, other.rows)


@given(seed=st.integers(0, 1000), n=st.integers(1, 60))
def test_weight_two_counts_as_the_row_twice(seed: int, n: int) -> None:
    attributes, label, prediction = random_rows(seed, n)
    twice = [Attribute(a.name, np.tile(a.codes, 2), a.values) for a in attributes]

    weighted = count(attributes, prediction=prediction, label=label, weight=np.full(n, 2.0))
    repeated = count(twice, prediction=np.tile(prediction, 2), label=np.tile(label, 2))

    np.testing.assert_array_equal(weighted.of("race").cells, repeated.of("race").cells)


def test_marginal_of_two_attributes_is_counted_by_hand() -> None:
    sex = Attribute("sex", np.array([0, 0, 1, 1, 1]), ("F", "M"))
    race = Attribute("race", np.array([0, 1, 0, 0, 1]), ("a", "b"))

    table = count([sex, race], prediction=np.array([1, 0, 1, 0, 1]), label=np.array([1, 1, 0, 0, 1]))
    both = table.of("race", "sex")

    assert both.name == "race × sex"
    assert both.groups == (
        {"race": "a", "sex": "F"},
        {"race": "a", "sex": "M"},
        {"race": "b", "sex": "F"},
        {"race": "b", "sex": "M"},
    )
    assert both.rows.tolist() == [1, 2, 1, 1]
    assert both.cells[1].tolist() == [[1.0, 1.0], [0.0, 0.0]]  # one true negative, one false positive


def test_missing_value_is_a_group_of_its_own() -> None:
    table = count([Attribute("sex", np.array([0, 1, 1]), ("F", None))], prediction=np.array([1, 0, 1]))

    assert table.of("sex").unknown.tolist() == [False, True]


def test_unequal_weights_lower_the_effective_size() -> None:
    table = count(
        [Attribute("sex", np.zeros(2, dtype=int), ("F",))], prediction=np.array([1, 0]), weight=np.array([3.0, 1.0])
    )

    assert table.of("sex").effective.sum() == pytest.approx(16 / 10)  # (3 + 1)^2 / (9 + 1), Kish (1965)


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(LengthMismatch, match="'sex' has 3 entries where the rows are 2"):
        count([Attribute("sex", np.zeros(3, dtype=int), ("F",))], prediction=np.zeros(2, dtype=int))


def test_a_code_outside_the_values_is_refused() -> None:
    with pytest.raises(ValueError, match="reach outside"):
        count([Attribute("sex", np.array([0, 5]), ("F", "M"))], prediction=np.zeros(2, dtype=int))


def test_too_many_combinations_are_refused_before_memory_is_taken() -> None:
    wide = [Attribute(f"c{i}", np.zeros(1, dtype=int), tuple(map(str, range(1000)))) for i in range(4)]

    with pytest.raises(TooManyCells, match="name fewer columns: `sensitive`"):
        count(wide, prediction=np.zeros(1, dtype=int))


def test_tables_of_different_layout_cannot_be_added() -> None:
    one = CountTable(("sex",), (("F",),), np.zeros((1, 2, 2), dtype=np.int64))
    other = CountTable(("sex",), (("M",),), np.zeros((1, 2, 2), dtype=np.int64))

    with pytest.raises(ValueError, match="cannot be added"):
        one + other
