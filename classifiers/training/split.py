"""Which rows are held out for validation: by row within each class, or by unit within the units of each class,
so that nobody is on both sides."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import texts_of
from evenhand.classifiers.errors import TrainingFailed


@dataclass(frozen=True)
class Split:
    """Row numbers of the two parts, and in words how they were told apart."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    words: str


def split_rows(
    codes: NDArray[np.int64], *, fraction: float, units: NDArray[Any] | None, generator: np.random.Generator, kind: str
) -> Split:
    """Hold out about `fraction` of the rows.

    Args:
        codes: shape (n,), class of every row.
        fraction: in [0, 1); 0 holds out nothing.
        units: shape (n,), whose row it is; rows of one unit stay together. None splits by row within each class.
        kind: what is trained, for messages.

    Raises:
        TrainingFailed: the part to learn from would not hold two classes, or units do not fit the rows.
    """
    if not 0 <= fraction < 1:
        raise TrainingFailed(kind=kind, problem=f"valid_fraction is {fraction}", instead="Pass at least 0 and below 1.")
    if units is not None and np.shape(units) != codes.shape:
        raise TrainingFailed(
            kind=kind, problem=f"{len(codes)} rows, but units of shape {np.shape(units)}", instead="Pass one each."
        )
    if fraction == 0:
        held_out, words = np.zeros(len(codes), dtype=bool), "nothing held out"
    elif units is None:
        held_out, words = _by_row(codes, fraction, generator), f"{fraction:g} of each class held out by row"
    else:
        held_out, words = _by_unit(units, codes, fraction, generator), f"{fraction:g} of the rows held out by unit"
    train, valid = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    if len(np.unique(codes[train])) < 2:
        raise TrainingFailed(
            kind=kind,
            problem="after the split fewer than two classes are left to learn from",
            instead="Pass more rows.",
        )
    return Split(train, valid, words)


def _by_row(codes: NDArray[np.int64], fraction: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    held_out = np.zeros(len(codes), dtype=bool)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        held_out[generator.permutation(rows)[: round(fraction * len(rows))]] = True
    return held_out


def _by_unit(
    units: NDArray[Any], codes: NDArray[np.int64], fraction: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Units whole, about the fraction of the rows among the units of each class; a unit's class is its most frequent."""
    _, unit_of_row = np.unique(np.array([text or "" for text in texts_of(units)]), return_inverse=True)
    sizes = np.bincount(unit_of_row)
    by_class = np.zeros((len(sizes), int(codes.max()) + 1), dtype=np.int64)
    np.add.at(by_class, (unit_of_row, codes), 1)
    class_of_unit = by_class.argmax(axis=1)
    held_out = np.zeros(len(sizes), dtype=bool)
    for code in np.unique(class_of_unit):
        order = generator.permutation(np.flatnonzero(class_of_unit == code))
        reached = np.cumsum(sizes[order]) <= fraction * sizes[order].sum()
        held_out[order[reached]] = True
    return held_out[unit_of_row]
