"""The confusion tensor: sensitive groups × label × prediction for any number of classes, in one pass.

What is computed from it belongs in `multiclass`; two classes belong in `counts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counting.histogram import Codes, Column, joint_histogram, joint_sums
from evenhand.auditors.counts import MOST_CELLS, Attribute, CountTable
from evenhand.auditors.errors import LengthMismatch, TooManyCells


@dataclass(frozen=True)
class ConfusionTable:
    """Counts over all sensitive attributes together; adding two tables of one layout merges their rows.

    Attributes:
        attributes: names, in the order of the leading axes.
        values: per attribute its values.
        classes: the K classes as text, in the order of the last two axes.
        rows: integer counts, shape (*levels, K, K): label, then prediction.
        weights, squares: sums of weights and of squared weights in the same cells, or None.
    """

    attributes: tuple[str, ...]
    values: tuple[tuple[str | None, ...], ...]
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    weights: NDArray[np.float64] | None = None
    squares: NDArray[np.float64] | None = None

    def __add__(self, other: "ConfusionTable") -> "ConfusionTable":
        mine, theirs = ((t.attributes, t.values, t.classes) for t in (self, other))
        if mine != theirs:
            raise ValueError("confusion tables of different attributes, values or classes cannot be added")
        return ConfusionTable(
            self.attributes,
            self.values,
            self.classes,
            self.rows + other.rows,
            None if self.weights is None or other.weights is None else self.weights + other.weights,
            None if self.squares is None or other.squares is None else self.squares + other.squares,
        )

    @property
    def overall(self) -> NDArray[Any]:
        """Rows, or sums of weights, by label and prediction over all groups, shape (K, K)."""
        cells = self.rows if self.weights is None else self.weights
        summed: NDArray[Any] = cells.sum(axis=tuple(range(len(self.attributes))))
        return summed

    def one_vs_rest(self, index: int) -> CountTable:
        """The table of one class against all others: label and prediction are 1 where they name the class."""
        return CountTable(
            self.attributes,
            self.values,
            _one_vs_rest(self.rows, index),
            None if self.weights is None else _one_vs_rest(self.weights, index),
            None if self.squares is None else _one_vs_rest(self.squares, index),
        )

    def right_or_wrong(self) -> CountTable:
        """The table of whether the prediction names the label's class: its selection rate is the accuracy."""
        return CountTable(
            self.attributes,
            self.values,
            _right_or_wrong(self.rows),
            None if self.weights is None else _right_or_wrong(self.weights),
            None if self.squares is None else _right_or_wrong(self.squares),
        )


def _one_vs_rest(cells: NDArray[Any], index: int) -> NDArray[Any]:
    tp = cells[..., index, index]
    fn = cells[..., index, :].sum(axis=-1) - tp
    fp = cells[..., :, index].sum(axis=-1) - tp
    tn = np.delete(np.delete(cells, index, axis=-2), index, axis=-1).sum(axis=(-2, -1))
    return np.stack([np.stack([tn, fp], axis=-1), np.stack([fn, tp], axis=-1)], axis=-2)


def _right_or_wrong(cells: NDArray[Any]) -> NDArray[Any]:
    right = np.trace(cells, axis1=-2, axis2=-1)
    return np.stack([cells.sum(axis=(-2, -1)) - right, right], axis=-1)[..., None, :]


def count_confusion(
    attributes: Sequence[Attribute],
    *,
    classes: Sequence[str],
    label: Codes,
    prediction: Codes,
    weight: NDArray[np.float64] | None = None,
    times: NDArray[np.int64] | None = None,
    square: NDArray[np.float64] | None = None,
) -> ConfusionTable:
    """Count rows by group, label and prediction, in one pass.

    Args:
        attributes: sensitive columns as codes, at least one, each of length n.
        classes: the K classes as text.
        label, prediction: shape (n,), indices into `classes`.
        weight: shape (n,), at least 0; summed beside the counts.
        times: shape (n,), how many rows each row stands for, where equal rows were put together; weight then holds their
            sum, and square the sum of their squares.

    Raises:
        LengthMismatch: the arrays differ in length.
        TooManyCells: the attributes and classes have more combinations than can be counted densely.
        ValueError: a code lies outside its values.
    """
    lengths = {attribute.name: len(attribute.codes) for attribute in attributes} | {"label": len(label)}
    if weight is not None:
        lengths["weight"] = len(weight)
    for name, length in lengths.items():
        if length != len(prediction):
            raise LengthMismatch(name, length, len(prediction))
    columns = [Column(attribute.name, attribute.codes, len(attribute.values)) for attribute in attributes]
    columns += [Column("label", label, len(classes)), Column("prediction", prediction, len(classes))]
    cells = int(np.prod([column.levels for column in columns], dtype=object))
    if cells > MOST_CELLS:
        raise TooManyCells(cells, MOST_CELLS, (column.name for column in columns))
    sums, squares = (None, None) if weight is None else joint_sums(columns, weight)
    if square is not None:
        squares, _ = joint_sums(columns, square)
    return ConfusionTable(
        tuple(attribute.name for attribute in attributes),
        tuple(attribute.values for attribute in attributes),
        tuple(classes),
        joint_histogram(columns) if times is None else joint_sums(columns, times)[0].astype(np.int64),
        sums,
        squares,
    )
