"""The joint histogram of integer columns: the one loop over rows that every count table comes from.

Rows are taken in blocks that stay in the processor's cache, in the narrowest integers that hold a cell's index.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 32_768

Codes = NDArray[np.integer] | NDArray[np.bool_]


@dataclass(frozen=True)
class Column:
    """Codes of one axis of the table.

    Attributes:
        name: for messages.
        codes: shape (n,), of any integer type or boolean, each in [0, levels).
        levels: length of the axis.
    """

    name: str
    codes: Codes
    levels: int


def joint_histogram(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Rows by the codes of all columns together, shape (levels of the first, levels of the second, ...).

    Args:
        columns: at least one, all of the same length.

    Raises:
        ValueError: a code is negative or reaches its column's levels.
    """
    shape = tuple(column.levels for column in columns)
    cells = int(np.prod(shape, dtype=np.int64))
    cell = np.zeros(len(columns[0].codes), dtype=np.int64)
    for column in columns:
        _check(column.name, column.codes, column.levels)
        cell *= column.levels
        cell += column.codes
    return np.bincount(cell, minlength=cells).astype(np.int64).reshape(shape)


def _check(name: str, codes: Codes, levels: int) -> None:
    if len(codes) and (codes.min() < 0 or codes.max() >= levels):
        raise ValueError(f"codes of '{name}' reach outside its {levels} values")
