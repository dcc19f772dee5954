"""How numbers look."""

import math

import pytest

from evenhand.service.render import numbers


@pytest.mark.parametrize(
    ("value", "table", "sentence"),
    [
        (0.4484, "0.448", ".448"),
        (-0.002, "−0.002", "−.002"),
        (1.0, "1.000", "1.000"),
        (-0.0001, "0.000", ".000"),
        (10.5, "10.500", "10.500"),
    ],
)
def test_three_decimals_and_a_real_minus(value: float, table: str, sentence: str) -> None:
    assert (numbers.fixed(value), numbers.short(value)) == (table, sentence)


@pytest.mark.parametrize("nothing", [None, math.nan])
def test_no_value_is_undefined(nothing: float | None) -> None:
    assert numbers.fixed(nothing) == numbers.short(nothing) == "undefined"


def test_interval_without_an_upper_end_is_said() -> None:
    assert numbers.span(0.4, math.inf) == numbers.span(0.4, None) == "0.400 and above"


def test_interval_that_is_not_there_is_not_said() -> None:
    assert numbers.span(None, None) == ""


def test_tolerance_has_two_decimals_where_two_say_it() -> None:
    assert [numbers.brief(value) for value in (0.1, 0.8, 0.125, 1)] == [".10", ".80", ".125", "1.00"]


def test_rates_are_counted_in_people() -> None:
    assert numbers.out_of(0.4485, 0.2345) == ("45", "23", "100")


def test_rates_that_differ_by_less_than_a_hundredth_are_counted_in_thousands() -> None:
    assert numbers.out_of(0.0012, 0.0039) == ("1", "4", "1,000")


def test_rows_have_thousands_separators_and_weights_one_decimal() -> None:
    assert (numbers.rows(7214), numbers.rows(12.5)) == ("7,214", "12.5")
