"""Columns and frames as Python holds them, as Arrow: lists, numpy, pandas, polars, anything that exports Arrow.

What a column means belongs elsewhere. pandas and polars are never imported here: who hands in a frame has imported them.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from evenhand.datasets.errors import EmptySource
from evenhand.datasets.objects import column_of_objects
from evenhand.datasets.table import Table
from evenhand.service.audits.documents import FRAME
from evenhand.service.audits.errors import BadArgument


def column(values: Any, argument: str) -> Any:
    """One value a row as an Arrow column, a pyarrow.ChunkedArray.

    Args:
        values: list, tuple, numpy array of shape (n,) or (n, 1), pandas or polars Series, pyarrow array, or whatever else
            exports Arrow. None, NaN, NaT and NA are missing.
        argument: what messages call it.

    Raises:
        BadArgument: it is no column: text, a single value, or of two dimensions.
    """
    if isinstance(values, str | bytes | Mapping) or not _is_many(values):
        raise BadArgument(argument, f"it is {_kind(values)}", "Pass one value a row: a list, an array or a column.")
    return _without_views(_converted(values, argument))


def _converted(values: Any, argument: str) -> Any:
    if isinstance(values, pa.ChunkedArray):
        return values
    if isinstance(values, pa.Array):
        return pa.chunked_array([values])
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(values, pandas.Series | pandas.Index | pandas.api.extensions.ExtensionArray):
        return _chunked(lambda: pa.Array.from_pandas(pandas.Series(values)), values)
    if pandas is not None and isinstance(values, pandas.DataFrame):
        values = values.to_numpy()
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    if hasattr(values, "__arrow_c_array__"):
        return pa.chunked_array([pa.array(values)])
    return _from_array(values, argument)


def _without_views(values: Any) -> Any:
    """Text as plain strings: polars exports string views, and categories of them, which Arrow does not take apart."""
    kind = values.type
    if pa.types.is_string_view(kind):
        return values.cast(pa.large_string())
    if pa.types.is_dictionary(kind) and pa.types.is_string_view(kind.value_type):
        parts = [
            pa.DictionaryArray.from_arrays(part.indices, part.dictionary.cast(pa.large_string()))
            for part in values.chunks
        ]
        return pa.chunked_array(parts, pa.dictionary(kind.index_type, pa.large_string()))
    return values


def _from_array(values: Any, argument: str) -> Any:
    if not hasattr(values, "__array__"):
        values = list(values)
        if _rows_of_rows(values):
            values = np.asarray(values, dtype=object)
    if hasattr(values, "__array__"):
        array = np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            raise BadArgument(argument, f"it has the shape {array.shape}", "Pass one value a row, of shape (n,).")
        if array.dtype == object:
            return _chunked(lambda: column_of_objects(array), array)
        values = array.tolist() if array.dtype.kind in "US" else array
    return _chunked(lambda: pa.array(values, from_pandas=True), values)


def _chunked(convert: Any, values: Any) -> Any:
    """Values of several types (1, "a", True) are compared as text, as they are in a file."""
    try:
        converted = convert()
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        texts = [None if _is_missing(value) else str(value) for value in values]
        converted = pa.array(texts, pa.string())
    return converted if isinstance(converted, pa.ChunkedArray) else pa.chunked_array([converted])


def _is_missing(value: Any) -> bool:
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT are not equal to themselves
    except TypeError:
        return True  # NA says neither yes nor no


def _is_many(values: Any) -> bool:
    return isinstance(values, Iterable) or hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__")


def _kind(values: Any) -> str:
    return "text" if isinstance(values, str | bytes) else f"of type {type(values).__name__}"


def columns(values: Any, argument: str, *, prefix: str) -> dict[str, Any]:
    """One or several columns, by name; each a pyarrow.ChunkedArray.

    Args:
        values: one column, a frame, a mapping of names to columns, or an array of shape (n, columns).
        argument: what messages call it.
        prefix: columns without a name are called by it and their number, as fairlearn calls them.

    Raises:
        BadArgument: two columns have one name, or one is no column.
    """
    named = list(_named(values, argument, prefix))
    names = [name for name, _ in named]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadArgument(argument, f"two of its columns are called '{twice}'", "Give each column a name of its own.")
    return dict(named)


def _named(values: Any, argument: str, prefix: str) -> Iterable[tuple[str, Any]]:
    if isinstance(values, Mapping):
        return [(str(name), column(values[name], f"{argument} '{name}'")) for name in values]
    if is_frame(values):
        return list(frame_columns(values).items())
    array = np.asarray(values, dtype=object) if _rows_of_rows(values) else values
    if isinstance(array, np.ndarray) and array.ndim == 2:
        return [(f"{prefix}{i}", column(array[:, i], argument)) for i in range(array.shape[1])]
    return [(name_of(values) or f"{prefix}0", column(values, argument))]


def _rows_of_rows(values: Any) -> bool:
    return isinstance(values, list | tuple) and len(values) > 0 and isinstance(values[0], list | tuple | np.ndarray)


def name_of(values: Any) -> str | None:
    """What a Series is called; None where it has no name."""
    name = getattr(values, "name", None)
    return str(name) if isinstance(name, str | int) and str(name) else None


def is_frame(data: Any) -> bool:
    """Whether it has named columns: a pyarrow table, a pandas or polars frame, or what exports one as Arrow."""
    if isinstance(data, pa.Table | pa.RecordBatch):
        return True
    return hasattr(data, "columns") and (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__dataframe__"))


def frame_columns(data: Any) -> dict[str, Any]:
    """The columns of a frame by name, each a pyarrow.ChunkedArray.

    Raises:
        BadArgument: it is no frame, or two columns have one name.
    """
    if isinstance(data, Mapping):
        return {str(name): column(data[name], f"data '{name}'") for name in data}
    if not is_frame(data):
        raise BadArgument(
            "data", f"it is {_kind(data)}", "Pass a pandas, polars or pyarrow table, or a dict of columns."
        )
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        names = [str(name) for name in data.columns]
        parts = [column(data.iloc[:, i], f"data '{name}'") for i, name in enumerate(names)]
    else:
        table = data if isinstance(data, pa.Table) else pa.table(data)
        names, parts = list(table.column_names), [_without_views(part) for part in table.columns]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadArgument("data", f"two columns are called '{twice}'", "Rename one, so that a name means one column.")
    return dict(zip(names, parts, strict=True))


def table_of(named: Mapping[str, Any], *, name: str = FRAME) -> Table:
    """A table of Arrow columns of one length, as a file's would be.

    The digest is that of the table's Arrow stream: the same rows and types give the same digest.

    Raises:
        EmptySource: no column or no row.
    """
    data = pa.table(dict(named))
    if data.num_columns == 0 or data.num_rows == 0:
        raise EmptySource(name, "no columns" if data.num_columns == 0 else "columns and no rows")
    return Table(name, data, None, _digest(data))


class _Hashed:
    """A file that keeps nothing of what is written but its digest."""

    closed = False

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def write(self, part: Any) -> int:
        self.sha256.update(part)
        return len(part)

    def flush(self) -> None: ...


def _digest(data: Any) -> str:
    hashed = _Hashed()
    whole = data.combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(hashed, mode="w"), whole.schema) as stream:
        stream.write_table(whole)
    return hashed.sha256.hexdigest()
