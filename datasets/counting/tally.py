"""Counts by the codes of several columns, merged chunk by chunk by addition; the codes come from levels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.counting.levels import Coded
from evenhand.datasets.counting.sums import ExactSums, grown


class Tally:
    """Rows by the levels of some columns, and sums of weights and of their squares beside them.

    Chunks are counted by their own codes; the counts are translated to levels once the codes change their meaning.
    """

    def __init__(self, columns: int) -> None:
        self._rows = np.zeros((0,) * columns, np.int64)
        self._weights, self._squares = ExactSums(), ExactSums()
        self._meaning: list[NDArray[np.intp]] = []
        self._by_code = np.zeros(0, np.int64)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The counts, shape (*levels,)."""
        self._translate()
        return self._rows

    def add(self, columns: Sequence[Coded], levels: tuple[int, ...], weight: NDArray[np.float64] | None = None) -> None:
        """Count one chunk.

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
        if weight is None and np.prod(codes, dtype=object) <= len(columns[0].codes):
            if any(column.levels is not meant for column, meant in zip(columns, self._meaning, strict=False)):
                self._translate()
            if not self._meaning:
                self._meaning = [column.levels for column in columns]
                self._by_code = np.zeros(int(np.prod(codes)), np.int64)
            cell = _cell_of_row([column.codes for column in columns], codes)
            self._by_code += np.bincount(cell, minlength=len(self._by_code))
            return
        cell = _cell_of_row([column.levels[column.codes] for column in columns], levels).astype(np.intp)
        np.add.at(self._rows.reshape(-1), cell, 1)
        if weight is not None:
            self._weights.add(cell, weight, levels)
            self._squares.add(cell, weight * weight, levels)

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


def _cell_of_row(
    codes: Sequence[NDArray[np.integer[Any]]], counts: tuple[int, ...]
) -> NDArray[np.unsignedinteger[Any]]:
    """Each row's index in the flattened table, in the narrowest integers that hold it: memory traffic is the cost."""
    kind = np.uint16 if np.prod(counts, dtype=object) < 1 << 16 else np.uint32
    cell: NDArray[Any] = codes[0].astype(kind)
    for column, count in zip(codes[1:], counts[1:], strict=True):
        cell *= kind(count)
        np.add(cell, column, out=cell, casting="unsafe")
    return cell
