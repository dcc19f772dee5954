"""Which rows are equal, within one table and over several. What follows from rows that are there twice is said elsewhere."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evenhand.datasets.table import Table

MOST_CODES = 2**62


def row_codes(tables: Sequence[Table], columns: Sequence[str]) -> list[NDArray[np.int64]]:
    """A code a row for each table: two rows have one code just where they are equal in all the columns.

    A missing value equals a missing value. Columns whose types differ between the tables are compared as text.

    Args:
        tables: at least one.
        columns: at least one, of every table.

    Raises:
        MissingColumn: a table has not the column.
    """
    rows = [table.rows for table in tables]
    codes = np.zeros(sum(rows), dtype=np.int64)
    levels = 1
    for name in columns:
        column, cardinality = _codes([table.column(name) for table in tables])
        if levels * cardinality > MOST_CODES:
            codes = np.unique(codes, return_inverse=True)[1].astype(np.int64)
            levels = int(codes.max()) + 1 if len(codes) else 1
        codes = codes * cardinality + column
        levels *= cardinality
    return np.split(codes, np.cumsum(rows)[:-1])


def picture_codes(images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.int64]]:
    """As row_codes, for arrays of pictures of one size, shape (n, height, width, channels).

    Pictures are told apart by a digest of 160 bits, so that one at a time is in memory.
    """
    digests = np.array(
        [hashlib.blake2b(picture.tobytes(), digest_size=20).digest() for part in images for picture in part]
    )
    codes = np.unique(digests.view("V20"), return_inverse=True)[1].astype(np.int64)
    return np.split(codes, np.cumsum([len(pictures) for pictures in images])[:-1])


def _codes(parts: Sequence[pa.ChunkedArray]) -> tuple[NDArray[np.int64], int]:
    """Codes of one column over all tables, and how many there are."""
    kinds = {part.type for part in parts}
    if len(kinds) > 1:
        parts = [part.cast(pa.string()) for part in parts]
    column = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_nested(column.type):
        column = pa.chunked_array([pa.array([str(value) for value in column.to_pylist()], pa.string())])
    if not len(column):
        return np.zeros(0, np.int64), 1
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    return np.from_dlpack(encoded.indices).astype(np.int64), max(len(encoded.dictionary), 1)
