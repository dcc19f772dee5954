"""URLs of tables in a warehouse, and the connections behind them; what is asked of a table is in warehouse.

postgresql://USER@HOST:PORT/DATABASE/TABLE, or /DATABASE/SCHEMA/TABLE, or /DATABASE?table=SCHEMA.TABLE
duckdb:///FOLDER/FILE.duckdb?table=TABLE, with two slashes for a path from the current folder
spark://?table=DATABASE.TABLE, in the session that Spark's own settings describe
bigquery://PROJECT/DATASET?table=TABLE and snowflake://USER@ACCOUNT/DATABASE/SCHEMA?table=TABLE, with Ibis's drivers
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from evenhand.datasets.errors import BadWarehouseUrl, CannotConnect, NoDriver

CONNECT_SECONDS = 10

_SCHEMES = {"postgresql": "postgresql", "postgres": "postgresql"} | {
    name: name for name in ("duckdb", "spark", "bigquery", "snowflake")
}


@dataclass(frozen=True)
class TableUrl:
    """A table's URL, taken apart.

    Attributes:
        engine: postgresql, duckdb, spark, bigquery or snowflake.
        name: host, database and table, for the report.
        shown: the URL without user, password and options, for messages.
        base: the rest of the URL, as Ibis takes it; not for anybody to see.
        password: to be kept out of messages.
    """

    engine: str
    table: str
    schema: str | None
    database: str
    name: str
    shown: str
    host: str | None = None
    port: int | None = None
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    base: str = field(default="", repr=False)
    options: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def qualified(self) -> str:
        """The table with its schema."""
        return f"{self.schema}.{self.table}" if self.schema else self.table


def is_warehouse(source: str) -> bool:
    """Whether this is the URL of a table, and no file or built-in set."""
    scheme, separator, _ = source.partition("://")
    return bool(separator) and scheme.lower() in _SCHEMES


def without_credentials(source: str) -> str:
    """A source as it may be shown."""
    scheme, separator, rest = source.partition("://")
    if not separator:
        return source
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path.partition('?')[0]}"


def parsed(url: str) -> TableUrl:
    """Take a URL apart.

    Raises:
        BadWarehouseUrl: it names no database or no table.
    """
    shown = without_credentials(url)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadWarehouseUrl(shown, str(error)) from None
    engine = _SCHEMES[parts.scheme.lower()]
    options = dict(parse_qsl(parts.query))
    named = options.pop("table", None)
    path = [unquote(part) for part in parts.path.split("/") if part]
    if engine == "duckdb":
        place = unquote(parts.netloc + parts.path)
        what, database = Path(place).name, place
    elif engine == "spark":
        what, database = "spark", ""
    else:
        if engine == "postgresql" and named is None and len(path) > 1:
            path, named = path[:1], ".".join(path[1:])
        if not path:
            raise BadWarehouseUrl(shown, "there is no database in it")
        host = parts.hostname or "localhost"
        what, database = "/".join([f"{host}:{port}" if port else host, *path]), path[0]
    if not named or (engine == "duckdb" and not what):
        raise BadWarehouseUrl(shown, "there is no table in it")
    schema, _, table = named.rpartition(".")
    name = f"{what}/{named}"
    return TableUrl(
        engine=engine,
        table=table,
        schema=schema or None,
        database=database,
        name=name,
        shown=f"{engine}://{name}",
        host=parts.hostname,
        port=port,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        base=parts._replace(query=urlencode(options)).geturl(),
        options=options,
    )


@contextmanager
def connected(where: TableUrl) -> Iterator[Any]:
    """An Ibis connection, ended with the block.

    Raises:
        NoDriver, CannotConnect.
    """
    try:
        connection = _CONNECT[where.engine](where)
    except ImportError:
        raise NoDriver(where.shown, _PACKAGES[where.engine]) from None
    except CannotConnect:
        raise
    except Exception as error:  # engines share no class of errors
        reason = " ".join(str(error).split()) or type(error).__name__
        if where.password:
            reason = reason.replace(where.password, "…")
        raise CannotConnect(where.shown, reason) from None
    try:
        yield connection
    finally:
        if where.engine != "spark":  # the session is the caller's
            connection.disconnect()


def _postgresql(where: TableUrl) -> Any:
    import ibis

    return ibis.postgres.connect(
        host=where.host,
        port=where.port or 5432,
        user=where.user,
        password=where.password,
        database=where.database,
        **{"connect_timeout": str(CONNECT_SECONDS)} | where.options,
    )


def _duckdb(where: TableUrl) -> Any:
    import ibis

    if not Path(where.database).is_file():  # DuckDB would make it
        raise CannotConnect(where.shown, f"there is no file {where.database}")
    return ibis.duckdb.connect(where.database, read_only=True)


def _spark(where: TableUrl) -> Any:
    import ibis
    from pyspark.sql import SparkSession

    return ibis.pyspark.connect(SparkSession.builder.getOrCreate())


def _by_url(where: TableUrl) -> Any:
    import ibis

    return ibis.connect(where.base)


_CONNECT: dict[str, Callable[[TableUrl], Any]] = {
    "postgresql": _postgresql,
    "duckdb": _duckdb,
    "spark": _spark,
    "bigquery": _by_url,
    "snowflake": _by_url,
}
_PACKAGES = {
    "postgresql": "ibis-framework[postgres]",
    "duckdb": "ibis-framework[duckdb]",
    "spark": "evenhand[spark]",
    "bigquery": "ibis-framework[bigquery]",
    "snowflake": "ibis-framework[snowflake]",
}
