"""A table out of a file of any known format; pictures are read by images."""

import hashlib
from pathlib import Path

from evenhand.datasets.columnar import read_arrow, read_parquet
from evenhand.datasets.delimited import read_delimited
from evenhand.datasets.errors import UnknownFormat
from evenhand.datasets.formats import TABLES, format_of
from evenhand.datasets.table import Table


def read_table(path: str | Path, name: str | None = None) -> Table:
    """A table from .csv, .tsv, .parquet, .arrow or .feather, by content before extension.

    Args:
        path: of a file that exists.
        name: what messages call it, with the extension that tells its format; the file's own name by default.

    Raises:
        EmptySource, UnknownFormat, CorruptFile, NotUtf8, RaggedRow, DuplicateColumn, TooLarge: what is wrong with it,
            and in which row.
    """
    path = Path(path)
    name = path.name if name is None else name
    kind = format_of(path, name)
    lines_above = None
    if kind == "parquet":
        data = read_parquet(path, name)
    elif kind == "arrow":
        data = read_arrow(path, name)
    elif kind in ("csv", "tsv"):
        data, lines_above = read_delimited(path, name, tab=kind == "tsv")
    else:
        raise UnknownFormat(name, f"{kind}, not a table", TABLES)
    return Table(name, data, None, sha256_of(path), lines_above)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
