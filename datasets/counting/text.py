"""CSV and TSV chunk by chunk. What a column's text means depends on all its values, so it is settled in the end.

Keys are counted as text; then the counted table, which is small, is read as if it were the file.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from evenhand.datasets import delimited
from evenhand.datasets.counting.asked import Asked, Counted
from evenhand.datasets.counting.chunks import Chunks, checked
from evenhand.datasets.counting.levels import arrow
from evenhand.datasets.counting.text_numbers import TextNumbers
from evenhand.datasets.errors import CorruptFile, EmptySource
from evenhand.datasets.place import Place
from evenhand.datasets.table import Table

_KEY = pa.dictionary(pa.int32(), pa.string())


def text_chunks(path: Path, name: str, asked: Asked, *, tab: bool) -> Chunks:
    """Columns of a text file: keys as dictionary-encoded text, score and weight as numbers, or as text that is none.

    Raises:
        EmptySource, NotUtf8, RaggedRow, CorruptFile, MissingColumn, DuplicateColumn: now, or while batches are read.
    """
    survey = delimited.survey(path, name)
    file = _File(path, name, survey, tab)
    checked(file.columns, asked.columns, name)
    types = {column: pa.string() for column in asked.columns} | dict.fromkeys(asked.keys, _KEY)
    return Chunks(file.kind, file.columns, types, file.batches(types))


class _File:
    """A text file that can be read from its first row again, with its errors made ours."""

    def __init__(self, path: Path, name: str, survey: delimited.Survey, tab: bool) -> None:
        self.path, self.name, self.survey = path, name, survey
        self.separator, self.kind = delimited.separator(survey, tab=tab), "tab-separated text" if tab else "CSV"
        self.ragged: list[Any] = []
        with self._opened() as reader:
            self.columns = tuple(reader.schema.names)

    def _opened(self, **convert: Any) -> Any:
        def note(row: Any) -> str:
            self.ragged.append(row)
            return "error"

        try:
            return pv.open_csv(
                self.path,
                parse_options=delimited.parse_options(self.separator, note),
                convert_options=pv.ConvertOptions(**delimited.VALUES, **convert),
            )
        except pa.ArrowInvalid as error:
            raise self._problem(error) from None

    def _problem(self, error: Exception) -> Exception:
        if self.ragged:
            return delimited.ragged_row(self.ragged[0], self.name)
        return CorruptFile(self.name, self.kind, str(error))

    def batches(self, types: dict[str, Any]) -> Iterator[Any]:
        """Record batches of these columns; in the end the file is refused if a quote stayed open in it."""
        rows = 0
        numbers = {column: TextNumbers(Place(self.name, column)) for column, kind in types.items() if kind != _KEY}
        with self._opened(column_types=types, include_columns=list(types)) as reader:
            for batch in self._read(reader):
                rows += batch.num_rows
                columns = dict(zip(batch.schema.names, map(_unquoted, batch.columns), strict=True))
                columns |= {column: taken.of(columns[column]) for column, taken in numbers.items()}
                yield pa.record_batch(list(columns.values()), names=list(columns))
        if rows == 0:
            raise EmptySource(self.name, "a header and no rows")
        if self.survey.quotes % 2:
            delimited.refuse_open_quote(self._last_row(), self.survey.quotes, rows, self.name)

    def _read(self, reader: Any) -> Iterator[Any]:
        try:
            yield from reader
        except pa.ArrowInvalid as error:
            raise self._problem(error) from None

    def _last_row(self) -> Any:
        last = None
        with self._opened(column_types=dict.fromkeys(self.columns, pa.string())) as reader:
            for batch in self._read(reader):
                last = batch.slice(batch.num_rows - 1)
        return pa.table(last)


def _unquoted(column: Any) -> Any:
    """Text with the quoted empty string missing, as `delimited` takes it; keys are settled in the end."""
    if not pa.types.is_string(column.type):
        return column
    return pc.if_else(pc.equal(pc.binary_length(column), 0), pa.scalar(None, pa.string()), column)


def settle(counted: Counted, asked: Asked) -> Counted:
    """The counted table with the text of each key read as the values it means: numbers where all of it is, and so on."""
    scores = counted.scores
    if scores is not None:
        scores = replace(scores, table=_read(scores.table, asked.histogram or ()))
    return replace(counted, table=_read(counted.table, asked.keys), scores=scores)


def _read(table: Table, keys: Sequence[str]) -> Table:
    written = _written(table.data.select(keys))

    def as_text(columns: list[str]) -> Any:
        types = dict.fromkeys(columns, pa.string())
        options = pv.ConvertOptions(**delimited.VALUES, include_columns=columns, column_types=types)
        return pv.read_csv(io.BytesIO(written), convert_options=options)

    options = pv.ConvertOptions(**delimited.VALUES)
    read = delimited.settled(delimited.exact(pv.read_csv(io.BytesIO(written), convert_options=options), as_text))
    data = table.data
    for at, key in enumerate(keys):
        # the first column keeps a row of nothing but missing values from being an empty line
        data = data.set_column(data.column_names.index(key), key, read.column(1 + at))
    return replace(table, data=data)


def _written(texts: Any) -> bytes:
    """The texts as CSV, each between quotes, so that a text "NA" stays one; a missing value is an empty field."""
    numbered = texts.add_column(0, "", arrow(np.arange(texts.num_rows)))
    options = pv.WriteOptions(include_header=True, quoting_style="all_valid")
    written = io.BytesIO()
    pv.write_csv(numbered.rename_columns([str(i) for i in range(numbered.num_columns)]), written, options)
    return written.getvalue()
