"""Features that determine each other one to one, such as a degree and its number of years: they change together."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.data import Columns

Values = Mapping[str, NDArray[Any]]

MOST_LEVELS = 100
"""A feature with more distinct values is taken to stand alone: with few repeats everything determines everything."""


def values_of(column: NDArray[Any]) -> dict[object, int]:
    """Values that are not missing, and how often each occurs."""
    return dict(Counter(value for value in column.tolist() if value is not None and value == value))


def tied(columns: Columns, categorical: frozenset[str]) -> list[tuple[str, ...]]:
    """The features in sets that determine each other one to one; ordered features lead their set.

    Returns:
        Every feature in exactly one set, most of them alone.
    """
    codes = {name: _codes(column) for name, column in columns.items()}
    sets: list[list[str]] = []
    for name in columns:
        home = next((some for some in sets if _one_to_one(codes[some[0]], codes[name])), None)
        if home is None:
            sets.append([name])
        else:
            home.append(name)
    ordered = {name for name, column in columns.items() if column.dtype.kind == "f" and name not in categorical}
    return [tuple(sorted(members, key=lambda name: name not in ordered)) for members in sets]


def matching(leader: str, follower: str, columns: Columns, values: NDArray[Any]) -> NDArray[Any]:
    """The follower's value at each value of the leader."""
    if leader == follower:
        return values
    known = dict(zip(columns[leader].tolist(), columns[follower].tolist(), strict=True))
    found = np.empty(len(values), dtype=columns[follower].dtype)
    found[:] = [known[value] for value in values.tolist()]
    return found


def _codes(column: NDArray[Any]) -> NDArray[np.int64] | None:
    """Codes of the values, a missing value as one of them; None where there are too few or too many."""
    if column.dtype.kind == "f":
        codes = np.unique(column, return_inverse=True)[1].astype(np.int64).reshape(-1)
    else:
        index: dict[object, int] = {}
        codes = np.array([index.setdefault(value, len(index)) for value in column.tolist()], dtype=np.int64)
    levels = int(codes.max(initial=-1)) + 1
    return codes if 2 < levels <= MOST_LEVELS and levels < len(column) / 2 else None


def _one_to_one(one: NDArray[np.int64] | None, other: NDArray[np.int64] | None) -> bool:
    if one is None or other is None:
        return False
    levels = int(one.max()) + 1
    if levels != int(other.max()) + 1:
        return False
    return len(np.unique(one * levels + other)) == levels
