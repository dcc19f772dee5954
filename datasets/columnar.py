"""Parquet and Arrow (Feather version 2) into an Arrow table; text has a file of its own."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from evenhand.datasets.errors import CorruptFile, EmptySource, TooLarge

MAX_CELLS = 2_000_000_000
"""Rows times columns. A few bytes of Parquet can claim any number of rows."""


def read_parquet(path: Path, name: str) -> Any:
    """The rows as a pyarrow.Table.

    Raises:
        CorruptFile, EmptySource, TooLarge.
    """
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _refuse_large(name, file.metadata.num_rows, len(file.schema_arrow))
            data = file.read()
        _validate(data)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorruptFile(name, "Parquet", damage(error)) from None
    return _with_rows(data, name)


def read_arrow(path: Path, name: str) -> Any:
    """The rows as a pyarrow.Table.

    Raises:
        CorruptFile, EmptySource, TooLarge.
    """
    try:
        with pa.OSFile(str(path)) as source, pa.ipc.open_file(source) as file:
            data = file.read_all()
        _validate(data)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise CorruptFile(name, "Arrow", damage(error)) from None
    _refuse_large(name, data.num_rows, data.num_columns)
    return _with_rows(data, name)


def _validate(data: Any) -> None:
    """Both formats carry offsets, codes and text that reading takes on trust."""
    data.validate(full=True)
    for column in data.columns:
        if pa.types.is_dictionary(column.type):  # validate does not compare the codes of every chunk with its values
            column.cast(column.type.value_type)


def _with_rows(data: Any, name: str) -> Any:
    if data.num_columns == 0:
        raise EmptySource(name, "no columns")
    if data.num_rows == 0:
        raise EmptySource(name, "columns and no rows")
    return data


def _refuse_large(name: str, rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        raise TooLarge(name, "cells", rows * columns, MAX_CELLS)


def damage(error: Exception) -> str:
    """What the reader says is wrong, in one line."""
    return next(iter(str(error).splitlines()), type(error).__name__)
