"""What the proxy audit is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch

Levels = tuple[str | None, ...]


@dataclass(frozen=True)
class ProxyData:
    """Features and attributes of the same n rows.

    Args:
        columns: feature to values of shape (n,): float64 with NaN for missing, or object with str and None.
        categorical: numeric features whose order means nothing.
        attributes: attribute (or intersection) to codes of shape (n,) and the levels' texts; a missing value is None
            and is left out of comparisons.
        strata: codes and texts of a declared stratum, if any.

    Raises:
        LengthMismatch: a column, attribute or stratum has another length.
    """

    columns: Mapping[str, NDArray[Any]]
    categorical: frozenset[str] = frozenset()
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]] = field(default_factory=dict)
    strata: tuple[NDArray[np.int32], Levels] | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        lengths |= {name: len(codes) for name, (codes, _) in self.attributes.items()}
        if self.strata is not None:
            lengths["strata"] = len(self.strata[0])
        for name, length in lengths.items():
            if length != self.rows:
                raise LengthMismatch(name, length, self.rows)

    @property
    def rows(self) -> int:
        for codes, _ in self.attributes.values():
            return len(codes)
        return len(next(iter(self.columns.values()), ()))
