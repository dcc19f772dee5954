"""A column as float64, or as a feature for a classifier; codes of its values are in groups."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evenhand.datasets.errors import BadWeight, UnsupportedType
from evenhand.datasets.groups import plain_type
from evenhand.datasets.place import Place


def numeric(column: Any, place: Place) -> NDArray[np.float64]:
    """Every value as float64, shape (n,). Text that is a number throughout is read as such; infinity is a number.

    Raises:
        MissingValue: null or NaN.
        NotNumeric: text, or a date.
    """
    values = numbers(column, place)
    missing = np.isnan(values)
    if missing.any():
        raise place.missing(missing)
    return values


def scores(column: Any, place: Place) -> NDArray[np.float64]:
    """As numeric, and finite.

    Raises:
        NotNumeric: text, a date, or infinity. MissingValue as for numeric.
    """
    values = numeric(column, place)
    infinite = np.isinf(values)
    if infinite.any():
        row = int(np.argmax(infinite))
        raise place.not_numeric(row, str(values[row]))
    return values


def numbers(column: Any, place: Place, *, rows_before: int = 0) -> NDArray[np.float64]:
    """As numeric, with NaN where a value is missing.

    Args:
        rows_before: rows of the source above these, for the row that an error names.

    Raises:
        NotNumeric: text, or a date.
    """
    column = _decoded(column)
    if not _is_number(column.type):
        column = _parsed(column, place, rows_before)
    return _float64(column)


def weights(column: Any, place: Place) -> NDArray[np.float64]:
    """Weights as float64, shape (n,): finite, at least 0, not all 0.

    Raises:
        BadWeight: a weight is negative or infinite, or all are 0. MissingValue and NotNumeric as for numeric.
    """
    values = numeric(column, place)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        row = int(np.argmax(bad))
        raise place.bad_weight(row, float(values[row]))
    if len(values) and not values.any():
        raise BadWeight(place.column, None, 0.0, source=place.source)
    return values


def feature(column: Any, place: Place) -> NDArray[Any]:
    """A column as a classifier takes it, shape (n,).

    Numbers and booleans are float64 with NaN for missing; dates and times of day are float days (since 1970-01-01, or
    midnight) with NaN; everything else is an object array of str with None.

    Raises:
        UnsupportedType: the column holds lists, structures or bytes.
    """
    column = _decoded(column)
    kind = column.type
    if _is_number(kind):
        return _float64(column)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        microseconds = _float64(column.cast(pa.timestamp("us"), safe=False).cast(pa.int64()))
        return microseconds / 86_400e6
    if pa.types.is_time(kind):
        return _float64(column.cast(pa.time64("us")).cast(pa.int64())) / 86_400e6
    plain_type(kind, place)
    texts: NDArray[Any] = np.empty(len(column), dtype=object)
    texts[:] = column.cast(pa.string()).to_pylist()
    return texts


def _decoded(column: Any) -> Any:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _is_number(kind: Any) -> bool:
    checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_null)
    return any(check(kind) for check in checks)


def _float64(column: Any) -> NDArray[np.float64]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    floats = column.cast(pa.float64(), safe=False)
    if isinstance(floats, pa.ChunkedArray):
        floats = floats.combine_chunks()
    if isinstance(floats, pa.ChunkedArray) or len(floats) == 0:  # no chunk to combine
        return np.zeros(0)
    if not floats.null_count:
        return np.array(np.from_dlpack(floats), dtype=np.float64)
    # a NaN handed to Arrow, as fill_null wants it, imports pandas: the nulls are filled here
    _, data = floats.buffers()
    bare = pa.Array.from_buffers(pa.float64(), len(floats), [None, data], offset=floats.offset)
    values = np.array(np.from_dlpack(bare), dtype=np.float64)
    values[np.from_dlpack(pc.is_null(floats).cast(pa.uint8())) == 1] = np.nan
    return values


def _parsed(column: Any, place: Place, rows_before: int) -> Any:
    """Text that is a number in every row, as numbers; the first row that is not is named in the error."""
    try:
        texts = column.cast(pa.string())
    except pa.ArrowNotImplementedError:
        raise UnsupportedType(place.column, f"values of type {column.type}", source=place.source) from None
    try:
        return texts.cast(pa.float64())
    except pa.ArrowInvalid:
        row = _first_unreadable(texts)
        raise place.not_numeric(rows_before + row, str(texts[row])) from None


def _first_unreadable(texts: Any) -> int:
    """The first text that is no number, by halving: a start of the column is readable as far as that and no further."""
    readable, unreadable = 0, len(texts)
    while unreadable - readable > 1:
        middle = (readable + unreadable) // 2
        if _reads_as_numbers(texts.slice(readable, middle - readable)):
            readable = middle
        else:
            unreadable = middle
    return readable


def _reads_as_numbers(texts: Any) -> bool:
    try:
        texts.cast(pa.float64())
    except pa.ArrowInvalid:
        return False
    return True
