"""Where a value stands, so that an error can point at it: source, column, row, and line where rows are lines."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.errors import BadWeight, MissingValue, NotNumeric


@dataclass(frozen=True)
class Place:
    """A column of a source. Rows come in counted from 0 and go out counted from 1."""

    source: str
    column: str
    lines_above: int | None = None
    """Lines of the text file above the first row, where each row is one line; else None."""
    times: NDArray[np.int64] | None = None
    """How many rows of the source each row stands for; where it is not None, which rows these are is not known."""

    def missing(self, missing: NDArray[np.bool_]) -> MissingValue:
        """The error for a column in which these rows (n,) have no value."""
        if self.times is not None:
            return MissingValue(self.column, None, int(self.times[missing].sum()), source=self.source)
        row = int(np.argmax(missing))
        return MissingValue(
            self.column, row + 1, int(np.count_nonzero(missing)), source=self.source, line=self._line(row)
        )

    def not_numeric(self, row: int, value: str) -> NotNumeric:
        """The error for a value that is no number."""
        return NotNumeric(self.column, self._row(row), value, source=self.source, line=self._line(row))

    def bad_weight(self, row: int, value: float) -> BadWeight:
        """The error for a weight that is negative or not finite."""
        return BadWeight(self.column, row + 1, value, source=self.source, line=self._line(row))

    def _row(self, row: int) -> int | None:
        return row + 1 if self.times is None else None

    def _line(self, row: int) -> int | None:
        return None if self.lines_above is None else row + 1 + self.lines_above
