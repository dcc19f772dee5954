"""A table counted in a warehouse, on real engines: integers and names are those of the same rows in memory."""

import datetime
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.service import postgres

from evenhand.datasets.counting.asked import Asked, Counted
from evenhand.datasets.errors import (
    BadWarehouseUrl,
    BadWeight,
    CannotConnect,
    EmptySource,
    MissingColumn,
    MissingSource,
    MissingTable,
    MissingValue,
    NoDriver,
    QueryFailed,
    TooManyGroups,
)
from evenhand.datasets.sources import open_source
from evenhand.datasets.table import Table
from evenhand.datasets.warehouse import WarehouseTable, counts, open_warehouse
from evenhand.datasets.warehouse_urls import is_warehouse, parsed, without_credentials

ROWS = 400
GOLDEN = Path(__file__).parent / "golden"


def people() -> pa.Table:
    rng = np.random.default_rng(11)
    return pa.table(
        {
            "sex": pa.array([None if i % 9 == 0 else ("f", "m")[i % 2] for i in range(ROWS)]),
            "group": pa.array(rng.choice(["b", "a", "É", "it's"], ROWS)),
            "age": pa.array([None if i % 7 == 0 else i % 3 * 10 for i in range(ROWS)], pa.int64()),
            "size": pa.array(rng.choice([0.0, 1.0, 2.0], ROWS)),
            "height": pa.array(rng.choice([1.5, 1.75, np.nan], ROWS)),
            "member": pa.array([None if i % 11 == 0 else i % 2 == 0 for i in range(ROWS)]),
            "born": pa.array([datetime.date(1990, 1, 1 + i % 3) for i in range(ROWS)]),
            "label": pa.array(rng.random(ROWS) < 0.4),
            "prediction": pa.array(rng.integers(0, 2, ROWS), pa.int32()),
            "score": pa.array(rng.integers(0, 101, ROWS) / 100),
            "weight": pa.array(rng.integers(1, 9, ROWS) / 4),
            "wide": pa.array(
                np.concatenate([rng.random(200), -(10 ** rng.uniform(-9, 9, 100)), 10 ** rng.uniform(-9, 9, 100)])
            ),
            "some scores": pa.array([None if i in (3, 5) else 0.5 for i in range(ROWS)]),
            "bad weight": pa.array([-1.0] + [1.0] * (ROWS - 1)),
        }
    )


PEOPLE = people()
Loader = Callable[[str, pa.Table], Any]
"""Puts rows under a name into an engine, and answers the Ibis table."""

POSTGRES_TYPES = {pa.string(): "text", pa.int64(): "bigint", pa.int32(): "integer", pa.float64(): "double precision"}
POSTGRES_TYPES |= {pa.bool_(): "boolean", pa.date32(): "date"}


def into_duckdb(connection: Any, name: str, data: pa.Table) -> None:
    connection.register("rows_here", data)
    connection.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM rows_here').fetchall()
    connection.unregister("rows_here")


def into_postgres(url: str, name: str, data: pa.Table) -> None:
    import psycopg

    columns = ", ".join(f'"{field.name}" {POSTGRES_TYPES[field.type]}' for field in data.schema)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE IF EXISTS "{name}"')  # type: ignore[arg-type]
        cursor.execute(f'CREATE TABLE "{name}" ({columns})')  # type: ignore[arg-type]
        with cursor.copy(f'COPY "{name}" FROM STDIN') as copy:  # type: ignore[arg-type]
            for row in zip(*(column.to_pylist() for column in data.columns), strict=True):
                copy.write_row(row)


@pytest.fixture(scope="module")
def duckdb_loader() -> Iterator[Loader]:
    import ibis

    connection = ibis.duckdb.connect()

    def load(name: str, data: pa.Table) -> Any:
        into_duckdb(connection.con, name, data)
        return connection.table(name)

    yield load
    connection.disconnect()


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    try:
        with postgres.server() as address, postgres.database(address) as url:
            yield url
    except postgres.NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def postgres_loader(postgres_url: str) -> Iterator[Loader]:
    import ibis

    where = parsed(f"{postgres_url}/none")
    connection = ibis.postgres.connect(host=where.host, port=where.port, user=where.user, database=where.database)

    def load(name: str, data: pa.Table) -> Any:
        into_postgres(postgres_url, name, data)
        return connection.table(name)

    yield load
    connection.disconnect()


@pytest.fixture(scope="module")
def spark_loader() -> Iterator[Loader]:
    pytest.importorskip("pyspark", reason="PySpark is not installed: pip install 'evenhand[spark]'")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17, and there is none")
    import ibis
    from pyspark.sql import SparkSession

    local = {"driver.host": "127.0.0.1", "driver.bindAddress": "127.0.0.1", "ui.enabled": "false"}
    local |= {"sql.shuffle.partitions": "2", "sql.session.timeZone": "UTC"}
    builder = SparkSession.builder.master("local[1]").appName("evenhand")
    for key, value in local.items():
        builder = builder.config(f"spark.{key}", value)
    session = builder.getOrCreate()
    connection = ibis.pyspark.connect(session)

    def load(name: str, data: pa.Table) -> Any:
        rows = list(zip(*(column.to_pylist() for column in data.columns), strict=True))
        kinds = {pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.float64(): "double"}
        kinds |= {pa.bool_(): "boolean", pa.date32(): "date"}
        schema = ", ".join(f"`{field.name}` {kinds[field.type]}" for field in data.schema)
        session.createDataFrame(rows, schema).createOrReplaceTempView(name)
        return connection.table(name)

    yield load
    session.stop()


ENGINES = [
    "duckdb",
    pytest.param("postgres", marks=pytest.mark.postgres),
    # PySpark 4.3 warns of pandas 3 and of its own calls
    pytest.param("spark", marks=[pytest.mark.slow, pytest.mark.filterwarnings("ignore")]),
]


@pytest.fixture(params=ENGINES)
def load(request: pytest.FixtureRequest) -> Loader:
    loader: Loader = request.getfixturevalue(f"{request.param}_loader")
    return loader


@pytest.fixture
def table(load: Loader) -> WarehouseTable:
    return WarehouseTable("host/people", load("people", PEOPLE))


def by_name(table: Table, keys: list[str]) -> Counter[tuple[str | None, ...]]:
    groups = [table.groups(key) for key in keys]
    times = np.ones(table.rows, int) if table.times is None else table.times
    found: Counter[tuple[str | None, ...]] = Counter()
    for row in range(table.rows):
        found[tuple(group.values[group.codes[row]] for group in groups)] += int(times[row])
    return found


IN_MEMORY = Table("people", PEOPLE, None, "")


def test_every_kind_of_column_is_counted_and_named_as_in_memory(table: WarehouseTable) -> None:
    for key in ("sex", "group", "age", "size", "height", "member", "born", "label", "prediction"):
        counted = table.count(Asked((key, "label"))).table

        assert counted.groups(key).values == IN_MEMORY.groups(key).values, key
        assert by_name(counted, [key, "label"]) == by_name(IN_MEMORY, [key, "label"]), key


def test_all_keys_together_give_the_integers_of_memory(table: WarehouseTable) -> None:
    keys = ["sex", "group", "age", "member", "label", "prediction"]

    counted = table.count(Asked(tuple(keys)))

    assert by_name(counted.table, keys) == by_name(IN_MEMORY, keys)
    assert counted.table.total == ROWS
    assert counted.columns == tuple(PEOPLE.column_names)


def test_score_is_kept_as_whether_it_reaches_the_threshold(table: WarehouseTable) -> None:
    scores = PEOPLE.column("score").to_pylist()

    counted = table.count(Asked(("sex",), score="score", threshold=0.3))

    assert counted.score_range == (min(scores), max(scores))
    reached = counted.table.numeric("score") >= 0.3
    assert counted.table.times is not None
    assert int(counted.table.times[reached].sum()) == sum(score >= 0.3 for score in scores)


def test_weights_are_summed(table: WarehouseTable) -> None:
    """Quarters, whose sums no order of adding changes."""
    weights = PEOPLE.column("weight").to_pylist()
    counted = table.count(Asked(("sex",), weight="weight"))

    assert counted.squares is not None
    assert counted.table.numeric("weight").sum() == sum(weights)
    assert counted.squares.sum() == sum(w * w for w in weights)


def test_missing_scores_are_counted(table: WarehouseTable) -> None:
    with pytest.raises(MissingValue, match="2 values are missing"):
        table.count(Asked(("sex",), score="some scores"))


def test_negative_weight_is_refused(table: WarehouseTable) -> None:
    with pytest.raises(BadWeight, match="a weight is -1"):
        table.count(Asked(("sex",), weight="bad weight"))


def test_missing_column_is_named_with_the_nearest(table: WarehouseTable) -> None:
    with pytest.raises(MissingColumn) as caught:
        table.count(Asked(("gender",)))

    assert caught.value.nearest == "sex"


def test_table_without_rows_is_refused(load: Loader) -> None:
    with pytest.raises(EmptySource):
        WarehouseTable("host/none", load("nobody", PEOPLE.slice(0, 0))).count(Asked(("sex",)))


def test_more_combinations_than_may_leave_are_refused(table: WarehouseTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evenhand.datasets.warehouse.MOST_ROWS_OUT", 3)

    with pytest.raises(TooManyGroups):
        table.count(Asked(("group",)))


def test_text_in_place_of_scores_is_refused(table: WarehouseTable) -> None:
    with pytest.raises(QueryFailed, match="score and weight must be numbers"):
        table.count(Asked(("sex",), score="group"))


def test_the_same_rows_have_the_same_digest_on_every_engine(duckdb_loader: Loader, load: Loader) -> None:
    asked = Asked(("sex", "age", "member", "label"), score="score", weight="weight")

    def digest(table: Any) -> str:
        return WarehouseTable("host/people", table).count(asked).table.sha256

    assert digest(load("people", PEOPLE)) == digest(duckdb_loader("people", PEOPLE.take(pa.array(range(ROWS))[::-1])))
    assert digest(load("fewer", PEOPLE.slice(1))) != digest(load("people", PEOPLE))


def bins(table: Table, lowest: np.ndarray, highest: np.ndarray) -> Counter[tuple[Any, ...]]:
    """Rows by sex, label, and the ends of a bin."""
    assert table.times is not None
    sex, label = table.groups("sex"), table.groups("label")
    found: Counter[tuple[Any, ...]] = Counter()
    for s, y, low, high, n in zip(sex.codes, label.codes, lowest, highest, table.times, strict=True):
        found[sex.values[s], label.values[y], float(low), float(high)] += int(n)
    return found


def test_histogram_of_scores_is_that_of_a_file(table: WarehouseTable, tmp_path: Path) -> None:
    """Integers and the ends of bins, of scores that reach each part of the scale."""
    from pyarrow import parquet

    from evenhand.datasets.counting.streaming import count_file

    parquet.write_table(PEOPLE, tmp_path / "people.parquet")
    for score in ("score", "wide"):
        asked = Asked(
            ("sex", "label", "member"), score=score, threshold=0.3, weight="weight", histogram=("sex", "label")
        )

        there, here = table.count(asked), count_file(tmp_path / "people.parquet", asked)

        assert there.scores is not None
        assert here.scores is not None
        assert bins(there.scores.table, there.scores.lowest, there.scores.highest) == bins(
            here.scores.table, here.scores.lowest, here.scores.highest
        )
        assert by_name(there.table, ["sex", "label", "member"]) == by_name(here.table, ["sex", "label", "member"])
        assert there.scores.weight is not None
        assert here.scores.weight is not None
        assert there.scores.weight.sum() == here.scores.weight.sum()


def test_histogram_that_may_not_leave_is_made_coarser_and_then_left_out(
    table: WarehouseTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(("sex", "label"), score="wide", histogram=("sex", "label"))
    fine = table.count(asked).scores
    assert fine is not None

    monkeypatch.setattr("evenhand.datasets.warehouse.MOST_ROWS_OUT", fine.table.rows - 1)
    coarse = table.count(asked).scores
    monkeypatch.setattr("evenhand.datasets.warehouse.MOST_ROWS_OUT", 12)
    without = table.count(asked)

    assert coarse is not None
    assert coarse.table.rows < fine.table.rows
    assert coarse.table.total == fine.table.total == ROWS
    assert without.scores is None
    assert any("areas under curves" in note for note in without.notes)


# --- only counts leave ------------------------------------------------------------------------------------------------


@pytest.mark.postgres
def test_one_statement_reads_the_table_and_it_is_an_aggregate(
    postgres_url: str, postgres_loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What PostgreSQL is sent is listened to where it leaves, below Ibis."""
    import psycopg

    postgres_loader("people", PEOPLE)
    sent: list[str] = []
    for kind in (psycopg.Cursor, psycopg.ServerCursor):
        monkeypatch.setattr(kind, "execute", listened(kind.execute, sent))
    with open_warehouse(f"{postgres_url}/people") as table:
        counted = table.count(Asked(("sex", "label", "prediction"), score="score", weight="weight"))

    of_people = [text for text in sent if re.search(r'FROM "(public"\.")?people"', text)]
    assert len(of_people) == 1
    assert re.search(r"COUNT\(\*\).*GROUP BY", of_people[0], re.DOTALL)
    cells = 3 * 2 * 2 * 2  # sex with missing, label, prediction, reached
    assert counted.table.rows <= cells


def listened(execute: Any, sent: list[str]) -> Any:
    """psycopg's method, which notes what it is given."""

    def noting(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        sent.append(query.as_string(self) if hasattr(query, "as_string") else str(query))
        return execute(self, query, *arguments, **named)

    return noting


DIALECTS = ["duckdb", "postgres", "bigquery", "snowflake"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_query_of_every_dialect_is_the_one_on_file(dialect: str) -> None:
    """BigQuery and Snowflake cannot be asked here; what they would be sent is read by people once, and kept."""
    for name, sql in queries(dialect).items():
        assert sql == (GOLDEN / f"{name}.{dialect}.sql").read_text()


def queries(dialect: str) -> dict[str, str]:
    """The statement without and with a histogram of the scores."""
    import ibis

    schema = {"sex": "string", "member": "boolean", "label": "boolean", "score": "float32", "weight": "decimal(9, 3)"}
    table = ibis.table(schema, name="people")
    asked = Asked(("sex", "member", "label"), score="score", threshold=0.5, weight="weight")
    return {
        name: str(ibis.to_sql(counts(table, asked, coarser=coarser), dialect=dialect)) + "\n"
        for name, coarser in (("counts", None), ("histogram", 0))
    }


@pytest.mark.parametrize("name", ["counts", "histogram"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_query_names_columns_only_inside_sums_and_keys(dialect: str, name: str) -> None:
    """Selected are the keys, the bins and the sums, and the only table read is the one asked for."""
    import sqlglot
    from sqlglot import expressions as e

    query = sqlglot.parse_one((GOLDEN / f"{name}.{dialect}.sql").read_text(), read=dialect)

    grouped = query if query.args.get("group") else next(s for s in query.find_all(e.Select) if s.args.get("group"))
    for selected in grouped.selects:
        assert selected.find(e.AggFunc) or re.fullmatch(r"key_\d+|reached|bin", selected.alias_or_name), selected.sql()
    assert {table.name for table in query.find_all(e.Table)} <= {"people", "t0", "t1", "t2"}


# --- URLs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "schema", "table", "name"),
    [
        ("postgresql://me:pw@host:5433/db/people", None, "people", "host:5433/db/people"),
        ("postgresql://host/db/hr/people", "hr", "people", "host/db/hr.people"),
        ("postgres://host/db?table=hr.people&sslmode=require", "hr", "people", "host/db/hr.people"),
        ("duckdb:///data/people.duckdb?table=hr.people", "hr", "people", "people.duckdb/hr.people"),
        ("duckdb://people.duckdb?table=people", None, "people", "people.duckdb/people"),
        ("spark://?table=db.people", "db", "people", "spark/db.people"),
        ("bigquery://project/dataset?table=people", None, "people", "project/dataset/people"),
        ("snowflake://me:pw@account/db/schema?table=people", None, "people", "account/db/schema/people"),
    ],
)
def test_url_says_which_table(url: str, schema: str | None, table: str, name: str) -> None:
    where = parsed(url)

    assert (where.schema, where.table, where.name) == (schema, table, name)
    assert "pw" not in where.shown
    assert "pw" not in repr(where)


@pytest.mark.parametrize(
    "url", ["postgresql://host", "postgresql://host/db", "duckdb:///a.duckdb", "postgresql://h:x/d/t"]
)
def test_url_without_a_table_is_refused_with_the_form(url: str) -> None:
    with pytest.raises(BadWarehouseUrl, match="postgresql://user@host/database/table"):
        parsed(url)


@pytest.mark.parametrize(
    ("source", "yes"),
    [("postgresql://h/d/t", True), ("DuckDB:///f?table=t", True), ("people.csv", False), ("https://x/y.csv", False)],
)
def test_only_known_engines_are_warehouses(source: str, yes: bool) -> None:
    assert is_warehouse(source) is yes


def test_a_source_is_shown_without_user_password_and_options() -> None:
    assert without_credentials("postgresql://me:p%40w@host/db/t?password=pw") == "postgresql://host/db/t"
    assert without_credentials("people.csv") == "people.csv"


def test_password_stays_out_of_what_cannot_connect_says() -> None:
    with (
        pytest.raises(CannotConnect) as caught,
        open_warehouse("postgresql://me:s3cret@127.0.0.1:1/db/people"),
    ):
        pass

    assert "s3cret" not in str(caught.value)
    assert "127.0.0.1:1/db/people" in str(caught.value)


def test_password_stays_out_of_what_cannot_be_read_as_a_file_says() -> None:
    with pytest.raises(MissingSource) as caught:
        open_source("postgresql://me:s3cret@host/db/people")

    assert "s3cret" not in str(caught.value)


def test_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"

    with pytest.raises(CannotConnect, match="there is no file"), open_warehouse(f"duckdb://{path}?table=people"):
        pass

    assert not path.exists()


def test_driver_that_is_not_installed_is_named() -> None:
    with (
        pytest.raises(NoDriver, match=r"ibis-framework\[bigquery\]"),
        open_warehouse("bigquery://project/dataset?table=people"),
    ):
        pass


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    import duckdb

    path = tmp_path / "people.duckdb"
    with duckdb.connect(str(path)) as connection:
        into_duckdb(connection, "people", PEOPLE)
    return f"duckdb://{path}"


def test_table_in_a_file_is_counted(duckdb_url: str) -> None:
    with open_warehouse(f"{duckdb_url}?table=people") as table:
        counted: Counted = table.count(Asked(("sex", "label")))

    assert by_name(counted.table, ["sex", "label"]) == by_name(IN_MEMORY, ["sex", "label"])
    assert (counted.table.name, len(counted.table.sha256)) == ("people.duckdb/people", 64)


@pytest.mark.postgres
def test_missing_table_is_named_with_the_nearest(postgres_url: str, postgres_loader: Loader, duckdb_url: str) -> None:
    postgres_loader("people", PEOPLE)

    for url in (f"{postgres_url}/poeple", f"{duckdb_url}?table=poeple"):
        with pytest.raises(MissingTable) as caught, open_warehouse(url):
            pass
        assert caught.value.nearest == "people"


@pytest.mark.postgres
def test_schema_of_its_own_is_found(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE SCHEMA hr")
        connection.execute("CREATE TABLE hr.staff AS SELECT 'f' AS sex, 1 AS label UNION ALL SELECT 'm', 0")

    for url in (f"{postgres_url}/hr/staff", f"{postgres_url}?table=hr.staff"):
        with open_warehouse(url) as table:
            assert table.count(Asked(("sex", "label"))).table.total == 2
    with pytest.raises(MissingTable, match=r"hr\.staff"), open_warehouse(f"{postgres_url}/hr/stuff"):
        pass


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_spark_table_is_found_by_url_in_the_session(spark_loader: Loader) -> None:
    spark_loader("people", PEOPLE)

    with open_warehouse("spark://?table=people") as table:
        assert table.count(Asked(("sex",))).table.total == ROWS
