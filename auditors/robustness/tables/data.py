"""The rows that are changed and asked about, and what a classifier answers. Which changes are feasible is in `feasible`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch, UndefinedScores

Columns = Mapping[str, NDArray[Any]]
Codes = tuple[NDArray[np.int32], tuple[str | None, ...]]


@dataclass(frozen=True)
class Decisions:
    """What a classifier decided on m rows.

    Attributes:
        favourable: whether the person gets the favourable outcome, shape (m,).
        margin: shape (m,), greater the nearer to the favourable outcome, or the further inside it; best on a scale on
            which effects add up, such as log odds.
    """

    favourable: NDArray[np.bool_]
    margin: NDArray[np.float64]

    def __post_init__(self) -> None:
        undefined = int(np.sum(~np.isfinite(self.margin)))
        if undefined:
            raise UndefinedScores(undefined, len(self.margin))


Decide = Callable[[Columns], Decisions]
"""Columns in, decisions out; row by row, so that a row's answer does not depend on the others."""


@dataclass(frozen=True)
class RowData:
    """Features and attributes of the same n rows.

    Attributes:
        columns: feature to values of shape (n,): float64 with NaN for missing, or object with str and None.
        categorical: numeric features whose order means nothing.
        attributes: attribute to codes of shape (n,) and the groups' texts; a missing value is the level None.
        ids: stable row ids, shape (n,): samples and random restarts are drawn from them.
        label: whether the favourable outcome is the true one, shape (n,); None without labels.
        unit: the person behind each row as codes, shape (n,); None: each row its own.
        fixed: features that nobody is asked to change, as the data set's card says.

    Raises:
        LengthMismatch: something has another length than `ids`.
    """

    columns: Columns
    attributes: Mapping[str, Codes]
    ids: NDArray[np.int64]
    label: NDArray[np.bool_] | None = None
    unit: NDArray[np.int64] | None = None
    categorical: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        lengths |= {name: len(codes) for name, (codes, _) in self.attributes.items()}
        lengths |= {name: len(each) for name, each in (("label", self.label), ("unit", self.unit)) if each is not None}
        for name, length in lengths.items():
            if length != len(self.ids):
                raise LengthMismatch(name, length, len(self.ids))

    def __len__(self) -> int:
        return len(self.ids)

    def units(self) -> NDArray[np.int64]:
        """Unit of each row as codes from 0."""
        if self.unit is None:
            return np.arange(len(self), dtype=np.int64)
        return np.unique(self.unit, return_inverse=True)[1].astype(np.int64).reshape(-1)
