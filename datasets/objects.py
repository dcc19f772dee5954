"""Arrays of Python objects as Arrow columns; what such a column means belongs elsewhere."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SAMPLE_ROWS = 4_096
MOST_DISTINCT_OF_SAMPLE = SAMPLE_ROWS // 4


def column_of_objects(values: NDArray[np.object_]) -> Any:
    """The values as an Arrow array, which is a dictionary where many rows share one object; None and NaN are null.

    A column of categories mostly holds a few objects many times over. The rows are then told apart by which object they
    hold, and each object is read once: about five times faster than reading every row.

    Args:
        values: shape (n,).

    Raises:
        pyarrow.ArrowInvalid, pyarrow.ArrowTypeError: the values are of several types.
    """
    identity = _identity(values)
    if len(values) < SAMPLE_ROWS or len(np.unique(identity[:: len(values) // SAMPLE_ROWS])) > MOST_DISTINCT_OF_SAMPLE:
        return pa.array(values, from_pandas=True)
    encoded = pc.dictionary_encode(pa.array(identity))
    index: NDArray[Any] = np.from_dlpack(encoded.indices)
    distinct = values[_a_row_of_each(index, len(encoded.dictionary))]
    return pa.DictionaryArray.from_arrays(encoded.indices, pa.array(distinct, from_pandas=True))


def _a_row_of_each(index: NDArray[np.integer[Any]], levels: int) -> NDArray[np.intp]:
    """For each of the levels a row that has it."""
    row_with = np.full(levels, -1, dtype=np.intp)
    for begin in range(0, len(index), SAMPLE_ROWS):
        some = index[begin : begin + SAMPLE_ROWS]
        row_with[some] = np.arange(begin, begin + len(some))
        if (row_with >= 0).all():  # mostly after the first few rows
            break
    return row_with


def _identity(values: NDArray[np.object_]) -> NDArray[np.intp]:
    """Which object each row holds, as a number; valid while `values` keeps the objects alive."""
    same_memory = SimpleNamespace(__array_interface__={**values.__array_interface__, "typestr": np.dtype(np.intp).str})
    del same_memory.__array_interface__["descr"]
    return np.asarray(same_memory)
