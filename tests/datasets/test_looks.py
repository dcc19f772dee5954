"""What is in a table before anything is asked of it."""

import numpy as np
import pyarrow as pa
import pytest

from evenhand.datasets.errors import MissingColumn
from evenhand.datasets.looks import MOST_GROUPS, by_group, examples
from evenhand.datasets.profile import profile
from evenhand.datasets.table import Table


@pytest.fixture
def table() -> Table:
    data = {
        "sex": ["F", "M", "M", None, "M"],
        "hired": ["no", "yes", None, "yes", "no"],
        "points": [0.5, float("nan"), 1.5, None, 0.5],
        "tags": [["a"], [], ["a", "b"], [], []],
    }
    return Table("people", pa.table(data), None, "0" * 64)


def test_columns_have_types_empty_cells_and_how_many_values(table: Table) -> None:
    found = {each.name: (each.type, each.missing, each.distinct) for each in profile(table)}

    assert found["sex"] == ("string", 1, 2)
    assert found["points"] == ("double", 2, 2)
    assert found["tags"][1:] == (0, None)


def test_groups_come_largest_first_and_the_unknown_one_is_among_them(table: Table) -> None:
    found = by_group(table, "sex")

    assert [(each.group, each.rows) for each in found.groups] == [("M", 3), ("F", 1), (None, 1)]
    assert found.labels == ()


def test_labels_are_counted_by_group_without_rows_that_have_none(table: Table) -> None:
    found = by_group(table, "sex", label="hired")

    assert found.labels == ("no", "yes")
    assert [each.labels for each in found.groups] == [(1, 1), (1, 0), (0, 1)]
    assert found.labelled == (2, 1, 1)


def test_of_very_many_groups_the_largest_are_listed() -> None:
    values = [str(i) for i in range(100) for _ in range(i + 1)]
    found = by_group(Table("t", pa.table({"g": values}), None, "0" * 64), "g")

    assert len(found.groups) == MOST_GROUPS
    assert found.groups[0].group == "99"
    assert found.left_out == 100 - MOST_GROUPS


def test_examples_are_rows_of_their_group_and_the_same_with_the_same_seed() -> None:
    groups = Table("t", pa.table({"g": ["a", "b"] * 50}), None, "0" * 64).groups("g")

    first, again = (examples(groups, each=4, seed=1, chosen=["b", "a"]) for _ in range(2))
    other = examples(groups, each=4, seed=2, chosen=["b", "a"])

    assert all((rows % 2 == odd).all() for rows, odd in zip(first, (1, 0), strict=True))
    assert [list(rows) for rows in first] == [list(rows) for rows in again] != [list(rows) for rows in other]
    assert [len(rows) for rows in examples(groups, each=400, seed=1, chosen=["a"])] == [50]
    assert np.all(np.diff(first[0]) > 0)


def test_a_column_that_is_not_there_is_refused(table: Table) -> None:
    with pytest.raises(MissingColumn, match="gender"):
        by_group(table, "gender")
