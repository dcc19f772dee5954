"""The count table: sensitive groups × label × prediction, the one small table that every group metric derives from.

Built in one pass over the rows and merged by addition. What is computed from it belongs in `metrics` and `disparity`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counting.histogram import Codes as Codes
from evenhand.auditors.counting.histogram import Column, Flags, joint_histogram, joint_sums
from evenhand.auditors.errors import LengthMismatch, TooManyCells
from evenhand.auditors.policy import intersection
from evenhand.auditors.report import Group

MOST_CELLS = 20_000_000

Number = TypeVar("Number", bound=np.generic)


@dataclass(frozen=True)
class Attribute:
    """A sensitive column as codes.

    Attributes:
        name: of the column.
        codes: shape (n,), of any integer type, each an index into `values`; the narrowest are counted fastest.
        values: the groups' values as text; a missing value is None.
    """

    name: str
    codes: Codes
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class GroupCounts:
    """Counts by group of one attribute or intersection; only groups that occur.

    Attributes:
        attributes: the columns, one or several.
        groups: one entry a group, attribute to value.
        rows: shape (k,), rows in each group.
        cells: shape (k, 2, 2), rows (or sums of weights) by label and prediction, 1 being positive; without labels
            the axis of the label has length 1.
        effective: shape as cells; equal to cells where no weights were given, else rows scaled to Kish's effective
            sample size of the group, for intervals.
    """

    attributes: tuple[str, ...]
    groups: tuple[Group, ...]
    rows: NDArray[np.int64]
    cells: NDArray[np.float64]
    effective: NDArray[np.float64]

    @property
    def name(self) -> str:
        return intersection(*self.attributes)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Groups with a missing value: listed, left out of comparisons."""
        return np.array([None in group.values() for group in self.groups], dtype=bool)


@dataclass(frozen=True)
class CountTable:
    """Counts over all sensitive attributes together; adding two tables of one layout merges their rows.

    Attributes:
        attributes: names, in the order of the leading axes.
        values: per attribute its values.
        rows: integer counts, shape (*levels, labels, 2); labels is 2, or 1 without labels.
        weights: sums of weights in the same cells, or None.
        squares: sums of squared weights in the same cells, or None.
    """

    attributes: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None

    def __add__(self, other: "CountTable") -> "CountTable":
        if (self.attributes, self.values, self.rows.shape) != (other.attributes, other.values, other.rows.shape):
            raise ValueError("count tables of different attributes or values cannot be added")
        return CountTable(
            self.attributes,
            self.values,
            self.rows + other.rows,
            None if self.weights is None or other.weights is None else self.weights + other.weights,
            None if self.squares is None or other.squares is None else self.squares + other.squares,
        )

    @property
    def has_labels(self) -> bool:
        return bool(self.rows.shape[-2] == 2)

    def of(self, *attributes: str) -> GroupCounts:
        """Counts of one attribute, or of the intersection of several, by summing over the rest."""
        axes = [self.attributes.index(attribute) for attribute in attributes]
        levels = [self.values[axis] for axis in axes]
        rows = self._marginal(self.rows, axes)
        present = np.flatnonzero(rows.sum(axis=(1, 2)))
        groups = tuple(
            {name: level[i] for name, level, i in zip(attributes, levels, index, strict=True)}
            for index in zip(*np.unravel_index(present, [len(level) for level in levels]), strict=True)
        )
        counted = rows[present]
        if self.weights is None or self.squares is None:
            cells = effective = counted.astype(np.float64)
        else:
            cells = self._marginal(self.weights, axes)[present]
            effective = cells * _kish(cells, self._marginal(self.squares, axes)[present])
        return GroupCounts(attributes, groups, counted.sum(axis=(1, 2)), cells, effective)

    def overall(self) -> GroupCounts:
        """All rows as one group."""
        axes = tuple(range(len(self.attributes)))
        rows = self.rows.sum(axis=axes)[None]
        if self.weights is None or self.squares is None:
            cells = effective = rows.astype(np.float64)
        else:
            cells = self.weights.sum(axis=axes)[None]
            effective = cells * _kish(cells, self.squares.sum(axis=axes)[None])
        return GroupCounts((), ({},), rows.sum(axis=(1, 2)), cells, effective)

    @staticmethod
    def _marginal(table: NDArray[Number], axes: Sequence[int]) -> NDArray[Number]:
        dropped = tuple(axis for axis in range(table.ndim - 2) if axis not in axes)
        kept = sorted(axes)
        order = [kept.index(axis) for axis in axes]
        summed = table.sum(axis=dropped).transpose(*order, len(axes), len(axes) + 1)
        marginal: NDArray[Number] = summed.reshape(-1, *table.shape[-2:])
        return marginal


def _kish(weights: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per group, effective rows over summed weight: (sum w)^2 / sum w^2 rows behind a weight of sum w (Kish 1965)."""
    total, square = weights.sum(axis=(1, 2), keepdims=True), squares.sum(axis=(1, 2), keepdims=True)
    ratio: NDArray[np.float64] = np.divide(total, square, out=np.zeros_like(total), where=square > 0)
    return ratio


def count(
    attributes: Sequence[Attribute],
    *,
    prediction: Codes | Flags,
    label: Codes | Flags | None = None,
    weight: NDArray[np.float64] | None = None,
) -> CountTable:
    """Count rows by group, label and prediction, in one pass.

    Args:
        attributes: sensitive columns as codes, at least one, each of length n.
        prediction: shape (n,), 1 where the positive class is predicted, else 0.
        label: shape (n,), the same for the true class; None where there are no labels.
        weight: shape (n,), at least 0; summed beside the counts, in the order of the rows (see `joint_sums`).

    Raises:
        ValueError: a code lies outside its attribute's values, a label or prediction outside 0 and 1.
        LengthMismatch: the arrays differ in length.
        TooManyCells: the attributes have more combinations than can be counted densely.
    """
    n = len(prediction)
    lengths = {attribute.name: len(attribute.codes) for attribute in attributes}
    lengths |= {name: len(column) for name, column in (("label", label), ("weight", weight)) if column is not None}
    for name, length in lengths.items():
        if length != n:
            raise LengthMismatch(name, length, n)
    shape = (*(len(attribute.values) for attribute in attributes), 1 if label is None else 2, 2)
    cells = int(np.prod(shape, dtype=object))
    if cells > MOST_CELLS:
        raise TooManyCells(cells, MOST_CELLS, (attribute.name for attribute in attributes))
    columns = [Column(attribute.name, attribute.codes, len(attribute.values)) for attribute in attributes]
    if label is not None:
        columns.append(Column("label", label, 2))
    columns.append(Column("prediction", prediction, 2))
    sums, squares = (None, None) if weight is None else joint_sums(columns, weight)
    return CountTable(
        tuple(attribute.name for attribute in attributes),
        tuple(attribute.values for attribute in attributes),
        joint_histogram(columns).reshape(shape),
        None if sums is None else sums.reshape(shape),
        None if squares is None else squares.reshape(shape),
    )
