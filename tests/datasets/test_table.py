"""What may be asked of a column, and which row is named where it cannot be answered."""

import datetime
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from evenhand.datasets.errors import (
    BadWeight,
    DuplicateColumn,
    MissingColumn,
    MissingValue,
    NotBinary,
    NotNumeric,
    UnknownPositive,
    UnsupportedType,
    WrongLength,
)
from evenhand.datasets.table import Table


def table(**columns: object) -> Table:
    return Table("people.csv", pa.table(columns), None, "0" * 64)


# --- groups -----------------------------------------------------------------------------------------------------------


def test_text_groups_are_sorted_and_codes_point_at_them() -> None:
    groups = table(sex=["m", "f", "m"]).groups("sex")

    assert groups.values == ("f", "m")
    assert groups.codes.tolist() == [1, 0, 1]
    assert groups.codes.dtype == np.int32


def test_missing_group_is_none_and_comes_last() -> None:
    groups = table(sex=[None, "m", "f", None]).groups("sex")

    assert groups.values == ("f", "m", None)
    assert groups.codes.tolist() == [2, 1, 0, 2]
    assert groups.missing.tolist() == [True, False, False, True]


def test_text_none_is_not_the_missing_group() -> None:
    assert table(sex=["None", None]).groups("sex").values == ("None", None)


def test_numbers_sort_as_numbers() -> None:
    assert table(age=[10, 9, 100]).groups("age").values == ("9", "10", "100")


def test_whole_floats_are_written_without_a_point() -> None:
    assert table(age=[2.0, 10.0, 2.0]).groups("age").values == ("2", "10")


def test_floats_with_fractions_keep_their_points() -> None:
    assert table(age=[1.0, 1.5]).groups("age").values == ("1.0", "1.5")


def test_float32_is_written_as_short_as_it_is_exact() -> None:
    assert table(x=pa.array([0.1], pa.float32())).groups("x").values == ("0.1",)


def test_nan_is_missing_and_joins_null() -> None:
    groups = table(x=pa.array([1.0, float("nan"), None])).groups("x")

    assert groups.values == ("1", None)
    assert groups.codes.tolist() == [0, 1, 1]


def test_minus_zero_is_zero() -> None:
    assert table(x=[0.0, -0.0]).groups("x").codes.tolist() == [0, 0]


def test_booleans_are_false_and_true() -> None:
    assert table(x=[True, False, None]).groups("x").values == ("False", "True", None)


def test_dates_are_iso_and_in_order() -> None:
    assert table(x=[date(2020, 1, 2), date(2019, 12, 31)]).groups("x").values == ("2019-12-31", "2020-01-02")


def test_a_category_that_never_occurs_is_no_group() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([1, 1, None]), pa.array(["a", "b"]))

    groups = table(x=column).groups("x")

    assert groups.values == ("b", None)
    assert groups.codes.tolist() == [0, 0, 1]


def test_chunks_share_their_codes() -> None:
    groups = table(x=pa.chunked_array([["b", "a"], ["c", "a"]])).groups("x")

    assert groups.values == ("a", "b", "c")
    assert groups.codes.tolist() == [1, 0, 2, 0]


def test_a_column_without_any_value_is_one_missing_group() -> None:
    assert table(x=pa.nulls(3)).groups("x").values == (None,)
    assert table(x=pa.nulls(3, pa.string())).groups("x").codes.tolist() == [0, 0, 0]


def test_no_rows_have_no_groups() -> None:
    empty = table(x=["a"]).take(np.array([], dtype=np.int64))

    assert empty.groups("x").values == ()
    assert empty.numeric("x").shape == (0,)


def test_lists_are_no_groups() -> None:
    with pytest.raises(UnsupportedType, match=r"column 'x' of people.csv holds values of type list"):
        table(x=[[1], [2]]).groups("x")


# --- binary and classes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [[0, 1], [0.0, 1.0], [False, True], ["0", "1"], ["false", "true"], ["FALSE", "TRUE"], ["0.0", "1.0"]],
)
def test_no_and_yes_are_understood_in_the_usual_spellings(values: list[object]) -> None:
    assert table(y=values).binary("y").tolist() == [0, 1]


def test_constant_zero_is_binary() -> None:
    assert table(y=[0, 0]).binary("y").tolist() == [0, 0]


def test_other_values_need_a_declared_positive() -> None:
    with pytest.raises(NotBinary) as caught:
        table(y=["good", "bad"]).binary("y")

    assert caught.value.values == ("bad", "good")


def test_one_and_two_are_not_guessed_at() -> None:
    with pytest.raises(NotBinary):
        table(y=[1, 2]).binary("y")


def test_declared_positive_is_one_against_the_rest() -> None:
    assert table(y=["a", "b", "c"]).binary("y", positive="b").tolist() == [0, 1, 0]


@pytest.mark.parametrize(("values", "positive"), [([0, 1], "1"), ([0.0, 1.0], "1"), ([False, True], "1")])
def test_one_stands_for_every_spelling_of_yes(values: list[object], positive: str) -> None:
    assert table(y=values).binary("y", positive=positive).tolist() == [0, 1]


def test_zero_may_be_the_positive_one() -> None:
    assert table(y=[False, True]).binary("y", positive="0").tolist() == [1, 0]


def test_a_number_is_found_however_it_is_written() -> None:
    assert table(y=[1, 2]).binary("y", positive="2.0").tolist() == [0, 1]


def test_a_positive_that_never_occurs_is_refused() -> None:
    with pytest.raises(UnknownPositive, match="'yes' never occurs in column 'y', which has bad, good"):
        table(y=["good", "bad"]).binary("y", positive="yes")


@pytest.mark.parametrize("hole", [None, float("nan")])
def test_a_hole_in_a_label_is_named_by_row(hole: float | None) -> None:
    with pytest.raises(MissingValue) as caught:
        table(y=[1.0, 0.0, hole, hole]).binary("y")

    assert (caught.value.row, caught.value.count) == (3, 2)


def test_classes_are_sorted_as_numbers() -> None:
    classes = table(digit=[10, 9, 10]).classes("digit")

    assert classes.values == ("9", "10")
    assert classes.codes.tolist() == [1, 0, 1]


def test_classes_have_no_holes() -> None:
    with pytest.raises(MissingValue, match="row 2"):
        table(digit=["a", None]).classes("digit")


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_whole_numbers_booleans_and_number_texts_are_numeric() -> None:
    data = table(i=[1, 2], b=[False, True], t=["0.5", "1e3"])

    assert data.numeric("i").tolist() == [1.0, 2.0]
    assert data.numeric("b").tolist() == [0.0, 1.0]
    assert data.numeric("t").tolist() == [0.5, 1000.0]


def test_text_is_not_numeric_and_its_row_is_named() -> None:
    with pytest.raises(NotNumeric) as caught:
        table(score=["0.5", None, "high"]).numeric("score")

    assert (caught.value.row, caught.value.value) == (3, "high")


def test_dates_are_not_numeric() -> None:
    with pytest.raises(NotNumeric, match="'2020-01-02' in row 1"):
        table(x=[date(2020, 1, 2)]).numeric("x")


@pytest.mark.parametrize("hole", [None, float("nan")])
def test_numbers_have_no_holes(hole: float | None) -> None:
    with pytest.raises(MissingValue, match="1 value is missing, the first in row 2"):
        table(score=[0.5, hole]).numeric("score")


@pytest.mark.parametrize("weight", [-1.0, float("inf")])
def test_a_weight_is_finite_and_not_negative(weight: float) -> None:
    with pytest.raises(BadWeight, match="the weight in row 2 is"):
        table(w=[1.0, weight]).weights("w")


def test_some_weight_is_above_zero() -> None:
    with pytest.raises(BadWeight, match="every weight is 0"):
        table(w=[0, 0]).weights("w")


def test_features_are_floats_or_texts() -> None:
    data = table(age=[1, None], member=[True, None], city=["a", None], born=[date(1970, 1, 2), None])

    features = data.features(["age", "member", "city", "born"])

    assert list(features) == ["age", "member", "city", "born"]
    np.testing.assert_array_equal(features["age"], [1.0, np.nan])
    np.testing.assert_array_equal(features["member"], [1.0, np.nan])
    assert features["city"].tolist() == ["a", None]
    np.testing.assert_array_equal(features["born"], [1.0, np.nan])


# --- the table itself -------------------------------------------------------------------------------------------------


def test_a_column_that_is_not_there_is_an_error_of_its_own() -> None:
    with pytest.raises(MissingColumn, match="Did you mean 'sex'"):
        table(sex=["f"]).groups("Sex")


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateColumn, match=r"2 columns named 'a' \(columns 1 and 3\)"):
        Table("x.parquet", pa.table([pa.array([1])] * 3, names=["a", "b", "a"]), None, "")


def test_take_keeps_the_order_that_is_asked_for() -> None:
    assert table(x=["a", "b", "c"]).take(np.array([2, 0])).data["x"].to_pylist() == ["c", "a"]


def test_with_column_adds_or_replaces() -> None:
    data = table(a=[1, 2]).with_column("b", np.array([0.5, 0.25])).with_column("a", ["x", "y"])

    assert data.columns == ("a", "b")
    assert data.groups("a").values == ("x", "y")


def test_a_column_has_one_value_a_row() -> None:
    with pytest.raises(WrongLength, match=r"column 'b' has 3 values where people.csv has 2 rows"):
        table(a=[1, 2]).with_column("b", [1, 2, 3])


def test_a_million_rows_of_text_are_coded_at_once() -> None:
    """Measured .02 s on one core; the bound is for a busy machine."""
    from time import perf_counter

    choices = np.random.default_rng(1).integers(0, 5, 1_000_000).astype(np.int32)
    data = table(x=pa.DictionaryArray.from_arrays(choices, pa.array(["e", "d", "c", "b", "a"])).cast(pa.string()))

    start = perf_counter()
    groups = data.groups("x")
    seconds = perf_counter() - start

    np.testing.assert_array_equal(groups.codes, 4 - choices)
    assert seconds < 0.5


def test_dates_are_known_as_dates_with_or_without_a_time() -> None:
    day = datetime.datetime(2020, 2, 29, 12)
    people = table(born=[day.date()], applied=[day], age=[44])

    assert [name for name in people.columns if people.is_date(name)] == ["born", "applied"]
