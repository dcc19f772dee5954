"""What can be said of a table's columns without knowing what they mean, for its page and its datasheet.

Groups and the labels in them belong to `looks`.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evenhand.datasets.errors import UnsupportedType
from evenhand.datasets.table import Table

MOST_VALUES = 20
"""Values of a column whose rows are counted one by one."""
LONGEST_VALUE = 200
MOST_CELLS = 100_000_000
LOOKED_AT_FIRST = 1000


@dataclass(frozen=True)
class ColumnFacts:
    """One column.

    Attributes:
        type: as stored, in Arrow's word.
        kind: in words: "text", "whole numbers", "numbers", "yes or no", "dates and times", "no values", else Arrow's.
        missing: rows without a value; NaN counts as missing.
        distinct: different values, the missing one left out; None where values cannot be told apart.
        low, high: the least and the greatest value as text; None for text and yes or no.
        sizes: value (None for missing) and rows, in order of the values; empty beyond MOST_VALUES values.
    """

    name: str
    type: str
    kind: str
    missing: int
    distinct: int | None
    low: str | None
    high: str | None
    sizes: tuple[tuple[str | None, int], ...]


def profile(table: Table) -> tuple[ColumnFacts, ...]:
    """Facts of every column, in the order of the table."""
    return tuple(_facts(table, name) for name in table.columns)


def few_values(table: Table) -> dict[str, list[str]]:
    """Values of each column that has MOST_VALUES of them at most, as text and in order, the missing one left out.

    Columns without values, and with longer ones than LONGEST_VALUE, are left out; so is all of a table of more than
    MOST_CELLS cells, where looking takes too long for a caller who waits.
    """
    if table.rows * len(table.columns) > MOST_CELLS:
        return {}
    return {name: found for name in table.columns if (found := _few_values(table, name)) is not None}


def _few_values(table: Table, name: str) -> list[str] | None:
    first = table.take(np.arange(min(table.rows, LOOKED_AT_FIRST)))
    try:
        if len(first.groups(name).names) > MOST_VALUES:
            return None
        found = table.groups(name).names
    except UnsupportedType:
        return None
    if not 0 < len(found) <= MOST_VALUES or any(len(value) > LONGEST_VALUE for value in found):
        return None
    return list(found)


def _facts(table: Table, name: str) -> ColumnFacts:
    stored = table.column(name).type
    kind = _kind(stored)
    try:
        groups = table.groups(name)
    except UnsupportedType:
        return ColumnFacts(name, str(stored), kind, int(table.column(name).null_count), None, None, None, ())
    rows = np.bincount(groups.codes, minlength=len(groups.values)).tolist()
    ordered = kind not in ("text", "yes or no") and bool(groups.names)
    return ColumnFacts(
        name,
        str(stored),
        kind,
        rows[-1] if groups.has_missing else 0,
        len(groups.names),
        groups.names[0] if ordered else None,
        groups.names[-1] if ordered else None,
        tuple(zip(groups.values, rows, strict=True)) if len(groups.names) <= MOST_VALUES else (),
    )


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    named = {
        "text": (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
        "whole numbers": (pa.types.is_integer,),
        "numbers": (pa.types.is_floating, pa.types.is_decimal),
        "yes or no": (pa.types.is_boolean,),
        "dates and times": (pa.types.is_temporal,),
        "no values": (pa.types.is_null,),
    }
    return next((words for words, checks in named.items() if any(check(kind) for check in checks)), str(kind))


def duplicated_rows(table: Table) -> int:
    """Rows that are equal to an earlier one in every column."""
    from evenhand.datasets.identity import row_codes

    (codes,) = row_codes([table], table.columns)
    return table.rows - int(pc.count_distinct(pa.array(codes)).as_py())
