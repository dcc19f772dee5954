"""The joint histogram of integer columns: the one loop over rows that every count table comes from.

Rows are taken in blocks that stay in the processor's cache, in the narrowest integers that hold a cell's index. Where the
table is small, two or four rows are counted by one increment of a table of pairs, which is summed at the end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 2**18
# Indices are eight bytes each, so they are made for a quarter of a block at a time.
INDEX_ROWS = 2**16
# A table of pairs pays while it stays in the second cache and the rows are many beside it.
MOST_FOLDED_CELLS = 2**18
ROWS_A_FOLDED_CELL = 16

Codes = NDArray[np.integer]
Flags = NDArray[np.bool_]
_Unsigned = NDArray[np.unsignedinteger]

_SAME_SIZE: dict[int, type[np.unsignedinteger]] = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


@dataclass(frozen=True)
class Column:
    """Codes of one axis of the table.

    Attributes:
        name: for messages.
        codes: shape (n,), of any integer type or boolean, each in [0, levels).
        levels: length of the axis.
    """

    name: str
    codes: Codes | Flags
    levels: int


def joint_histogram(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Rows by the codes of all columns together, shape (levels of the first, levels of the second, ...).

    Args:
        columns: at least one, all of the same length.

    Raises:
        ValueError: a code is negative or reaches its column's levels.
    """
    shape = tuple(column.levels for column in columns)
    rows, cells = len(columns[0].codes), _product(shape)
    folds = _folds(cells, rows)
    # half as wide, more of the table stays near the processor; no cell can reach beyond the number of rows
    table = np.zeros(cells ** (2**folds), dtype=np.uint32 if rows < 2**32 else np.int64)
    odd = np.zeros(cells, dtype=np.int64)  # of rows that find no partner
    buffers = _Buffers(rows)
    for _, block in _cells_of_rows(columns, buffers):
        paired = len(block) - len(block) % 2**folds
        if paired < len(block):
            np.add.at(odd, block[paired:].astype(np.intp), 1)
        _add(table, _folded(block[:paired], cells, folds, buffers), buffers)
    for fold in reversed(range(folds)):
        pairs = table.reshape(cells ** (2**fold), -1)
        table = pairs.sum(axis=0, dtype=table.dtype) + pairs.sum(axis=1, dtype=table.dtype)
    return (table + odd).reshape(shape)


def joint_sums(columns: Sequence[Column], weight: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of weights, and of squared weights, by the codes of all columns together; shapes as in `joint_histogram`.

    Weights are added in float64 in the order of the rows: whole numbers, and multiples of one power of two, exactly while
    a cell's sum stays below 2^53 of them; others to a relative error of at most (rows of the cell) × 2^-53.

    Raises:
        ValueError: a code is negative or reaches its column's levels.
    """
    shape = tuple(column.levels for column in columns)
    sums, squares = np.zeros(_product(shape)), np.zeros(_product(shape))
    buffers = _Buffers(len(weight))
    for begin, block in _cells_of_rows(columns, buffers):
        cell = buffers.holding(block, "index", np.intp)
        of_rows = weight[begin : begin + len(block)].astype(np.float64, copy=False)
        np.add.at(sums, cell, of_rows)
        np.add.at(squares, cell, of_rows * of_rows)
    return sums.reshape(shape), squares.reshape(shape)


def _product(shape: Sequence[int]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def _narrowest(cells: int) -> type[np.unsignedinteger]:
    return next(kind for size, kind in _SAME_SIZE.items() if cells <= 2 ** (8 * size))


def _folds(cells: int, rows: int) -> int:
    """How often rows are paired: each time halves the increments and squares the table."""
    folds = 0
    while cells > 1 and cells**2 <= min(MOST_FOLDED_CELLS, rows // ROWS_A_FOLDED_CELL) and folds < 2:
        cells, folds = cells**2, folds + 1
    return folds


class _Buffers:
    """Arrays of one block that are written over again and again: fresh memory would cost more than the arithmetic."""

    def __init__(self, rows: int) -> None:
        self._rows = min(rows, BLOCK_ROWS)
        self._kept: dict[tuple[str, type[np.integer]], NDArray[Any]] = {}

    def holding(self, values: NDArray[Any], purpose: str, kind: type[np.integer]) -> NDArray[Any]:
        """A copy of the values as integers of this kind, in the buffer kept for the purpose."""
        if (purpose, kind) not in self._kept:
            self._kept[purpose, kind] = np.empty(self._rows, kind)
        buffer = self._kept[purpose, kind][: len(values)]
        buffer[...] = values
        return buffer


def _folded(block: _Unsigned, cells: int, folds: int, buffers: _Buffers) -> _Unsigned:
    """The first half of the rows paired with the second: one index into a table of (cells, cells) for both."""
    for _ in range(folds):
        half, kind = len(block) // 2, _narrowest(cells**2)
        pairs = buffers.holding(block[:half], "pairs", kind)
        pairs *= kind(cells)
        pairs += block[half:]
        block, cells = pairs, cells**2
    return block


def _add(table: NDArray[Any], cells: _Unsigned, buffers: _Buffers) -> None:
    one = table.dtype.type(1)  # of another type it would be fifty times slower
    for begin in range(0, len(cells), INDEX_ROWS):
        np.add.at(table, buffers.holding(cells[begin : begin + INDEX_ROWS], "index", np.intp), one)


def _cells_of_rows(columns: Sequence[Column], buffers: _Buffers) -> Iterator[tuple[int, _Unsigned]]:
    """Block by block, the first row's number and each row's index in the flattened table.

    A block's array is written over when the next one is asked for.
    """
    unsigned = [column.codes.view(_SAME_SIZE[column.codes.dtype.itemsize]) for column in columns]
    kinds = [_narrowest(_product([column.levels for column in columns[: i + 1]])) for i in range(len(columns))]
    for begin in range(0, len(columns[0].codes), BLOCK_ROWS):
        cell: NDArray[Any] | None = None
        for column, codes, kind in zip(columns, unsigned, kinds, strict=True):
            part = codes[begin : begin + BLOCK_ROWS]
            # as unsigned numbers, negative codes are the largest of all
            if np.maximum.reduce(part) >= column.levels:
                raise ValueError(f"codes of '{column.name}' reach outside its {column.levels} values")
            if cell is None:
                cell = buffers.holding(part, "cell", kind)
                continue
            if cell.dtype != kind:
                cell = buffers.holding(cell, "cell", kind)
            cell *= kind(column.levels)
            np.add(cell, part, out=cell, dtype=kind, casting="unsafe")  # loses nothing: the code was looked at
        assert cell is not None
        yield begin, cell
