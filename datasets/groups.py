"""A column as small integer codes with the values they stand for; what is counted by them belongs elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evenhand.datasets.errors import UnsupportedType
from evenhand.datasets.place import Place


@dataclass(frozen=True, eq=False)
class GroupCodes:
    """Codes (n,) of int32 into values, which are text in sorted order; a missing value is None, always last.

    Every value occurs in at least one row, so 0 <= code < len(values).
    """

    codes: NDArray[np.int32]
    values: tuple[str | None, ...]

    @property
    def has_missing(self) -> bool:
        """Whether some row has no value."""
        return bool(self.values) and self.values[-1] is None

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Rows without a value, (n,)."""
        rows: NDArray[np.bool_] = self.codes == (len(self.values) - 1 if self.has_missing else -1)
        return rows

    @property
    def names(self) -> tuple[str, ...]:
        """The values without the missing one."""
        return tuple(value for value in self.values if value is not None)


def lookalikes(values: Iterable[str | None]) -> list[tuple[str, ...]]:
    """Values that differ by blanks or by capitals only, such as "M " and "M": most likely one group, written twice.

    Returns:
        One tuple for each such set, in the order of values; a missing value is like no other.
    """
    alike: dict[str, list[str]] = {}
    for value in values:
        if value is not None:
            alike.setdefault(" ".join(value.casefold().split()), []).append(value)
    return [tuple(found) for found in alike.values() if len(found) > 1]


def encode(column: Any, place: Place) -> GroupCodes:
    """Codes of an Arrow column (ChunkedArray). Null and NaN are missing.

    Numbers sort as numbers, dates as dates, False before True, text by code point. A float column of whole numbers is
    written without ".0"; booleans are "False" and "True"; dates are ISO.

    Raises:
        UnsupportedType: the column holds lists, structures or bytes.
    """
    column = _plain(column, place)
    if not len(column):
        return GroupCodes(np.zeros(0, np.int32), ())
    if pa.types.is_dictionary(column.type):
        return _encode_dictionary(column, place)
    if pa.types.is_null(column.type):
        return GroupCodes(np.zeros(len(column), np.int32), (None,))
    if pa.types.is_floating(column.type):  # Arrow joins no dictionaries that hold both a null and a NaN
        column = pa.chunked_array([column.combine_chunks()])
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    level_of, names = _ordered(encoded.dictionary)
    has_missing = bool((level_of < 0).any())
    level_of[level_of < 0] = len(names)
    # DLPack and not to_numpy, here and in numbers: to_numpy imports pandas, which costs more than all of this
    codes = level_of.astype(np.int32)[np.from_dlpack(encoded.indices)]
    return GroupCodes(codes, (*names, None) if has_missing else names)


def _encode_dictionary(column: Any, place: Place) -> GroupCodes:
    """Codes of a dictionary column by encoding its levels, not its rows; levels that never occur are left out."""
    whole = column.unify_dictionaries().combine_chunks()
    null = len(whole.dictionary)
    level: NDArray[Any] = np.from_dlpack(whole.indices.cast(pa.int32()).fill_null(null))
    rows = np.bincount(level, minlength=null + 1)
    used = np.flatnonzero(rows[:null])
    of_levels = encode(pa.chunked_array([whole.dictionary.take(pa.array(used))]), place)
    code_of: NDArray[np.int32] = np.full(null + 1, len(of_levels.names), np.int32)
    code_of[used] = of_levels.codes
    has_missing = of_levels.has_missing or bool(rows[null])
    return GroupCodes(np.take(code_of, level), (*of_levels.names, None) if has_missing else of_levels.names)


def plain_type(kind: Any, place: Place) -> Any:
    """The Arrow type in which values of this type are told apart: levels that are written twice count once.

    Raises:
        UnsupportedType: lists, structures or bytes.
    """
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_interval(kind)
    ):
        raise UnsupportedType(place.column, f"values of type {kind}", source=place.source)
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.float32() if pa.types.is_float16(kind) else kind


def _plain(column: Any, place: Place) -> Any:
    kind = plain_type(column.type, place)
    if pa.types.is_dictionary(column.type) and column.type.value_type == kind and _can_unify(column):
        return column
    return column if column.type == kind else column.cast(kind)


def _can_unify(column: Any) -> bool:
    """Arrow makes one dictionary of several only where none of them holds a null."""
    return column.num_chunks == 1 or not any(chunk.dictionary.null_count for chunk in column.chunks)


def _ordered(dictionary: Any) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """For each dictionary entry its level, -1 for null and NaN; and the text of the levels in order."""
    kind = dictionary.type
    level_of = np.full(len(dictionary), -1, np.int64)
    if pa.types.is_floating(kind):
        return _ordered_floats(dictionary)
    if pa.types.is_boolean(kind):
        texts: list[str | None] = [None if value is None else str(value) for value in dictionary.to_pylist()]
    else:
        texts = dictionary.cast(pa.string()).to_pylist()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_boolean(kind):
        order = sorted(range(len(texts)), key=lambda i: texts[i] or "")
    else:
        order = pc.sort_indices(dictionary).to_pylist()
    names = [(i, text) for i in order if (text := texts[i]) is not None]
    level_of[[i for i, _ in names]] = np.arange(len(names))
    return level_of, tuple(text for _, text in names)


def _ordered_floats(dictionary: Any) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    shortest = np.float32 if pa.types.is_float32(dictionary.type) else np.float64  # .1 stays "0.1"
    numbers = np.array(dictionary.to_pylist(), dtype=shortest)  # None becomes NaN
    level_of = np.full(len(numbers), -1, np.int64)
    present = ~np.isnan(numbers)
    # adding 0 joins -0.0 to 0.0
    levels, level_of[present] = np.unique(numbers[present] + shortest(0), return_inverse=True)
    whole = bool(np.isfinite(levels).all() and (levels == np.rint(levels)).all())
    return level_of, tuple(str(int(value)) if whole else str(value) for value in levels)
