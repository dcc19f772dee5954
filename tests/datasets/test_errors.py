"""Messages say what was wrong, what was found, what would be right, and what to do next."""

import inspect

from evenhand.datasets import errors
from evenhand.datasets.errors import DatasetError, MissingColumn, MissingValue, NotBinary, TooLarge, UnknownPositive


def test_missing_column_names_the_columns_and_suggests_the_nearest() -> None:
    message = str(MissingColumn("Sexx", "applicants.csv", ["age", "race", "sex"]))

    assert "column 'Sexx' is not in applicants.csv. It has: age, race, sex." in message
    assert "Did you mean 'sex'?" in message


def test_missing_column_carries_the_setting_at_fault_and_the_value_it_should_have() -> None:
    assert ("prediction", "sex") in MissingColumn("Sexx", "a.csv", ["sex"], setting="prediction").said
    assert ("score", None) in MissingColumn("zzz", "a.csv", ["age"], setting="score").said


def test_missing_column_names_no_setting_where_none_named_it() -> None:
    assert str(MissingColumn("zzz", "a.csv", ["age"])).endswith("It has: age. Name one of these.")


def test_gender_is_taken_for_sex() -> None:
    assert MissingColumn("gender", "applicants.csv", ["age", "race", "sex"]).nearest == "sex"


def test_column_unlike_all_others_gets_no_suggestion() -> None:
    assert MissingColumn("zzz", "applicants.csv", ["age", "race"]).nearest is None


def test_long_lists_of_columns_are_cut_and_counted() -> None:
    assert "and 88 more" in str(MissingColumn("y", "wide.csv", [f"x{i}" for i in range(100)]))


def test_missing_value_says_row_line_and_count() -> None:
    message = str(MissingValue("y", 3, 1200, source="p.csv", line=4))

    assert "column 'y' of p.csv: 1,200 values are missing, the first in row 3 (line 4)" in message


def test_not_binary_shows_values_and_carries_both_settings() -> None:
    error = NotBinary("income", ["<=50K", ">50K"])

    assert "<=50K, >50K" in str(error)
    assert {("positive", None), ("favourable", None)} <= set(error.said)


def test_fractions_are_taken_for_scores() -> None:
    assert {("prediction", "p"), ("score", "p"), ("threshold", None)} <= set(
        NotBinary("p", ["0.1", "0.25", "1.0"]).said
    )


def test_unknown_positive_suggests_the_nearest_value() -> None:
    assert "Did you mean '>50K'?" in str(UnknownPositive("income", ">50k", ["<=50K", ">50K"]))


def test_too_large_gives_both_numbers() -> None:
    assert "3,000 rows, the limit is 2,000" in str(TooLarge("big.csv", "rows", 3000, 2000))


def test_every_error_stands_in_the_tree_at_the_top_of_the_file() -> None:
    defined = [
        name for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, DatasetError)
    ]

    assert [name for name in defined if name not in (errors.__doc__ or "")] == []
