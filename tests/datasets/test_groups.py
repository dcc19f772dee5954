"""Columns as codes: a dictionary column is encoded by its levels, and must read as its rows would."""

from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.datasets.errors import UnsupportedType
from evenhand.datasets.groups import encode
from evenhand.datasets.place import Place

PLACE = Place("rows", "sex")

LEVELS: dict[str, tuple[Any, list[object]]] = {
    "text": (pa.string(), ["b", "a", None, "ä", ""]),
    "large text": (pa.large_string(), ["b", "a", None]),
    "integers": (pa.int64(), [10, 9, None, -1]),
    "floats": (pa.float64(), [1.0, 2.5, float("nan"), -0.0, 0.0, None]),
    "short floats": (pa.float32(), [0.1, 2.0]),
    "dates": (pa.date32(), [date(2024, 2, 1), date(2023, 5, 7)]),
    "booleans": (pa.bool_(), [True, False, None]),
}


def dictionary(kind: Any, levels: list[object], index: list[int | None]) -> Any:
    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int8()), pa.array(levels, kind))


@pytest.mark.parametrize("name", LEVELS)
@given(data=st.data())
def test_a_dictionary_column_reads_as_its_rows_would(name: str, data: st.DataObject) -> None:
    kind, levels = LEVELS[name]
    index = st.lists(st.one_of(st.none(), st.integers(0, len(levels) - 1)), max_size=20)
    chunks = [dictionary(kind, levels, data.draw(index)), dictionary(kind, levels[::-1], data.draw(index))]
    column = pa.chunked_array(chunks[: data.draw(st.integers(1, 2))])

    groups = encode(column, PLACE)

    rows = encode(pa.chunked_array([pa.array(column.to_pylist(), kind)]), PLACE)
    assert groups.values == rows.values
    np.testing.assert_array_equal(groups.codes, rows.codes)
    assert groups.codes.dtype == rows.codes.dtype


def test_levels_that_never_occur_are_no_groups() -> None:
    column = pa.chunked_array([dictionary(pa.float64(), [2.5, 1.0], [1, 1])])

    assert encode(column, PLACE).values == ("1",)


def test_a_sliced_dictionary_column_is_read_from_its_first_row() -> None:
    column = pa.chunked_array([dictionary(pa.string(), ["F", "M"], [0, 1, 1, 0])]).slice(1, 2)

    groups = encode(column, PLACE)

    assert (groups.values, groups.codes.tolist()) == (("M",), [0, 0])


def test_a_dictionary_of_bytes_is_refused() -> None:
    column = pa.chunked_array([dictionary(pa.binary(), [b"F"], [0])])

    with pytest.raises(UnsupportedType, match="binary"):
        encode(column, PLACE)
