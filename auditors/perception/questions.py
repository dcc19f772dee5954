"""Which groups are told apart by probes, and whether they can be: an attribute of two groups, or each against the rest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.checks import known_levels, one_group
from evenhand.auditors.perception.probes import (
    LEAST_BALANCED_ACCURACY,
    Probe,
    cells_outside_every_fold,
    fit_probes,
    folds_of,
)
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.data import ImageData, Level, units_of


@dataclass(frozen=True)
class Question:
    """One group against another (or against all others: `first` is None), with probes that passed.

    Attributes:
        rows: pictures that show either, shape (m,).
        target: whether they show the second group, shape (m,).
        fold: which fold's probe has not seen them, shape (m,).
        probes: the linear one, then the ConvNet.
    """

    first: Level | None
    second: Level
    rows: NDArray[np.int64]
    target: NDArray[np.bool_]
    fold: NDArray[np.int64]
    probes: tuple[Probe, ...]


@dataclass(frozen=True)
class Unfit:
    """Why a group cannot be probed for."""

    reason: str


def questions_of(data: ImageData, attribute: str, pictures: Pictures, *, seed: int) -> list[Question | Unfit]:
    """Two groups make one question; of more, each is asked about against all others together.

    Args:
        data: codes, labels and units.
        attribute: a column of `data.attributes`.
        pictures: of `data`, in [0, 1].
        seed: of folds and probes.
    """
    levels = known_levels(data, attribute)
    if len(levels) < 2:
        return [Unfit(one_group(attribute, levels))]
    if len(levels) == 2:
        return [_question(data, attribute, pictures, levels[0], levels[1], seed)]
    return [_question(data, attribute, pictures, None, level, seed) for level in levels]


def _question(
    data: ImageData, attribute: str, pictures: Pictures, first: Level | None, second: Level, seed: int
) -> Question | Unfit:
    codes, texts = data.attributes[attribute]
    known = np.array([text is not None for text in texts])[codes]
    rows = np.flatnonzero(known)
    target = codes[rows] == second.code
    label = data.label[rows].astype(np.int64)
    fold = folds_of(units_of(data)[rows], seed=seed)
    problem = _problem(first, second, label, target, fold)
    if problem:
        return Unfit(problem)
    probes = fit_probes(
        pictures[rows],
        target,
        stratum=label,
        fold=fold,
        ids=data.ids[rows],
        seed=seed,
        purpose=f"{attribute}: {second.text}",
    )
    for probe in probes:
        if not probe.good:
            return Unfit(
                f"the {probe.name} probe tells '{second.text}' from {_others(first)} with a balanced accuracy of "
                f"{probe.balanced_accuracy:.2f} on unseen units; {LEAST_BALANCED_ACCURACY:g} would be needed"
            )
    return Question(first, second, rows, target, fold, tuple(probes))


def _problem(
    first: Level | None,
    second: Level,
    label: NDArray[np.int64],
    target: NDArray[np.bool_],
    fold: NDArray[np.int64],
) -> str | None:
    for level in (first, second):
        if level is not None and level.small:
            return f"group '{level.text}' has {level.n} pictures; under 30 no probe is trained"
    cell = 2 * label + target
    if len(np.unique(cell)) < 2 * len(np.unique(label)):
        return "a class × group cell is empty: a probe could not tell the group from the class"
    if not cells_outside_every_fold(cell, fold):
        return "the pictures of a class × group cell come from too few units to train probes on some and test on others"
    return None


def _others(first: Level | None) -> str:
    return "the other groups" if first is None else f"'{first.text}'"
