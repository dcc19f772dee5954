"""A file as a stream of Arrow record batches that hold a few columns; each format's whole reading has a file of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from evenhand.datasets.columnar import damage
from evenhand.datasets.errors import CorruptFile, DuplicateColumn, EmptySource, MissingColumn
from evenhand.datasets.formats import Format

ROWS_A_CHUNK = 1 << 17
"""A few megabytes of codes: more costs memory, fewer cost time for each chunk."""

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True)
class Chunks:
    """Columns of a file, a few rows at a time.

    Attributes:
        kind: of file, as messages call it.
        columns: all columns of the file.
        types: Arrow type of each column asked for.
        batches: the record batches, from the first row, once.
    """

    kind: str
    columns: tuple[str, ...]
    types: dict[str, Any]
    batches: Iterator[Any]


def chunks_of(path: Path, name: str, kind: Format, columns: Sequence[str], *, threads: bool = True) -> Chunks:
    """The columns of a Parquet or Arrow file.

    Args:
        path: of a file that exists.
        name: what messages call it.
        kind: its format, "parquet" or "arrow".
        columns: which to read; text comes dictionary-encoded where the format offers it.
        threads: whether columns may be decoded side by side.

    Raises:
        MissingColumn, DuplicateColumn, EmptySource, CorruptFile: now, or while the batches are read.
    """
    opened = {"parquet": _parquet, "arrow": _arrow}[kind]
    try:
        names, types, rows, batches = opened(path, columns, threads)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorruptFile(name, _CALLED[kind], damage(error)) from None
    checked(names, columns, name)
    if rows == 0:
        raise EmptySource(name, "columns and no rows")
    wanted = {column: types[column] for column in columns}
    return Chunks(_CALLED[kind], tuple(names), wanted, _validated(batches, name, kind))


_CALLED = {"parquet": "Parquet", "arrow": "Arrow"}
_Opened = tuple[list[str], dict[str, Any], int, Callable[[], Iterator[Any]]]


def checked(names: Sequence[str], wanted: Sequence[str], name: str) -> None:
    """Refuse a file where a name means two columns, or none.

    Raises:
        DuplicateColumn, MissingColumn.
    """
    for each in names:
        if list(names).count(each) > 1:
            raise DuplicateColumn(name, each, [i for i, other in enumerate(names, start=1) if other == each])
    for each in wanted:
        if each not in names:
            raise MissingColumn(each, name, names)


def _parquet(path: Path, columns: Sequence[str], threads: bool) -> _Opened:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema, rows = file.schema_arrow, file.metadata.num_rows
    types = dict(zip(schema.names, schema.types, strict=True))
    texts = [name for name in columns if name in types and _is_text(types[name])]

    def batches() -> Iterator[Any]:
        # one buffer for each column, where reading ahead would hold whole row groups
        options: dict[str, Any] = {"read_dictionary": texts, "pre_buffer": False, "buffer_size": _BUFFER_BYTES}
        with parquet.ParquetFile(path, **options) as file:
            yield from file.iter_batches(ROWS_A_CHUNK, columns=list(columns), use_threads=threads)

    return schema.names, types, rows, batches


def rows_of_parquet(path: Path, name: str) -> int:
    """How many rows a Parquet file says it has.

    Raises:
        CorruptFile.
    """
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError) as error:
        raise CorruptFile(name, "Parquet", damage(error)) from None


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _arrow(path: Path, columns: Sequence[str], threads: bool) -> _Opened:
    # mapped, so that a file of one batch is read page by page
    with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
        schema = file.schema
        rows = 1 if file.num_record_batches else 0
    included = sorted({schema.names.index(name) for name in columns if name in schema.names})

    def batches() -> Iterator[Any]:
        options = pa.ipc.IpcReadOptions(included_fields=included, use_threads=threads)
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source, options=options) as file:
            for i in range(file.num_record_batches):
                batch = file.get_batch(i)
                for begin in range(0, batch.num_rows, ROWS_A_CHUNK):
                    yield batch.slice(begin, ROWS_A_CHUNK)

    return schema.names, dict(zip(schema.names, schema.types, strict=True)), rows, batches


def _validated(batches: Callable[[], Iterator[Any]], name: str, kind: Format) -> Iterator[Any]:
    """Both formats carry offsets and text that reading takes on trust. Codes are looked at where they are counted."""
    try:
        for batch in batches():
            for column in batch.columns:
                if pa.types.is_dictionary(column.type) and column.null_count == 0:
                    column.dictionary.validate(full=True)
                else:
                    column.validate(full=True)
            yield batch
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorruptFile(name, _CALLED[kind], damage(error)) from None
