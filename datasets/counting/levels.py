"""Codes for the values of one column, chunk by chunk, where the next chunk may bring values not seen before.

Here equal means equal as stored: 0.0 and -0.0 have two codes. What values are called belongs to groups.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evenhand.datasets.groups import plain_type
from evenhand.datasets.place import Place


@dataclass(frozen=True, eq=False)
class Coded:
    """A column of one chunk, coded as it came; rows stay untouched, for translating counts is cheaper.

    Attributes:
        codes: shape (n,), whole numbers that are to lie below len(levels); a count finds out whether they do.
        levels: the level that each code stands for; the same array as long as codes mean the same.
    """

    codes: NDArray[np.integer[Any]]
    levels: NDArray[np.intp]


class Levels:
    """The values of a column so far, in order of appearance; a value keeps its level.

    Raises (on construction):
        UnsupportedType: the column holds lists, structures or bytes.
    """

    def __init__(self, kind: Any, place: Place) -> None:
        self.values = pa.nulls(0, plain_type(kind, place))
        self._dictionary = pa.nulls(0)
        self._of_dictionary, self._of_bytes = np.zeros(0, np.intp), np.zeros(0, np.intp)
        self._missing: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def coded(self, chunk: Any, *, look: bool) -> Coded:
        """Codes of an Arrow array of at least one value.

        Args:
            look: look for numbers that are new; else take them for known, and let the count find out that one is not.
        """
        if pa.types.is_float16(chunk.type):
            chunk = chunk.cast(self.values.type)
        if pa.types.is_boolean(chunk.type):
            chunk = chunk.cast(pa.uint8())
        if pa.types.is_integer(chunk.type) and chunk.null_count == 0:
            small = self._small_numbers(_numpy(chunk), look)
            if small is not None:
                return small
        if not pa.types.is_dictionary(chunk.type):
            chunk = pc.dictionary_encode(chunk, null_encoding="encode")
        return self._dictionary_codes(chunk)

    def _small_numbers(self, numbers: NDArray[np.integer[Any]], look: bool) -> Coded | None:
        """Whole numbers from 0 to 255, which labels are, code themselves: no hashing."""
        if look or not len(self._of_bytes):
            highest = highest_code(numbers)
            if highest > 255:
                self._of_bytes = self._of_bytes[:0]
                return None
            if highest >= len(self._of_bytes):
                # also those that do not occur get a level; it stays at a count of 0
                every = arrow(np.arange(highest + 1, dtype=np.uint8))
                self._of_bytes = self._level_of(every.cast(self.values.type))
        return Coded(numbers, self._of_bytes)

    def _dictionary_codes(self, encoded: Any) -> Coded:
        if encoded.dictionary is not self._dictionary and not encoded.dictionary.equals(self._dictionary):
            self._dictionary, self._missing = encoded.dictionary, None
            self._of_dictionary = self._level_of(encoded.dictionary.cast(self.values.type))
        indices = encoded.indices
        if indices.null_count == 0:
            return Coded(_numpy(indices), self._of_dictionary)
        if self._missing is None:
            self._missing = np.append(self._of_dictionary, self._level_of(pa.nulls(1, self.values.type)))
        # what lies under a null is anything; pc.fill_null would import pandas
        whole = pa.Array.from_buffers(indices.type, len(indices), [None, indices.buffers()[1]], offset=indices.offset)
        known = np.from_dlpack(indices.is_valid().cast(pa.uint8())).view(np.bool_)
        return Coded(np.where(known, _numpy(whole), len(self._missing) - 1), self._missing)

    def _level_of(self, values: Any) -> NDArray[np.intp]:
        """Levels of these values, the new ones added. Null equals null, and NaN equals NaN."""
        found = pc.index_in(values, value_set=self.values, skip_nulls=False)
        if found.null_count:
            new = values.filter(pc.is_null(found)).unique()
            self.values = pa.concat_arrays([self.values, new])
            found = pc.index_in(values, value_set=self.values, skip_nulls=False)
        return _numpy(found).astype(np.intp) if len(found) else np.zeros(0, np.intp)


def highest_code(numbers: NDArray[np.integer[Any]]) -> int:
    """The highest of whole numbers, where a negative one is higher than all: one pass in place of two."""
    return int(np.maximum.reduce(numbers.view(f"u{numbers.dtype.itemsize}")))


def _numpy(column: Any) -> NDArray[np.integer[Any]]:
    """Whole numbers without nulls; DLPack and not to_numpy, which imports pandas."""
    numbers: NDArray[Any] = np.from_dlpack(column)
    return numbers


def arrow(numbers: NDArray[Any]) -> Any:
    """A contiguous array of numbers as an Arrow array; pyarrow.array would import pandas for it."""
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [None, pa.py_buffer(np.ascontiguousarray(numbers))])
