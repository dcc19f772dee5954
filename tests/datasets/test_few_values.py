"""Values of columns that have few: what is known of a table without its rows."""

import pyarrow as pa
import pytest

from evenhand.datasets import profile
from evenhand.datasets.profile import few_values
from evenhand.datasets.table import Table


def table(**columns: object) -> Table:
    return Table("t.csv", pa.table(columns), None, "")


def test_values_are_text_in_order_without_the_missing_one() -> None:
    found = few_values(table(n=[10, 2, 2, None], b=[True, False, True, True], t=["b", "a", "b", None]))

    assert found == {"n": ["2", "10"], "b": ["False", "True"], "t": ["a", "b"]}


def test_columns_of_many_long_or_no_values_are_left_out() -> None:
    rows = 2000
    late = ["a"] * 1500 + [str(i) for i in range(500)]  # many, after a start of one
    found = few_values(
        table(id=list(range(rows)), late=late, long=["x" * 300] * rows, empty=pa.nulls(rows), lists=[[1]] * rows)
    )

    assert found == {}


def test_a_table_beyond_the_limit_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "MOST_CELLS", 3)

    assert few_values(table(a=[1, 2], b=[1, 2])) == {}
