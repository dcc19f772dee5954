"""Weights of rows: classes that count the same, and groups among which every class is as frequent."""

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import texts_of
from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.split import Split


def row_weights(kind: str, labels: Labels, split: Split, options: TrainingOptions) -> NDArray[np.float64] | None:
    """The weight of every row, with a mean of 1 over the rows learned from; None where none was asked for.

    Raises:
        TrainingFailed: group weights without groups, or groups of another length than the rows.

    Source: Kamiran and Calders (2012), Knowledge and Information Systems 33, section 5.3 (reweighing); balanced class
    weights are scikit-learn's n / (classes x rows of the class).
    """
    check_groups(kind, labels, options)
    if options.class_weight is None and options.group_weight is None:
        return None
    weights = np.ones(len(labels.codes))
    if options.group_weight is not None:
        if not options.groups:
            problem = "weights by group were asked for, and no groups are named"
            raise TrainingFailed(kind=kind, problem=problem, instead="Name a sensitive column", setting="sensitive")
        weights *= _independent(_intersections(options), labels.codes, split.train)
    if options.class_weight is not None:
        shares = _shares(labels.codes, split.train, len(labels.classes))
        present = np.count_nonzero(shares)
        weights *= _over(np.ones(1), present * shares)[labels.codes]
    scaled: NDArray[np.float64] = weights / weights[split.train].mean()
    return scaled


def check_groups(kind: str, labels: Labels, options: TrainingOptions) -> None:
    """Raises TrainingFailed where a sensitive column has not one value a row."""
    for name, values in options.groups.items():
        if np.shape(values) != labels.codes.shape:
            problem = f"{len(labels.codes)} rows, but the groups of {name!r} have shape {np.shape(values)}"
            raise TrainingFailed(kind=kind, problem=problem, instead="Pass one each.")


def _intersections(options: TrainingOptions) -> NDArray[np.int64]:
    places: dict[tuple[str | None, ...], int] = {}
    rows = zip(*(texts_of(np.asarray(values)).tolist() for values in options.groups.values()), strict=True)
    return np.array([places.setdefault(row, len(places)) for row in rows], dtype=np.int64)


def _independent(
    groups: NDArray[np.int64], classes: NDArray[np.int64], train: NDArray[np.int64]
) -> NDArray[np.float64]:
    group_count, class_count = int(groups.max()) + 1, int(classes.max()) + 1
    cells = groups * class_count + classes
    of_group, of_class = _shares(groups, train, group_count), _shares(classes, train, class_count)
    of_cell = _shares(cells, train, group_count * class_count)
    of_rows: NDArray[np.float64] = _over(np.outer(of_group, of_class).ravel(), of_cell)[cells]
    return of_rows


def _shares(codes: NDArray[np.int64], train: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    return np.bincount(codes[train], minlength=count) / len(train)


def _over(wanted: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
    """wanted / found; 1 for what no row learned from has."""
    return np.where(found > 0, wanted / np.where(found > 0, found, 1.0), 1.0)
