"""Columns of a table as classifiers take them: float64 with NaN for missing, or object arrays of text with None."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.errors import WrongInput, listed

Columns = Mapping[str, NDArray[Any]]


def chosen(columns: Columns, features: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The features in their order, numbers as float64 and text as objects; other columns are left out.

    Raises:
        WrongInput: a feature is missing, columns differ in length, or a column has more than one dimension.
    """
    missing = [name for name in features if name not in columns]
    if missing:
        raise WrongInput(expected=f"the columns {listed(list(features))}", got=f"none named {listed(missing)}")
    taken = {name: _plain(name, columns[name]) for name in features}
    lengths = {len(column) for column in taken.values()}
    if len(lengths) > 1:
        raise WrongInput(expected="columns of one length", got=f"lengths {listed([str(n) for n in sorted(lengths)])}")
    return taken


def row_count(columns: Columns) -> int:
    """Rows of columns that `chosen` has checked."""
    return len(next(iter(columns.values()), ()))


def rows_of(columns: Columns, rows: slice | NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Some rows of every column."""
    return {name: column[rows] for name, column in columns.items()}


def text_of(value: object) -> str | None:
    """A value as the text that stands for its level: 3.0 is "3"; None and NaN are None."""
    if value is None or value != value:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def texts_of(column: NDArray[Any]) -> NDArray[np.object_]:
    """A column as levels, one text or None a row."""
    texts = np.empty(len(column), dtype=object)
    texts[:] = [text_of(value) for value in column.tolist()]
    return texts


def _plain(name: str, column: NDArray[Any]) -> NDArray[Any]:
    column = np.asarray(column)
    if column.ndim != 1:
        raise WrongInput(expected=f"column {name!r} with one dimension", got=f"shape {column.shape}")
    if column.dtype.kind in "OUS":
        return column.astype(object)
    if column.dtype.kind in "biuf":
        return column.astype(np.float64)
    raise WrongInput(expected=f"numbers or text in column {name!r}", got=f"values of type {column.dtype}")
