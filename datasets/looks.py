"""A first look at the groups of a table: their sizes, counts of labels in them, and rows to show of each.

What columns hold belongs to `profile`. Rates and their intervals belong to `auditors`; which columns are meant, to the caller.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.groups import GroupCodes
from evenhand.datasets.table import Table

MOST_GROUPS = 24
"""Groups that are listed, the largest first; of the rest only how many there are."""
MOST_CLASSES = 12
"""Labels that are counted by group."""


@dataclass(frozen=True, kw_only=True)
class GroupCounts:
    """Rows of one group, None where the attribute is missing, and how many of them have each label."""

    group: str | None
    rows: int
    labels: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class AttributeLook:
    """The groups of one attribute, the largest first.

    Attributes:
        labels: what `GroupCounts.labels` are about; empty without a label column.
        labelled: rows by group that have a label, in the order of groups.
        left_out: further groups.
    """

    attribute: str
    labels: tuple[str, ...]
    groups: tuple[GroupCounts, ...]
    labelled: tuple[int, ...]
    left_out: int


def by_group(table: Table, attribute: str, *, label: str | None = None) -> AttributeLook:
    """Rows, and labels, of each group.

    Args:
        attribute: column whose values form the groups.
        label: column with labels; its most frequent values are counted.

    Raises:
        MissingColumn, UnsupportedType.
    """
    groups = table.groups(attribute)
    rows = np.bincount(groups.codes, minlength=len(groups.values))
    order = np.argsort(-rows, kind="stable")[:MOST_GROUPS]
    labels: tuple[str, ...] = ()
    counts, labelled = np.zeros((len(rows), 0), np.int64), rows
    if label is not None:
        labels, counts, labelled = _labels(groups, table.groups(label))
    return AttributeLook(
        attribute=attribute,
        labels=labels,
        groups=tuple(
            GroupCounts(group=groups.values[i], rows=int(rows[i]), labels=tuple(map(int, counts[i]))) for i in order
        ),
        labelled=tuple(int(labelled[i]) for i in order),
        left_out=len(rows) - len(order),
    )


def _labels(groups: GroupCodes, label: GroupCodes) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """The labels that are counted, in their order; counts by group and label; rows by group that have any label."""
    shape = (len(groups.values), len(label.values))
    cells = np.bincount(groups.codes.astype(np.int64) * shape[1] + label.codes, minlength=shape[0] * shape[1])
    counts = cells.reshape(shape)[:, : len(label.names)]
    most = np.sort(np.argsort(-counts.sum(axis=0), kind="stable")[:MOST_CLASSES])
    return tuple(label.names[i] for i in most), counts[:, most], counts.sum(axis=1)


def examples(groups: GroupCodes, *, each: int, seed: int, chosen: Sequence[str | None]) -> list[NDArray[np.intp]]:
    """Rows to show of each chosen group: drawn by the seed, in the order of the data.

    Returns:
        One array a group, of at most `each` row numbers.
    """
    found = []
    for value in chosen:
        rows = np.flatnonzero(groups.codes == groups.values.index(value))
        rng = np.random.default_rng([seed, groups.values.index(value)])
        found.append(np.sort(rng.permutation(rows)[:each]))
    return found
