"""Rows as 64-bit numbers: equal rows have equal digests in every file, on every machine, and in any order of columns.

The digest of a row is the sum of the digests of its cells, so that a row without one column is a subtraction. Digests
tell rows apart (two different rows agree once in 10^19); they do not hide them.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, text_of

Digests = NDArray[np.uint64]


def cell_digests(columns: Columns) -> dict[str, Digests]:
    """The digest of every cell, by column; shape (n,). 3 and 3.0 are equal to the text "3"; missing equals missing."""
    return {name: _column(name, np.asarray(values)) for name, values in columns.items()}


def row_digests(columns: Columns) -> Digests:
    """The digest of every row, shape (n,)."""
    return total(cell_digests(columns))


def total(cells: dict[str, Digests]) -> Digests:
    """Digests of rows from those of their cells."""
    summed: Digests = np.sum(list(cells.values()), axis=0, dtype=np.uint64)
    return summed


def picture_digests(images: NDArray[np.uint8]) -> Digests:
    """The digest of every picture (n, height, width, channels), its size included."""
    size = str(images.shape[1:]).encode()
    return np.array([_digest(size + picture.tobytes()) for picture in images], dtype=np.uint64)


def rounded(columns: Columns, *, digits: int) -> dict[str, NDArray[Any]]:
    """The columns, numbers rounded to so many significant digits."""
    return {
        name: values if np.asarray(values).dtype.kind in "OUS" else _rounded(np.asarray(values, np.float64), digits)
        for name, values in columns.items()
    }


def _rounded(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    usable = np.isfinite(values) & (values != 0)
    places = digits - 1 - np.floor(np.log10(np.abs(np.where(usable, values, 1.0))))
    scale = 10.0**places
    return np.where(usable, np.round(values * scale) / scale, values)


def _column(name: str, values: NDArray[Any]) -> Digests:
    known: dict[object, int] = {}
    if values.dtype.kind not in "OUS":
        levels, codes = np.unique(values.astype(np.float64), return_inverse=True)
        return np.array([_cell(name, level) for level in levels.tolist()], dtype=np.uint64)[codes]
    found = [known.get(value) or known.setdefault(value, _cell(name, value)) for value in values.tolist()]
    return np.array(found, dtype=np.uint64)


def _cell(name: str, value: object) -> int:
    return _digest(repr((name, text_of(value))).encode())


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
