"""Counts by the codes of several columns, merged chunk by chunk by addition; the codes come from levels."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.counting.levels import Coded, highest_code
from evenhand.datasets.counting.sums import ExactSums, grown

BLOCK_ROWS = 1 << 16
"""What is made of so many rows stays in a processor's first caches."""


class Tally:
    """Rows by the levels of some columns, and sums of weights and of their squares beside them.

    Chunks are counted by their own codes; the counts are translated to levels once the codes change their meaning.
    """

    def __init__(self, columns: int) -> None:
        self._rows = np.zeros((0,) * columns, np.int64)
        self._weights, self._squares = ExactSums(), ExactSums()
        self._meaning: list[NDArray[np.intp]] = []
        self._by_code = np.zeros(0, np.int64)
        self._index = np.empty(0, np.intp)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The counts, shape (*levels,)."""
        self._translate()
        return self._rows

    def add(self, columns: Sequence[Coded], levels: tuple[int, ...], weight: NDArray[np.float64] | None = None) -> bool:
        """Count one chunk; or count nothing and answer False, where a code lies beyond its levels.

        Args:
            columns: each of shape (n,).
            levels: how many each column has by now, none fewer than before.
            weight: shape (n,), finite.
        """
        if levels != self._rows.shape:
            self._rows = grown(self._rows, levels)
            self._weights.grow(levels)
            self._squares.grow(levels)
        codes = tuple(len(column.levels) for column in columns)
        if weight is None and math.prod(codes) <= len(columns[0].codes):
            return self._add_by_code(columns, codes)
        if any(highest_code(column.codes) >= count for column, count in zip(columns, codes, strict=True)):
            return False
        cell = _cell_of_row([column.levels[column.codes] for column in columns], levels)
        assert cell is not None
        cell = cell.astype(np.intp)
        np.add.at(self._rows.reshape(-1), cell, 1)
        if weight is not None:
            self._weights.add(cell, weight, levels)
            self._squares.add(cell, weight * weight, levels)
        return True

    def _add_by_code(self, columns: Sequence[Coded], codes: tuple[int, ...]) -> bool:
        found = np.zeros(math.prod(codes), np.int64)
        for begin in range(0, len(columns[0].codes), BLOCK_ROWS):
            block = slice(begin, begin + BLOCK_ROWS)
            cell = _cell_of_row([column.codes[block] for column in columns], codes)
            if cell is None:
                return False
            np.add.at(found, self._as_index(cell), 1)
        if any(column.levels is not meant for column, meant in zip(columns, self._meaning, strict=False)):
            self._translate()
        if not self._meaning:
            self._meaning, self._by_code = [column.levels for column in columns], np.zeros_like(found)
        self._by_code += found
        return True

    def _as_index(self, cell: NDArray[Any]) -> NDArray[np.intp]:
        """A copy in memory that is written over again and again: fresh memory would cost more than the count."""
        if len(self._index) < len(cell):
            self._index = np.empty(len(cell), np.intp)
        index = self._index[: len(cell)]
        index[...] = cell
        return index

    def _translate(self) -> None:
        if self._meaning:
            counts = self._by_code.reshape([len(levels) for levels in self._meaning])
            np.add.at(self._rows, np.ix_(*self._meaning), counts)
            self._meaning = []

    def present(self) -> NDArray[np.intp]:
        """Cells that occur, as indices into the flattened counts."""
        return np.flatnonzero(self.rows)

    def weights(self, cells: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums of weights and of squared weights in these cells."""
        return self._weights.totals(cells), self._squares.totals(cells)


def _cell_of_row(codes: Sequence[NDArray[np.integer[Any]]], counts: tuple[int, ...]) -> NDArray[Any] | None:
    """Each row's index in the flattened table, in the narrowest integers that hold it; None where a code is too high.

    A code is looked at while its block is at hand, for memory traffic is the cost.
    """
    kind = np.uint16 if math.prod(counts) < 1 << 16 else np.uint32
    cell: NDArray[Any] | None = None
    for column, count in zip(codes, counts, strict=True):
        if highest_code(column) >= count:
            return None
        if cell is None:
            cell = column.astype(kind)
        else:
            cell *= kind(count)
            np.add(cell, column, out=cell, dtype=kind, casting="unsafe")  # loses nothing: the code was looked at
    return cell
