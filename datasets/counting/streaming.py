"""A file counted chunk by chunk: a hundred million rows in the memory of one chunk and of the counts.

What comes back is what reading the whole file and counting it would give. A table in a warehouse is counted there.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evenhand.datasets.counting.asked import MOST_CELLS, TOO_MANY_BINS, Asked, Counted, CountedScores
from evenhand.datasets.counting.chunks import Chunks, chunks_of, rows_of_parquet
from evenhand.datasets.counting.levels import Coded, Levels, arrow
from evenhand.datasets.counting.score_tally import MOST_SCORE_CELLS, ScoreTally
from evenhand.datasets.counting.tally import Tally
from evenhand.datasets.counting.text import settle, text_chunks
from evenhand.datasets.errors import BadWeight, CorruptFile, MissingValue, TooManyGroups, UnknownFormat
from evenhand.datasets.formats import TABLES, format_of
from evenhand.datasets.numbers import numbers
from evenhand.datasets.place import Place
from evenhand.datasets.readers import sha256_of
from evenhand.datasets.table import Table

NOTE = "The rows were counted in chunks, without holding them in memory."


def count_file(path: str | Path, asked: Asked, *, name: str | None = None, threads: bool = True) -> Counted:
    """Count the rows of a .csv, .tsv, .parquet, .arrow or .feather file.

    Args:
        path: of a file that exists.
        asked: which columns, and how.
        name: what messages call it, with the extension that tells its format; the file's own name by default.
        threads: whether columns may be decoded side by side.

    Raises:
        What reading the table would raise (MissingColumn, CorruptFile, RaggedRow…); and for what is asked:
        MissingValue: a score or weight is missing. NotNumeric, BadWeight, UnsupportedType.
        TooManyGroups: more combinations than MOST_CELLS.
    """
    path = Path(path)
    name = path.name if name is None else name
    kind = format_of(path, name)
    if kind in ("parquet", "arrow"):
        chunks = chunks_of(path, name, kind, asked.columns, threads=threads)
        return count_chunks(chunks, asked, name=name, sha256=sha256_of(path))
    if kind in ("csv", "tsv"):
        text = text_chunks(path, name, asked, tab=kind == "tsv")
        return settle(count_chunks(text, asked, name=name, sha256=sha256_of(path)), asked)
    raise UnknownFormat(name, f"{kind}, not a table", TABLES)


LARGE_BYTES = 200_000_000
LARGE_ROWS = 5_000_000
"""From here on a file is worth counting in chunks: reading it whole takes a gigabyte or so."""


def is_large(path: Path, name: str) -> bool:
    """Whether this is a table of more than LARGE_BYTES, or Parquet of more than LARGE_ROWS.

    Raises:
        EmptySource, UnknownFormat, CorruptFile.
    """
    if not path.is_file():
        return False
    kind = format_of(path, name)
    if kind == "parquet":
        return path.stat().st_size > LARGE_BYTES or rows_of_parquet(path, name) > LARGE_ROWS
    return kind in ("arrow", "csv", "tsv") and path.stat().st_size > LARGE_BYTES


def columns_of(path: Path, name: str) -> tuple[str, ...]:
    """The columns of a table's file, without its rows.

    Raises:
        As `count_file`.
    """
    kind = format_of(path, name)
    if kind in ("parquet", "arrow"):
        return chunks_of(path, name, kind, ()).columns
    return text_chunks(path, name, Asked(()), tab=kind == "tsv").columns


def count_chunks(chunks: Chunks, asked: Asked, *, name: str, sha256: str) -> Counted:
    """Count the batches of a file that is open, whose digest is known; raises as `count_file`."""
    counter = _Counter(asked, name, chunks.kind, chunks.types)
    for batch in chunks.batches:
        counter.add(batch)
    return counter.counted(chunks.columns, sha256)


_TWO = np.arange(2)


@dataclass
class _Numbers:
    """A column that must hold a number in every row: what is wrong with it is gathered, and raised in the end."""

    place: Place
    first_missing: int | None = None
    missing: int = 0

    def of(self, column: Any, rows_before: int) -> NDArray[np.float64]:
        values = numbers(column, self.place, rows_before=rows_before)
        missing = np.isnan(values)
        if missing.any():
            if self.first_missing is None:
                self.first_missing = rows_before + int(np.argmax(missing))
            self.missing += int(missing.sum())
        return values

    def refuse_missing(self) -> None:
        if self.first_missing is not None:
            raise MissingValue(self.place.column, self.first_missing + 1, self.missing, source=self.place.source)


@dataclass
class _Counter:
    """The state between chunks: levels of the keys, the counts, and the range of the scores."""

    asked: Asked
    name: str
    kind: str
    types: dict[str, Any]
    rows: int = 0
    lowest: float = np.inf
    highest: float = -np.inf
    levels: dict[str, Levels] = field(init=False)
    tally: Tally = field(init=False)
    score: _Numbers | None = field(init=False)
    weight: _Numbers | None = field(init=False)
    scores: ScoreTally | None = field(init=False)

    def __post_init__(self) -> None:
        self.levels = {key: Levels(self.types[key], Place(self.name, key)) for key in self.asked.keys}
        self.tally = Tally(len(self.levels) + (self.asked.score is not None))
        self.score = _Numbers(Place(self.name, self.asked.score)) if self.asked.score else None
        self.weight = _Numbers(Place(self.name, self.asked.weight)) if self.asked.weight else None
        by_bins = self.asked.score is not None and self.asked.histogram is not None
        self.scores = ScoreTally(self.asked.threshold, weighted=self.weight is not None) if by_bins else None

    def add(self, batch: Any) -> None:
        if batch.num_rows == 0:
            return
        scores = None if self.score is None else self._scores(batch.column(self.asked.score))
        weight = self._weights(batch)
        # numbers are taken for known at first: that none is new, the count finds out as it goes
        if not (self._add(batch, scores, weight, look=False) or self._add(batch, scores, weight, look=True)):
            raise CorruptFile(self.name, self.kind, "a code lies outside its dictionary")
        self.rows += batch.num_rows

    def _add(
        self, batch: Any, scores: NDArray[np.float64] | None, weight: NDArray[np.float64] | None, *, look: bool
    ) -> bool:
        columns = [levels.coded(batch.column(key), look=look) for key, levels in self.levels.items()]
        shape = [len(levels) for levels in self.levels.values()]
        keys = dict(zip(self.levels, columns, strict=True))
        if scores is not None:
            columns.append(Coded((scores >= self.asked.threshold).view(np.uint8), _TWO))
            shape.append(2)
        cells = math.prod(shape)
        if cells > MOST_CELLS:
            raise TooManyGroups(self.name, self.asked.keys, cells, MOST_CELLS)
        if not self.tally.add(columns, tuple(shape), weight):
            return False
        if self.scores is not None and scores is not None:
            by = self.asked.histogram or ()
            self.scores.add([keys[key] for key in by], tuple(len(self.levels[key]) for key in by), scores, weight)
        return True

    def _scores(self, column: Any) -> NDArray[np.float64]:
        assert self.score is not None
        values = self.score.of(column, self.rows)
        self.lowest = min(self.lowest, float(np.fmin.reduce(values)))
        self.highest = max(self.highest, float(np.fmax.reduce(values)))
        return values

    def _weights(self, batch: Any) -> NDArray[np.float64] | None:
        if self.weight is None:
            return None
        values = self.weight.of(batch.column(self.asked.weight), self.rows)
        bad = np.isinf(values) | (values < 0)
        if bad.any():
            row = int(np.argmax(bad))
            raise BadWeight(self.weight.place.column, self.rows + row + 1, float(values[row]), source=self.name)
        return np.nan_to_num(values)

    def counted(self, columns: tuple[str, ...], sha256: str) -> Counted:
        """The counts as a table of the combinations that occur."""
        for column in (self.score, self.weight):
            if column is not None:
                column.refuse_missing()
        present = self.tally.present()
        data, squares = {}, None
        index = np.unravel_index(present, self.tally.rows.shape)
        for key, codes in zip(self.levels, index, strict=False):
            data[key] = self.levels[key].values.take(arrow(codes))
        if self.asked.score is not None:
            data[self.asked.score] = arrow(np.where(index[-1] == 1, self.highest, self.lowest))
        if self.asked.weight is not None:
            sums, squares = self.tally.weights(present)
            if not sums.any():
                raise BadWeight(self.asked.weight, None, 0.0, source=self.name)
            data[self.asked.weight] = arrow(sums)
        found = self._counted_scores()
        return Counted(
            Table(self.name, pa.table(data), None, sha256, times=self.tally.rows.reshape(-1)[present]),
            columns,
            squares,
            None if self.score is None else (self.lowest, self.highest),
            (NOTE,) if self.scores is None or found else (NOTE, TOO_MANY_BINS.format(most=MOST_SCORE_CELLS)),
            found,
        )

    def _counted_scores(self) -> CountedScores | None:
        """The histogram as a table of the keys, one row for each cell that occurs."""
        tally, keys = self.scores, self.asked.histogram or ()
        if tally is None or tally.full:
            return None
        present = np.flatnonzero(tally.rows)
        *codes, place = np.unravel_index(present, tally.rows.shape)
        data = {key: self.levels[key].values.take(arrow(at)) for key, at in zip(keys, codes, strict=True)}
        weights, squares = (
            None if self.weight is None else sums.reshape(-1)[present] for sums in (tally.weights, tally.squares)
        )
        table = Table(self.name, pa.table(data), None, "", times=tally.rows.reshape(-1)[present])
        return CountedScores(table, tally.lowest[place], tally.highest[place], weights, squares)
