"""A table in a warehouse, counted there by one query: only counts leave it. Which engines there are is in warehouse_urls.

The same Ibis expression runs on DuckDB, PostgreSQL, Spark, BigQuery and Snowflake. Values keep their types on the way, so
that they are called what they are called in a file; and sums of weights are rounded as the engine adds.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evenhand.datasets.counting.asked import TOO_MANY_BINS, Asked, Counted, CountedScores
from evenhand.datasets.counting.levels import arrow
from evenhand.datasets.counting.score_bins import COARSER, bin_of_magnitude, magnitude_of
from evenhand.datasets.errors import (
    BadWeight,
    EmptySource,
    MissingColumn,
    MissingTable,
    MissingValue,
    QueryFailed,
    TooManyGroups,
)
from evenhand.datasets.table import Table
from evenhand.datasets.warehouse_urls import TableUrl, connected, parsed

MOST_ROWS_OUT = 100_000
"""More combinations than this are refused: a column that names single rows would carry the rows out."""

NOTES = (
    "The rows were counted where they lie, by one query, and stay there. The sha256 is that of the counted table: the "
    "combinations of values and how many rows have each.",
)


@dataclass(frozen=True)
class WarehouseTable:
    """A table that can be counted.

    Attributes:
        name: what messages and the report call it; without credentials.
        table: the Ibis table.
    """

    name: str
    table: Any

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(self.table.columns)

    def count(self, asked: Asked) -> Counted:
        """Count its rows there; as `count_file`, without saying which row an error is about.

        Raises:
            MissingColumn, EmptySource, MissingValue, BadWeight.
            TooManyGroups: more combinations than MOST_ROWS_OUT. QueryFailed: the engine refuses, or cannot convert.
        """
        for column in asked.columns:
            if column not in self.columns:
                raise MissingColumn(column, self.name, self.columns)
        for coarser in (0, COARSER) if asked.score is not None and asked.histogram is not None else ():
            found = self._asked(counts(self.table, asked, coarser=coarser))
            if found.num_rows <= MOST_ROWS_OUT:
                return _with_histogram(found, asked, self.name, self.columns)
        found = self._asked(counts(self.table, asked))
        if found.num_rows > MOST_ROWS_OUT:
            raise TooManyGroups(self.name, asked.keys, found.num_rows, MOST_ROWS_OUT)
        counted = _counted(found, asked, self.name, self.columns)
        return counted if asked.histogram is None else counted.noting(TOO_MANY_BINS.format(most=MOST_ROWS_OUT))

    def _asked(self, query: Any) -> Any:
        """The query's answer, cut off one row beyond what may leave."""
        try:
            found = query.limit(MOST_ROWS_OUT + 1).to_pyarrow()
        except Exception as error:  # engines share no class of errors
            raise QueryFailed(self.name, str(error)) from None
        if found.num_rows == 0:
            raise EmptySource(self.name, "columns and no rows")
        return found


@contextmanager
def open_warehouse(url: str) -> Iterator[WarehouseTable]:
    """The table that a URL names; the connection ends with the block.

    Raises:
        BadWarehouseUrl, NoDriver, CannotConnect; MissingTable: the message names the nearest one.
    """
    where = parsed(url)
    with connected(where) as connection:
        yield WarehouseTable(where.name, _table(connection, where))


def _table(connection: Any, where: TableUrl) -> Any:
    from ibis.common.exceptions import IbisError, TableNotFound

    try:
        return connection.table(where.table, database=where.schema)
    except (IbisError, TableNotFound):
        raise MissingTable(where.qualified, where.shown, _names(connection, where)) from None


def _names(connection: Any, where: TableUrl) -> list[str]:
    """The tables that there are, with their schema where one was asked for."""
    if where.engine == "duckdb":  # Ibis 12 asks DuckDB 2 for them by a method that is gone
        found = connection.con.sql("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        return sorted(name if schema == "main" else f"{schema}.{name}" for schema, name in found)
    try:
        found = connection.list_tables(database=where.schema)
    except Exception:  # no such schema, in each engine's words
        return []
    return sorted(f"{where.schema}.{name}" if where.schema else name for name in found)


def counts(table: Any, asked: Asked, *, coarser: int | None = None) -> Any:
    """The one query: rows by the keys and by whether the score reaches its threshold.

    Columns: `key_0` and so on as in `asked.keys`; `reached` (1, 0, or null without a score); `bin` of the score, where one
    is asked for; `rows`; `lowest` and `highest` score; `weight`, `square`, `least`, `most` and `unweighted` (rows without
    a weight).

    Args:
        coarser: bits to take off the bins of a histogram; None without one.
    """
    import ibis

    columns = {f"key_{i}": _key(table[name]) for i, name in enumerate(asked.keys)}
    columns |= {
        name: _number(table[of]) for name, of in (("score", asked.score), ("mass", asked.weight)) if of is not None
    }
    rows = table.select(**columns)
    if coarser is not None:
        # a column of its own, which every branch of the bins then names in a word
        rows = rows.mutate(magnitude=magnitude_of(rows.score))
    by = {f"key_{i}": rows[f"key_{i}"] for i in range(len(asked.keys))}
    sums = {"rows": rows.count()}
    if asked.score is not None:
        missing = _missing(rows.score)
        by["reached"] = ibis.ifelse(missing, ibis.null("int64"), (rows.score >= asked.threshold).ifelse(1, 0))
        sums |= {"lowest": rows.score.min(), "highest": rows.score.max()}
        if coarser is not None:
            found = bin_of_magnitude(rows.score, rows.magnitude)
            found = found if coarser == 0 else (found / 2**coarser).floor().cast("int64")
            by["bin"] = ibis.ifelse(missing, ibis.null("int64"), found)
    if asked.weight is not None:
        weight = rows.mass
        sums |= {"weight": weight.sum(), "square": (weight * weight).sum(), "least": weight.min(), "most": weight.max()}
        sums["unweighted"] = _missing(weight).ifelse(1, 0).sum().cast("int64")
    return rows.group_by(**by).aggregate(**sums)


def _key(column: Any) -> Any:
    """The column in a type that Arrow knows and groups can name; anything unusual as text."""
    kind = column.type()
    if kind.is_decimal():
        return column.cast("int64") if kind.scale == 0 else column.cast("string")
    plain = kind.is_string() or kind.is_integer() or kind.is_floating() or kind.is_boolean() or kind.is_null()
    return column if plain or kind.is_date() or kind.is_timestamp() or kind.is_time() else column.cast("string")


def _number(column: Any) -> Any:
    return (column.ifelse(1, 0) if column.type().is_boolean() else column).cast("float64")


def _missing(number: Any) -> Any:
    return number.isnull() | number.isnan()


def _with_histogram(found: Any, asked: Asked, name: str, columns: tuple[str, ...]) -> Counted:
    """What came back by bins: the counts that a query without bins gives, and the histogram beside them."""
    import pyarrow.compute as pc

    by = [f"key_{i}" for i in range(len(asked.keys))] + ["reached"]
    sums = {"rows": "sum", "lowest": "min", "highest": "max"}
    if asked.weight is not None:
        sums |= {"weight": "sum", "square": "sum", "least": "min", "most": "max", "unweighted": "sum"}
    whole = found.set_column(found.column_names.index("rows"), "rows", arrow(_integers(found.column("rows"))))
    whole = whole.group_by(by, use_threads=False).aggregate(list(sums.items()))
    whole = whole.select([*by, *(f"{column}_{how}" for column, how in sums.items())]).rename_columns([*by, *sums])
    counted = _counted(whole, asked, name, columns)
    # the bin's own ends are those over all groups
    part = pc.add(pc.multiply(found.column("bin").cast("int64"), 2), found.column("reached").cast("int64"))
    _, place = np.unique(np.array(part.to_pylist(), np.int64), return_inverse=True)
    lowest, highest = (np.array(found.column(each).to_pylist(), np.float64) for each in ("lowest", "highest"))
    ends = np.full(place.max() + 1, np.inf), np.full(place.max() + 1, -np.inf)
    np.minimum.at(ends[0], place, lowest)
    np.maximum.at(ends[1], place, highest)
    wanted = asked.histogram or ()
    data = {key: found.column(f"key_{asked.keys.index(key)}") for key in wanted}
    table = Table(name, pa.table(data), None, "", times=_integers(found.column("rows")))
    weight, squares = (
        None if asked.weight is None else np.array(found.column(each).to_pylist(), np.float64)
        for each in ("weight", "square")
    )
    scores = CountedScores(table, ends[0][place], ends[1][place], weight, squares)
    return replace(counted, scores=scores).with_digest(_digest_of_bins(counted.table.sha256, scores, wanted))


def _digest_of_bins(counted: str, scores: CountedScores, keys: tuple[str, ...]) -> str:
    """SHA-256 over that of the counted table and the histogram: combination, ends of the bin, rows; in one order."""
    assert scores.table.times is not None
    groups = [scores.table.groups(key) for key in keys]
    columns: list[list[Any]] = [[group.values[code] for code in group.codes] for group in groups]
    columns += [scores.lowest.tolist(), scores.highest.tolist(), scores.table.times.tolist()]
    rows = sorted(json.dumps(row) for row in zip(*columns, strict=True))
    return hashlib.sha256("\n".join([counted, *rows]).encode()).hexdigest()


def _counted(found: Any, asked: Asked, name: str, columns: tuple[str, ...]) -> Counted:
    """What came back, as a table whose rows stand for several."""
    times = _integers(found.column("rows"))
    data = {key: found.column(f"key_{i}") for i, key in enumerate(asked.keys)}
    score_range, squares = None, None
    if asked.score is not None:
        reached = found.column("reached").to_pylist()
        without = np.array([each is None for each in reached])
        if without.any():
            raise MissingValue(asked.score, None, int(times[without].sum()), source=name)
        score_range = (min(found.column("lowest").to_pylist()), max(found.column("highest").to_pylist()))
        data[asked.score] = pa.chunked_array([[score_range[int(each)] for each in reached]], pa.float64())
    if asked.weight is not None:
        data[asked.weight], squares = _weights(found, asked.weight, name)
    table = Table(name, pa.table(data), None, "", times=times)
    counted = Counted(table, columns, squares, score_range, NOTES)
    return counted.with_digest(_digest(table, asked, squares))


def _weights(found: Any, column: str, name: str) -> tuple[Any, NDArray[np.float64]]:
    missing = int(_integers(found.column("unweighted")).sum())
    if missing:
        raise MissingValue(column, None, missing, source=name)
    least, most = min(found.column("least").to_pylist()), max(found.column("most").to_pylist())
    if least < 0 or np.isinf(most) or most == 0:
        raise BadWeight(column, None, least if least < 0 else most, source=name)
    return found.column("weight").cast(pa.float64()), np.array(found.column("square").to_pylist(), np.float64)


def _integers(column: Any) -> NDArray[np.int64]:
    """Counts, which some engines answer as decimals."""
    return np.array([int(each) for each in column.to_pylist()], np.int64)


def _digest(table: Table, asked: Asked, squares: NDArray[np.float64] | None) -> str:
    """SHA-256 of the counted table, written in one way whatever order the rows came in.

    Sums of weights are written to 12 digits, for an engine adds in no fixed order.
    """
    assert table.times is not None
    groups = [table.groups(key) for key in asked.keys]
    columns = [[group.values[code] for code in group.codes] for group in groups]
    columns.append([str(each) for each in table.times])
    if asked.score is not None:
        columns.append([str(each >= asked.threshold) for each in table.numeric(asked.score)])
    for sums in () if squares is None else (table.numeric(str(asked.weight)), squares):
        columns.append([f"{each:.12g}" for each in sums])
    rows = sorted(json.dumps(row) for row in zip(*columns, strict=True))
    said = json.dumps({"keys": asked.keys, "score": asked.score, "threshold": asked.threshold, "weight": asked.weight})
    return hashlib.sha256("\n".join([said, *rows]).encode()).hexdigest()
