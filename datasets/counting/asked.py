"""What is counted of a source, and what comes back: equal rows as one, with how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.table import Table

DEFAULT_THRESHOLD = 0.5

MOST_CELLS = 20_000_000
"""So many combinations of values are counted at most, those that never occur included."""


@dataclass(frozen=True)
class Asked:
    """What to count.

    Attributes:
        keys: columns whose combinations of values are counted.
        score: column of which only whether it reaches `threshold` is kept.
        weight: column to sum, and whose squares to sum, beside the counts.
        histogram: those of the keys by whose values the scores are counted in fixed bins too; None where they are not.
    """

    keys: tuple[str, ...]
    score: str | None = None
    threshold: float = DEFAULT_THRESHOLD
    weight: str | None = None
    histogram: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "keys", tuple(dict.fromkeys(self.keys)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that must be read, once."""
        named: Iterable[str | None] = (*self.keys, self.score, self.weight)
        return tuple(dict.fromkeys(name for name in named if name is not None))


@dataclass(frozen=True, eq=False)
class CountedScores:
    """The scores of a source in fixed bins; arrays have one entry for each row of the table.

    Attributes:
        table: one row, or several, for each combination of the keys and bin that occurs, with `times`. A bin is parted
            where the threshold lies in it.
        lowest, highest: score of the source that lies in the bin, over all combinations.
        weight, squares: sums of weights and of their squares; None without a weight.
    """

    table: Table
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    weight: NDArray[np.float64] | None
    squares: NDArray[np.float64] | None


TOO_MANY_BINS = (
    "Scores were only held against their threshold: with these groups their histogram would have had more than {most:,} "
    "cells, so areas under curves and calibration are left out. Fewer sensitive columns, or values in bands, bring them back."
)


@dataclass(frozen=True, eq=False)
class Counted:
    """A source as its counts.

    Attributes:
        table: one row for each combination that occurs, with `times` saying how many rows of the source it stands for.
            Keys hold the source's own values; a score column holds the lowest score of the source where the score is
            below the threshold and the highest elsewhere; a weight column holds the sum over the rows.
        columns: all columns of the source.
        squares: shape (table.rows,), sums of squared weights; None without a weight.
        score_range: lowest and highest score; None without a score.
        notes: how it was counted, for a reader of the report.
        scores: where a histogram was asked for and found room, that of all rows.
    """

    table: Table
    columns: tuple[str, ...]
    squares: NDArray[np.float64] | None
    score_range: tuple[float, float] | None
    notes: tuple[str, ...] = ()
    scores: CountedScores | None = None

    def take(self, rows: NDArray[np.integer[Any]]) -> "Counted":
        """These rows of the table."""
        squares = None if self.squares is None else self.squares[rows]
        return replace(self, table=self.table.take(rows), squares=squares)

    def with_digest(self, sha256: str) -> "Counted":
        """The same, its table known by this digest."""
        return replace(self, table=replace(self.table, sha256=sha256))

    def noting(self, *notes: str) -> "Counted":
        """The same with these notes too."""
        return replace(self, notes=(*self.notes, *notes))

    def missing_by_column(self) -> dict[str, int]:
        """Rows of the source without a value, by column that was counted."""
        assert self.table.times is not None
        groups = {name: self.table.groups(name) for name in self.table.columns}
        return {name: int(self.table.times[found.missing].sum()) for name, found in groups.items()}
