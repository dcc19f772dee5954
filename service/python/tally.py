"""What a MetricFrame is computed from: counts over control and sensitive features, and the values they stand for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import CountTable, GroupCounts

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Grid:
    """Where each group that occurs stands among all combinations of known values, in their order.

    Groups with a missing value come after the combinations, in the order of the counts.

    Attributes:
        place: shape (k,), of each group counted.
        known: combinations of known values; places from it on have a missing value.
        codes: shape (places, features), an index into each feature's values; the missing one is the last.
        unknown: shape (k,), whether a group has a missing value.
    """

    place: NDArray[np.intp]
    known: int
    codes: NDArray[np.intp]
    unknown: NDArray[np.bool_]

    @property
    def size(self) -> int:
        return len(self.codes)


@dataclass(frozen=True)
class Tally:
    """Counts by group, and how a reader knows the groups.

    Attributes:
        controls, sensitive: names of the features.
        keys: by feature, the value that each of its codes stands for, in order; NaN for a missing one.
        table: counts over all features.
    """

    controls: tuple[str, ...]
    sensitive: tuple[str, ...]
    keys: dict[str, tuple[Any, ...]]
    table: CountTable

    @property
    def features(self) -> tuple[str, ...]:
        return (*self.controls, *self.sensitive)

    def values(self, feature: str) -> tuple[str | None, ...]:
        return self.table.values[self.table.attributes.index(feature)]

    def known(self, feature: str) -> int:
        """How many values the feature has, the missing one aside."""
        return sum(value is not None for value in self.values(feature))

    @cached_property
    def groups(self) -> GroupCounts:
        """Counts of the groups that occur."""
        return self.table.of(*self.features)

    @cached_property
    def totals(self) -> GroupCounts:
        """Counts of all rows, or of each level of the control features that occurs."""
        return self.table.of(*self.controls) if self.controls else self.table.overall()

    @cached_property
    def grid(self) -> Grid:
        return self.grid_of(self.groups, self.features)

    @cached_property
    def total_grid(self) -> Grid:
        return self.grid_of(self.totals, self.controls)

    def grid_of(self, counts: GroupCounts, features: Sequence[str]) -> Grid:
        index = [{value: code for code, value in enumerate(self.values(feature))} for feature in features]
        found = np.array(
            [[index[i][group[feature]] for i, feature in enumerate(features)] for group in counts.groups], dtype=np.intp
        ).reshape(len(counts.groups), len(features))
        sizes = [self.known(feature) for feature in features]
        known = int(np.prod(sizes, dtype=object))
        unknown = np.asarray(counts.unknown)
        place = np.zeros(len(found), dtype=np.intp)
        if features:
            place[~unknown] = np.ravel_multi_index(tuple(found[~unknown].T), sizes)
        place[unknown] = known + np.arange(int(unknown.sum()))
        combinations = (
            np.stack(np.unravel_index(np.arange(known), sizes), axis=1) if features else np.zeros((1, 0), np.intp)
        )
        return Grid(place, known, np.concatenate([combinations, found[unknown]]), unknown)

    def index(self, features: Sequence[str], grid: Grid) -> Any:
        """The pandas index of a grid's places."""
        import pandas as pd

        columns = [
            [self.keys[feature][code] for code in grid.codes[:, i].tolist()] for i, feature in enumerate(features)
        ]
        if len(features) == 1:
            return pd.Index(columns[0], name=features[0])
        return pd.MultiIndex.from_arrays(columns, names=list(features))

    def rows_as_weights(self) -> "Tally":
        """The same rows, each counted once."""
        return replace(self, table=replace(self.table, weights=None, squares=None))


def chosen(counts: GroupCounts, keep: NDArray[np.bool_]) -> GroupCounts:
    """The counts of some groups; keep of shape (k,)."""
    at = np.flatnonzero(keep)
    return replace(
        counts,
        groups=tuple(counts.groups[i] for i in at),
        rows=counts.rows[at],
        cells=counts.cells[at],
        effective=counts.effective[at],
    )
