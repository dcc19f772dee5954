"""Rows with named columns, and what may be asked of a column; how rows come out of a file belongs to the readers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray

from evenhand.datasets.binary import encode_binary
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.errors import DuplicateColumn, MissingColumn, WrongLength
from evenhand.datasets.groups import GroupCodes, encode
from evenhand.datasets.numbers import feature, numeric, scores, weights
from evenhand.datasets.place import Place


@dataclass(frozen=True, eq=False)
class Table:
    """A validated table: column names are unique, and an error points at source, column and row.

    Raises (on construction):
        DuplicateColumn: two columns have one name.
    """

    name: str
    """How messages call it: the file's or the built-in set's name."""
    data: pa.Table
    card: DatasetCard | None
    sha256: str
    """Of the bytes the rows were read from, 64 hexadecimal digits."""
    lines_above: int | None = None
    """Lines of the text file above the first row, where each row is one line; else None."""
    times: NDArray[np.int64] | None = None
    """How many rows of the source each row stands for, shape (rows,); None where it is one for each."""

    def __post_init__(self) -> None:
        names = self.columns
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise DuplicateColumn(self.name, twice, [i for i, name in enumerate(names, start=1) if name == twice])

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.data.num_rows)

    @property
    def total(self) -> int:
        """Number of rows of the source that these stand for."""
        return self.rows if self.times is None else int(self.times.sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(self.data.column_names)

    def column(self, name: str) -> pa.ChunkedArray:
        """The Arrow column of this name.

        Raises:
            MissingColumn: there is none; the message suggests the nearest name.
        """
        if name not in self.columns:
            raise MissingColumn(name, self.name, self.columns)
        return self.data.column(name)

    def require(self, setting: str, *names: str | None) -> None:
        """Refuse names that are no column; None names nothing.

        Args:
            setting: what named them; the error says it.

        Raises:
            MissingColumn: of the first that is not there.
        """
        for name in names:
            if name is not None and name not in self.columns:
                raise MissingColumn(name, self.name, self.columns, setting=setting)

    def groups(self, name: str) -> GroupCodes:
        """Codes of a column's values: text, sorted (numbers as numbers); a missing value is None, the last level.

        Raises:
            MissingColumn, UnsupportedType.
        """
        return encode(self.column(name), self._place(name))

    def classes(self, name: str) -> GroupCodes:
        """As groups, for labels: class i is the i-th sorted value.

        Raises:
            MissingColumn, UnsupportedType; MissingValue: some row has no value.
        """
        groups = self.groups(name)
        if groups.has_missing:
            raise self._place(name).missing(groups.missing)
        return groups

    def binary(self, name: str, positive: str | None = None) -> NDArray[np.int8]:
        """1 where the value is the positive one, else 0; shape (n,).

        Args:
            name: the column.
            positive: the positive value as text, as groups shows it; every other value is then negative. "1" stands
                for 1, 1.0 and True, "0" for 0, 0.0 and False. Without it the column must hold 0/1 or false/true.

        Raises:
            MissingColumn, UnsupportedType, MissingValue.
            NotBinary: no positive is given and the values are others than 0/1 or false/true.
            UnknownPositive: positive never occurs in the column.
        """
        return encode_binary(self.groups(name), self._place(name), positive)

    def numeric(self, name: str) -> NDArray[np.float64]:
        """Every value as float64, shape (n,).

        Raises:
            MissingColumn, MissingValue, NotNumeric.
        """
        return numeric(self.column(name), self._place(name))

    def scores(self, name: str) -> NDArray[np.float64]:
        """Scores as float64, shape (n,): finite.

        Raises:
            MissingColumn, MissingValue, NotNumeric.
        """
        return scores(self.column(name), self._place(name))

    def weights(self, name: str) -> NDArray[np.float64]:
        """Weights as float64, shape (n,): finite, at least 0, not all 0.

        Raises:
            MissingColumn, MissingValue, NotNumeric, BadWeight.
        """
        return weights(self.column(name), self._place(name))

    def features(self, names: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Columns as a classifier takes them, in the order of names; each of shape (n,).

        Numbers and booleans are float64 with NaN for missing, dates float days since 1970-01-01, all else object arrays
        of str with None.

        Raises:
            MissingColumn, UnsupportedType.
        """
        return {name: feature(self.column(name), self._place(name)) for name in names}

    def is_date(self, name: str) -> bool:
        """Whether a column holds dates, with or without a time of day.

        Raises:
            MissingColumn.
        """
        kind = self.column(name).type
        return bool(pa.types.is_date(kind) or pa.types.is_timestamp(kind))

    def take(self, rows: NDArray[np.integer[Any]]) -> "Table":
        """These rows, in this order; errors then count the rows of the new table."""
        times = None if self.times is None else self.times[rows]
        return replace(self, data=self.data.take(pa.array(rows)), lines_above=None, times=times)

    def with_column(self, name: str, values: ArrayLike | pa.Array | pa.ChunkedArray) -> "Table":
        """The table with this column added at the end, or in place of the one of that name.

        Args:
            name: of the column.
            values: one a row; None, or NaN among floats, is missing.

        Raises:
            WrongLength: more or fewer values than rows.
        """
        column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
        if len(column) != self.rows:
            raise WrongLength(name, len(column), self.rows, source=self.name)
        if name in self.columns:
            data = self.data.set_column(self.columns.index(name), name, column)
        else:
            data = self.data.append_column(name, column)
        return replace(self, data=data)

    def _place(self, name: str) -> Place:
        return Place(self.name, name, self.lines_above, self.times)
