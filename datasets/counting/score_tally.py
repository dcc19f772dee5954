"""Scores counted by the levels of some columns and by fixed bins, merged chunk by chunk by addition."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.counting.levels import Coded
from evenhand.datasets.counting.score_bins import COARSER, bin_count, bins_of
from evenhand.datasets.counting.sums import Number, grown

MOST_SCORE_CELLS = 4_000_000
"""Beyond it bins are joined by eights; and if that is not enough, scores are not counted by bins: 32 MB of counts."""

Floats = NDArray[np.float64]


class ScoreTally:
    """Rows by levels and bin; a bin that no score has yet takes no room.

    A bin is parted where the threshold lies in it. Sums of weights are added in the order of the rows.
    """

    def __init__(self, threshold: float, *, weighted: bool) -> None:
        self._threshold, self._weighted = threshold, weighted
        self._coarser = 0
        self._place = np.full(2 * bin_count(), -1, np.int32)
        self.full = False
        self.rows = np.zeros(0, np.int64)
        self.weights, self.squares = np.zeros(0), np.zeros(0)
        self.lowest, self.highest = np.zeros(0), np.zeros(0)

    def add(self, columns: Sequence[Coded], levels: tuple[int, ...], scores: Floats, weight: Floats | None) -> None:
        """Count one chunk, or nothing where there is no room.

        Args:
            columns: each of shape (n,), its codes known to lie below its levels.
            levels: how many each column has by now, none fewer than before.
            scores: shape (n,); a missing one is counted as 0, for a source with one is refused in the end.
        """
        if self.full:
            return
        scores = np.where(np.isnan(scores), 0.0, scores)
        place = self._placed(scores)
        if self._over(levels) and not self._coarser:
            self._join()
            place = self._placed(scores)
        self.full = self._over(levels)
        if self.full:
            return
        self._grow((*levels, len(self.lowest)))
        np.minimum.at(self.lowest, place, scores)
        np.maximum.at(self.highest, place, scores)
        cell = np.zeros(len(scores), np.intp)
        for column, count in zip(columns, levels, strict=True):
            cell *= count
            cell += column.levels[column.codes]
        cell *= len(self.lowest)
        cell += place
        np.add.at(self.rows.reshape(-1), cell, 1)
        if weight is not None:
            np.add.at(self.weights.reshape(-1), cell, weight)
            np.add.at(self.squares.reshape(-1), cell, weight * weight)

    def _placed(self, scores: Floats) -> NDArray[np.int32]:
        """Each score's place in the table, with room made for new bins at the end."""
        parts = (bins_of(scores) >> self._coarser) * 2 + (scores >= self._threshold)
        new = np.flatnonzero(np.bincount(parts, minlength=len(self._place)).astype(bool) & (self._place < 0))
        self._place[new] = np.arange(len(self.lowest), len(self.lowest) + len(new))
        self.lowest = np.append(self.lowest, np.full(len(new), np.inf))
        self.highest = np.append(self.highest, np.full(len(new), -np.inf))
        found: NDArray[np.int32] = self._place[parts]
        return found

    def _over(self, levels: tuple[int, ...]) -> bool:
        return int(np.prod(levels, dtype=object)) * len(self.lowest) > MOST_SCORE_CELLS

    def _join(self) -> None:
        """Eight bins become one; whole numbers add up to what counting so from the start would have given."""
        self._coarser = COARSER
        parts = np.empty(len(self.lowest), np.int64)
        known = np.flatnonzero(self._place >= 0)
        parts[self._place[known]] = ((known >> 1) >> COARSER) * 2 + (known & 1)
        joined, place = np.unique(parts, return_inverse=True)
        self._place = np.full(2 * bin_count(COARSER), -1, np.int32)
        self._place[joined] = np.arange(len(joined))
        lowest, highest = np.full(len(joined), np.inf), np.full(len(joined), -np.inf)
        np.minimum.at(lowest, place, self.lowest)
        np.maximum.at(highest, place, self.highest)
        self.lowest, self.highest = lowest, highest
        if self.rows.ndim < 2:  # nothing was counted yet
            return
        before = self.rows.shape[-1]
        self.rows = _joined(self.rows, place[:before], len(joined))
        if self._weighted:
            self.weights = _joined(self.weights, place[:before], len(joined))
            self.squares = _joined(self.squares, place[:before], len(joined))

    def _grow(self, shape: tuple[int, ...]) -> None:
        if self.rows.shape == shape:
            return
        if self.rows.ndim != len(shape):
            self.rows = np.zeros(shape, np.int64)
            self.weights, self.squares = (np.zeros(shape if self._weighted else 0) for _ in range(2))
            return
        self.rows = grown(self.rows, shape)
        if self._weighted:
            self.weights, self.squares = grown(self.weights, shape), grown(self.squares, shape)


def _joined(table: NDArray[Number], place: NDArray[np.intp], bins: int) -> NDArray[Number]:
    joined = np.zeros((bins, *table.shape[:-1]), table.dtype)
    np.add.at(joined, place, np.moveaxis(table, -1, 0))
    return np.ascontiguousarray(np.moveaxis(joined, 0, -1))
