"""The blocked loop against the definition: one increment a row."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evenhand.auditors.counting import histogram
from evenhand.auditors.counting.histogram import Column, joint_histogram, joint_sums

KINDS = (np.uint8, np.int8, np.uint16, np.int16, np.int32, np.uint32, np.int64)


def random_columns(rng: np.random.Generator, n: int, levels: tuple[int, ...]) -> list[Column]:
    kinds = rng.permutation(len(KINDS))
    return [Column(f"c{i}", rng.integers(0, size, n).astype(KINDS[kinds[i]]), size) for i, size in enumerate(levels)]


def one_by_one(columns: list[Column]) -> NDArray[np.int64]:
    table = np.zeros([column.levels for column in columns], dtype=np.int64)
    for cell, rows in Counter(zip(*(column.codes.tolist() for column in columns), strict=True)).items():
        table[cell] = rows
    return table


# a table that is folded twice, one folded once, one in narrow integers, one in two bytes, one in four
@pytest.mark.parametrize("levels", [(2, 2), (3, 5, 2), (2, 5, 7, 2, 2), (90, 90, 2), (100, 100, 20)])
@pytest.mark.parametrize("block_rows", [4, 64, 2**17])
@given(seed=st.integers(0, 1000), n=st.integers(0, 300))
def test_every_row_is_counted_once(block_rows: int, levels: tuple[int, ...], seed: int, n: int) -> None:
    columns = random_columns(np.random.default_rng(seed), n, levels)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(histogram, "BLOCK_ROWS", block_rows)
        patched.setattr(histogram, "ROWS_A_FOLDED_CELL", 1)
        table = joint_histogram(columns)

    np.testing.assert_array_equal(table, one_by_one(columns))


def test_a_million_rows_agree_with_one_bincount() -> None:
    rng = np.random.default_rng(0)
    columns = random_columns(rng, 1_000_003, (2, 5, 10, 2, 2))
    cell = np.ravel_multi_index(
        tuple(column.codes.astype(np.int64) for column in columns), [column.levels for column in columns]
    )

    table = joint_histogram(columns)

    np.testing.assert_array_equal(table.ravel(), np.bincount(cell, minlength=table.size))


@pytest.mark.parametrize("code", [2, -1, 256, 2**15 - 1])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64])
def test_a_code_outside_the_levels_is_refused(code: int, kind: type[np.signedinteger]) -> None:
    codes = np.array([0, code, 1], dtype=kind)

    with pytest.raises(ValueError, match="codes of 'sex' reach outside its 2 values"):
        joint_histogram([Column("sex", codes, 2)])


def test_a_bad_code_in_the_last_row_of_many_is_found() -> None:
    codes = np.zeros(300_000, dtype=np.uint8)
    codes[-1] = 2

    with pytest.raises(ValueError, match="reach outside"):
        joint_histogram([Column("sex", codes, 2), Column("prediction", np.zeros(300_000, dtype=bool), 2)])


def test_strided_and_boolean_columns_are_counted_as_they_are() -> None:
    codes = np.array([0, 9, 1, 9, 1, 9], dtype=np.int32)[::2]

    table = joint_histogram([Column("sex", codes, 2), Column("prediction", np.array([True, False, True]), 2)])

    assert table.tolist() == [[0, 1], [1, 1]]


def test_no_rows_give_an_empty_table() -> None:
    nothing = np.zeros(0, dtype=np.int32)

    assert joint_histogram([Column("a", nothing, 3), Column("b", nothing, 2)]).tolist() == [[0, 0]] * 3
    assert joint_histogram([Column("a", nothing, 0), Column("b", nothing, 2)]).shape == (0, 2)


@given(seed=st.integers(0, 1000), n=st.integers(0, 200), block_rows=st.sampled_from([3, 64, 2**17]))
def test_weights_that_are_multiples_of_a_power_of_two_add_up_exactly(seed: int, n: int, block_rows: int) -> None:
    rng = np.random.default_rng(seed)
    columns = random_columns(rng, n, (2, 3))
    weight = rng.integers(0, 2**20, n) / 2**10

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(histogram, "BLOCK_ROWS", block_rows)
        sums, squares = joint_sums(columns, weight)

    for cell in np.ndindex(2, 3):
        inside = (columns[0].codes == cell[0]) & (columns[1].codes == cell[1])
        assert Fraction(float(sums[cell])) == sum(map(Fraction, weight[inside].tolist()))
        assert Fraction(float(squares[cell])) == sum(Fraction(w) ** 2 for w in weight[inside].tolist())


def test_weights_are_added_in_the_order_of_the_rows() -> None:
    rng = np.random.default_rng(0)
    weight = rng.random(300_000)
    zero = [Column("a", np.zeros(300_000, dtype=np.uint8), 1)]

    sums, _ = joint_sums(zero, weight)

    assert sums[0] == np.cumsum(weight)[-1]
    assert abs(sums[0] - float(sum(map(Fraction, weight.tolist())))) <= 300_000 * 2**-53 * sums[0]
