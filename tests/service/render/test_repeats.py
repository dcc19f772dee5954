"""Rows that are there twice, in words."""

from evenhand.auditors.report import DuplicateRows
from evenhand.service.render.repeats import sentence


def found(columns: list[str], *, repeated: int = 3) -> DuplicateRows:
    return DuplicateRows(columns=columns, repeated=repeated, distinct=4, largest=2)


def test_columns_compared_are_named() -> None:
    said = sentence(found(["sex", "score"]), 7)

    assert said == (
        "3 of 7 rows repeat an earlier one, compared over all columns read (sex, score); the most frequent is there 2 times."
    )


def test_of_many_columns_the_first_are_named_and_the_others_counted() -> None:
    said = sentence(found([f"c{i}" for i in range(11)], repeated=0), 7)

    assert (
        said
        == "0 of 7 rows repeat an earlier one, compared over all columns read (c0, c1, c2, c3, c4, c5, c6, c7 and 3 more)."
    )


def test_pictures_are_compared_by_their_pixels() -> None:
    assert "compared by their pixels" in sentence(found(["picture"]), 7)
