"""Which gaps are asked about for an attribute, which one decides, and what overrules its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.report import Masking
from evenhand.auditors.robustness.attacked import FLOOR, Attacked, informative
from evenhand.auditors.robustness.clusters import UnitTable, unit_table
from evenhand.auditors.robustness.data import ImageData, Level, levels_of, units_of
from evenhand.auditors.robustness.gaps import (
    Contrast,
    Gap,
    Member,
    aligned,
    members_of,
    pooled_difference,
    within_class,
)


@dataclass(frozen=True)
class Question:
    """One gap of one attribute: its family of comparisons, and whether it decides."""

    name: str
    attribute: str
    levels: tuple[Level, ...]
    members: tuple[Member, ...]
    decides: bool
    aligned: bool
    impossible: str | None = None


def questions(data: ImageData, attribute: str, attacked: Attacked, seed: int) -> list[Question]:
    """Aligned (two classes and two groups), within class, marginal, and on originally correct pictures only."""
    levels = tuple(level for level in levels_of(data, attribute) if level.comparable)
    classes = len(data.classes)
    two_by_two = classes == 2 and len(levels) == 2
    deciding = aligned(classes) if two_by_two else within_class(classes)
    robust = attacked.outcome.robust(attacked.eps)
    everything = _table(data, attribute, levels, robust, np.ones(len(data), dtype=bool))
    correct = _table(data, attribute, levels, robust, attacked.subjects.correct)
    asked: list[tuple[str, UnitTable, list[Contrast], bool]] = [
        *([("aligned", everything, deciding, True)] if two_by_two else []),
        ("within_class", everything, within_class(classes), not two_by_two),
        ("marginal", everything, [Contrast(pooled_difference)], False),
        ("correct_only", correct, deciding, False),
    ]
    return [
        Question(
            name=name,
            attribute=attribute,
            levels=levels,
            members=tuple(members_of(table, levels, contrasts, seed=seed, name=f"{name} of {attribute}")),
            decides=decides,
            aligned=two_by_two and name in ("aligned", "correct_only"),
            impossible=_impossible(attribute, levels),
        )
        for name, table, contrasts, decides in asked
    ]


def _impossible(attribute: str, levels: Sequence[Level]) -> str | None:
    if len(levels) >= 2:
        return None
    only = f"'{levels[0].text}'" if levels else "only missing values"
    return f"'{attribute}' has fewer than two groups to compare ({only})"


def _table(
    data: ImageData, attribute: str, levels: Sequence[Level], robust: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> UnitTable:
    codes, texts = data.attributes[attribute]
    column = np.full(len(texts), -1, dtype=np.int64)
    for index, level in enumerate(levels):
        column[level.code] = index
    return unit_table(
        robust,
        unit=units_of(data),
        label=data.label.astype(np.int64),
        group=np.where(chosen, column[codes], -1),
        classes=len(data.classes),
        groups=len(levels),
    )


def overruled(gap: Gap, question: Question, attacked: Attacked, masking: Masking) -> Gap:
    """The gap, with the reasons that overrule its numbers."""
    if question.impossible:
        return replace(gap, verdict="not_assessed", reason=question.impossible)
    if gap.estimate is None:
        return gap
    if masking.suspected:
        struck = ", ".join(check.name for check in masking.checks if check.suspected)
        return replace(gap, verdict="not_assessed", reason=f"gradient masking suspected ({struck})")
    if not informative(attacked.overall):
        side = "floor" if attacked.overall < FLOOR else "ceiling"
        reason = (
            f"overall robust accuracy is {attacked.overall:.2f} at every size of the run that could decide: at the "
            f"{side} a gap cannot show; choose a {'smaller' if side == 'floor' else 'larger'} eps"
        )
        return replace(gap, verdict="not_informative", reason=reason)
    return gap
