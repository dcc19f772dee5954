"""The cells that a learning curve is recorded by: every class, and every class within each group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import texts_of
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.record import CellCurve, Part
from evenhand.classifiers.training.split import Split


@dataclass(frozen=True)
class Cell:
    """A class, or the rows of a class that have a value in a sensitive column (None: missing)."""

    label: str
    attribute: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Partition:
    """Every row in one of some cells: codes of shape (n,) into them."""

    cells: tuple[Cell, ...]
    codes: NDArray[np.int64]


@dataclass(frozen=True)
class PartScore:
    """One part after one epoch, by row: its loss, shape (n,), and whether it was right, shape (n,)."""

    loss: NDArray[np.float64]
    right: NDArray[np.bool_]


def partitions(labels: Labels, options: TrainingOptions) -> tuple[Partition, ...]:
    """The classes, then the classes within the groups of each sensitive column."""
    found = [Partition(tuple(map(Cell, labels.classes)), labels.codes)]
    for name, values in options.groups.items():
        texts = texts_of(np.asarray(values)).tolist()
        known: list[str | None] = [*sorted({text for text in texts if text is not None})]
        known += [None] if None in texts else []
        place = {text: index for index, text in enumerate(known)}
        groups = np.array([place[text] for text in texts], dtype=np.int64)
        cells = tuple(Cell(label, name, group) for group in known for label in labels.classes)
        found.append(Partition(cells, groups * len(labels.classes) + labels.codes))
    return tuple(found)


def cell_curves(
    cells: Sequence[Partition], split: Split, train: Sequence[PartScore], valid: Sequence[PartScore]
) -> tuple[CellCurve, ...]:
    """The curve of every cell that has rows in a part.

    Args:
        train, valid: of each epoch, in the order of the split's rows; empty where a part has none.
    """
    return tuple(
        curve
        for part, rows, scores in (("train", split.train, train), ("valid", split.valid, valid))
        if len(rows)
        for partition in cells
        for curve in _curves(part, partition, rows, scores)  # type: ignore[arg-type]  # mypy widens the literals
    )


def _curves(part: Part, partition: Partition, rows: NDArray[np.int64], scores: Sequence[PartScore]) -> list[CellCurve]:
    codes, count = partition.codes[rows], len(partition.cells)
    n = np.bincount(codes, minlength=count)
    right = [np.bincount(codes, weights=score.right, minlength=count) for score in scores]
    loss = [np.bincount(codes, weights=score.loss, minlength=count) / np.maximum(n, 1) for score in scores]
    return [
        CellCurve(
            part=part,
            label=cell.label,
            attribute=cell.attribute,
            group=cell.group,
            n=int(n[index]),
            right=tuple(int(epoch[index]) for epoch in right),
            loss=tuple(float(epoch[index]) for epoch in loss),
        )
        for index, cell in enumerate(partition.cells)
        if n[index]
    ]
