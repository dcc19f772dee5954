"""Digests of the rows that a classifier learned from, so that an audit of those very rows can be told.

At most 4,096 are kept: those whose digest is smallest by its last bits. The same rows of an audit are looked up, so that
of the audited rows a fair sample is compared, and all of them where the classifier learned from few.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.training.digests import Digests, picture_digests, row_digests

MOST = 4096
LARGEST_BITS = 48


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How many rows of an audit were training rows.

    Args:
        compared: rows that were looked up.
        found: of these, rows that the classifier learned from.
        rows: rows of the audit.
    """

    compared: int
    found: int
    rows: int


@dataclass(frozen=True, kw_only=True)
class SeenRows:
    """Digests of training rows.

    Args:
        columns: those compared, sorted; empty for pictures.
        one_in: of so many digests one is kept, a power of two; 1 keeps all.
        digests: base64 of sorted little-endian 64-bit numbers.
    """

    columns: tuple[str, ...]
    one_in: int
    digests: str

    def among(self, rows: Columns | np.ndarray[Any, Any]) -> Seen:
        """How many of these rows, or pictures, were learned from. The columns must be there."""
        digests = _digests(rows, self.columns)
        sampled = digests[digests % np.uint64(self.one_in) == 0]
        known = np.frombuffer(base64.b64decode(self.digests), dtype="<u8")
        return Seen(compared=len(sampled), found=int(np.isin(sampled, known).sum()), rows=len(digests))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "SeenRows":
        """The inverse of `dataclasses.asdict`.

        Raises:
            KeyError, TypeError, ValueError: the document is not of that form.
        """
        one_in = int(document["one_in"])
        if one_in not in {1 << bits for bits in range(LARGEST_BITS)} or len(base64.b64decode(document["digests"])) % 8:
            raise ValueError("the digests of the training rows are damaged")
        return cls(columns=tuple(map(str, document["columns"])), one_in=one_in, digests=str(document["digests"]))


def seen_rows(rows: Columns | np.ndarray[Any, Any]) -> SeenRows:
    """The digests to keep of training rows (all columns count), or of pictures (n, height, width, channels)."""
    columns = () if isinstance(rows, np.ndarray) else tuple(sorted(rows))
    digests = np.unique(_digests(rows, columns))
    one_in = 1
    while len(digests) > MOST:
        one_in *= 2
        digests = digests[digests % np.uint64(one_in) == 0]
    kept = base64.b64encode(digests.astype("<u8").tobytes()).decode("ascii")
    return SeenRows(columns=columns, one_in=one_in, digests=kept)


def _digests(rows: Columns | np.ndarray[Any, Any], columns: tuple[str, ...]) -> Digests:
    if isinstance(rows, np.ndarray):
        return picture_digests(rows)
    return row_digests({name: rows[name] for name in columns})
