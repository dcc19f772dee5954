"""The classifier's answers when blocks are permuted across rows.

What these answers say about groups belongs to `contribution`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch, UndefinedScores
from evenhand.auditors.protocols import Progress

Decide = Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float64]]
"""Columns of length n to scores of the positive class, shape (n,)."""

CALL_ROWS = 200_000
"""Rows in one call of the classifier at most: large calls are cheap, and memory stays bounded."""


def checked_scores(decide: Decide, columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.float64]:
    """Scores of shape (rows,).

    Raises:
        LengthMismatch: the classifier answered for another number of rows.
        UndefinedScores: a score is NaN or infinite.
    """
    scores = np.asarray(decide(columns), dtype=np.float64)
    if scores.shape != (rows,):
        raise LengthMismatch("scores of the classifier", len(scores) if scores.ndim else 0, rows)
    undefined = int((~np.isfinite(scores)).sum())
    if undefined:
        raise UndefinedScores(undefined, rows)
    return scores


def score_rows(decide: Decide, columns: Mapping[str, NDArray[Any]], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Scores of the given rows as they are, in bounded calls."""
    parts = (rows[start : start + CALL_ROWS] for start in range(0, len(rows), CALL_ROWS))
    return np.concatenate(
        [np.zeros(0)]
        + [
            checked_scores(decide, {name: values[part] for name, values in columns.items()}, len(part))
            for part in parts
        ]
    )


@dataclass(frozen=True)
class Subjects:
    """Rows that are asked about: their columns, each of length m, and the blocks of columns that move together."""

    decide: Decide
    columns: Mapping[str, NDArray[Any]]
    blocks: tuple[tuple[str, ...], ...]
    rows: int

    def draw(self, rng: np.random.Generator) -> "Draw":
        """One permutation of the rows for each block."""
        block_of = {name: block for block, members in enumerate(self.blocks) for name in members}
        orders = [rng.permutation(self.rows) for _ in self.blocks]
        moved = {name: self.columns[name][orders[block]] for name, block in block_of.items()}
        return Draw(self, block_of, moved)


@dataclass(frozen=True)
class Draw:
    """One permutation of each block, so that every coalition is asked about with the same draw."""

    subjects: Subjects
    block_of: Mapping[str, int]
    moved: Mapping[str, NDArray[Any]]

    def scores(self, absent: NDArray[np.bool_]) -> Iterator[NDArray[np.float64]]:
        """Scores of shape (m,) for each coalition.

        Args:
            absent: shape (coalitions, blocks): which blocks are permuted.
        """
        rows = self.subjects.rows
        step = max(1, CALL_ROWS // max(1, rows))
        for start in range(0, len(absent), step):
            some = absent[start : start + step]
            columns = {name: self._versions(name, some) for name in self.subjects.columns}
            yield from checked_scores(self.subjects.decide, columns, rows * len(some)).reshape(len(some), rows)

    def _versions(self, name: str, absent: NDArray[np.bool_]) -> NDArray[Any]:
        values = self.subjects.columns[name]
        out = np.empty((len(absent), len(values)), values.dtype)
        out[:] = values
        if name in self.block_of:
            out[absent[:, self.block_of[name]]] = self.moved[name]
        return out.reshape(-1)


@dataclass(frozen=True)
class Use:
    """What permuting each block alone does.

    `flip_rate`, shape (blocks,): share of decisions that change. `moves`: whether any score changed at all.
    `influence`, shape (m, blocks): decision less its mean when the block is permuted.
    """

    flip_rate: NDArray[np.float64]
    moves: NDArray[np.bool_]
    influence: NDArray[np.float64]


def measure_use(
    subjects: Subjects, *, threshold: float, repeats: int, rng: np.random.Generator, progress: Progress
) -> Use:
    """Permute every block alone, `repeats` times, with the same draws for all blocks."""
    blocks = len(subjects.blocks)
    scores = checked_scores(subjects.decide, subjects.columns, subjects.rows)
    decisions = scores >= threshold
    moves = np.zeros(blocks, bool)
    flips = np.zeros(blocks)
    means = np.zeros((subjects.rows, blocks))
    alone = np.eye(blocks, dtype=bool)
    for repeat in range(repeats):
        for block, permuted in enumerate(subjects.draw(rng).scores(alone)):
            decided = permuted >= threshold
            moves[block] |= bool(np.any(permuted != scores))
            flips[block] += np.mean(decided != decisions)
            means[:, block] += decided
        progress((repeat + 1) / repeats, "permuting each feature alone")
    return Use(flips / repeats, moves, decisions[:, None] - means / repeats)


def orderings(
    blocks: int, pairs: int, rng: np.random.Generator
) -> Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Antithetic pairs: an order in which blocks are permuted, and its reverse."""
    drawn = [rng.permutation(blocks) for _ in range(pairs)]
    return [(order, order[::-1]) for order in drawn]
