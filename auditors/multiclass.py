"""More than two classes: every class against the rest, by group, and how far groups lie apart on each class.

The check of the class that is named positive belongs in `disparity`; nothing here counts for the gate.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counting.confusion import ConfusionTable
from evenhand.auditors.counts import CountTable, GroupCounts
from evenhand.auditors.disparity.groups import LEVEL, group_results
from evenhand.auditors.intervals import (
    difference_interval,
    normal_quantile,
    score_z_difference,
    tukey_p_value,
    tukey_z,
    wilson,
)
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.policy import SMALL_GROUP_ROWS, intersection
from evenhand.auditors.report import ClassGap, ClassGroups, ClassResult, Estimate, GroupAccuracy, Multiclass
from evenhand.auditors.verdict import Verdict
from evenhand.auditors.words import group_name, number, span, spoken

SHOWN = tuple(COUNT_METRICS[name] for name in ("selection_rate", "true_positive_rate", "precision", "accuracy"))
COMPARED = COUNT_METRICS["true_positive_rate"]
MOST_ROWS_LISTED = 2_000
"""Of groups times classes by one attribute or intersection; beyond it the intersection is left out, and a note says so."""

Floats = NDArray[np.float64]


def audit_multiclass(
    table: ConfusionTable,
    *,
    label: str,
    prediction: str,
    favourable: str | None,
    depth: int = 1,
    tolerance: float = 0.1,
    alpha: float = 0.05,
) -> Multiclass:
    """Rates of every class by group, and the largest gap between two groups on each class.

    Args:
        table: counts over all sensitive attributes.
        label, prediction: how the columns are called.
        favourable: the class that helps the person, as text; None where none of them is declared to.
        depth: most attributes in one intersection.
        tolerance: a gap up to this is tolerated.
        alpha: error of all classes together on one attribute, held by Holm; within a class Tukey's z holds all pairs.

    Source: Holm (1979), Scandinavian Journal of Statistics 6; Miettinen and Nurminen (1985).
    """
    chosen, notes = _attribute_sets(table, depth)
    one_vs_rest = [table.one_vs_rest(index) for index in range(len(table.classes))]
    return Multiclass(
        classes=list(table.classes),
        favourable=favourable,
        label=label,
        prediction=prediction,
        confusion=table.overall.astype(np.float64).tolist(),
        level=1 - alpha,
        tolerance=tolerance,
        accuracy=[each for attributes in chosen for each in _accuracies(table.right_or_wrong(), attributes)],
        by_class=[
            _class_result(name, counts, chosen, is_favourable=name == favourable)
            for name, counts in zip(table.classes, one_vs_rest, strict=True)
        ],
        gaps=[
            gap
            for attributes in chosen
            for gap in _gaps(table.classes, [counts.of(*attributes) for counts in one_vs_rest], tolerance, alpha)
        ],
        notes=notes,
    )


def _attribute_sets(table: ConfusionTable, depth: int) -> tuple[list[tuple[str, ...]], list[str]]:
    chosen, notes = [], []
    sizes = dict(zip(table.attributes, map(len, table.values), strict=True))
    for count in range(1, max(1, min(depth, len(table.attributes))) + 1):
        for attributes in combinations(table.attributes, count):
            listed = int(np.prod([sizes[name] for name in attributes], dtype=np.int64)) * len(table.classes)
            if count == 1 or listed <= MOST_ROWS_LISTED:
                chosen.append(attributes)
            else:
                notes.append(
                    f"{intersection(*attributes)} is left out: {listed:,} groups by class are too many to list."
                )
    return chosen, notes


def _accuracies(table: CountTable, attributes: tuple[str, ...]) -> list[GroupAccuracy]:
    counts = table.of(*attributes)
    right, total = COUNT_METRICS["selection_rate"].fraction(counts.effective)
    bounds = wilson(right, total, z=normal_quantile((1 + LEVEL) / 2))
    value = COUNT_METRICS["selection_rate"].value(counts.cells)
    return [
        GroupAccuracy(
            attribute=counts.name,
            group=group,
            n=int(counts.rows[i]),
            accuracy=Estimate(estimate=None, reason="the group's rows weigh nothing")
            if np.isnan(value[i])
            else Estimate(estimate=float(value[i]), low=float(bounds.low[i]), high=float(bounds.high[i])),
        )
        for i, group in enumerate(counts.groups)
    ]


def _class_result(name: str, table: CountTable, chosen: list[tuple[str, ...]], *, is_favourable: bool) -> ClassResult:
    everyone = table.overall().cells[0]
    return ClassResult(
        name=name,
        favourable=is_favourable,
        labelled=float(everyone[1].sum()),
        predicted=float(everyone[:, 1].sum()),
        attributes=[
            ClassGroups(
                attribute=intersection(*attributes),
                groups=group_results(table.of(*attributes), SHOWN, small_rows=SMALL_GROUP_ROWS, has_labels=True),
            )
            for attributes in chosen
        ],
    )


@dataclass(frozen=True)
class _Class:
    """The pairs of groups that can be compared on one class, higher rate first; `p` is that of its surest pair."""

    name: str
    counts: GroupCounts
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    gap: Floats
    groups: int
    lacking: int
    p: float


def _gaps(classes: tuple[str, ...], counts: list[GroupCounts], tolerance: float, alpha: float) -> list[ClassGap]:
    """One a class in the order of the classes; intervals and levels are those of the step at which Holm decides it."""
    compared = [_compared(name, each, tolerance) for name, each in zip(classes, counts, strict=True)]
    order = sorted(range(len(compared)), key=lambda i: compared[i].p)
    answers: dict[int, ClassGap] = {}
    adjusted, standing = 0.0, True
    for step, index in enumerate(order):
        remaining = len(order) - step
        adjusted = max(adjusted, min(1.0, remaining * compared[index].p))
        gap = _answer(compared[index], tolerance, level=1 - alpha / remaining, adjusted=adjusted, standing=standing)
        standing = standing and gap.verdict is Verdict.PROVEN_DISPARITY
        answers[index] = gap
    return [answers[index] for index in range(len(compared))]


def _compared(name: str, counts: GroupCounts, tolerance: float) -> _Class:
    x, n = COMPARED.fraction(counts.effective)
    known = ~counts.unknown & (counts.rows >= SMALL_GROUP_ROWS)
    members = np.flatnonzero(known & (n > 0))
    i, j = np.triu_indices(len(members), 1)
    first, second = members[i], members[j]
    rate = COMPARED.value(counts.cells)
    swap = rate[first] < rate[second]
    first, second = np.where(swap, second, first), np.where(swap, first, second)
    z = score_z_difference(x[first], n[first], x[second], n[second], tolerance)
    return _Class(
        name=name,
        counts=counts,
        first=first,
        second=second,
        gap=rate[first] - rate[second],
        groups=len(members),
        lacking=int((known & (n == 0)).sum()),
        p=tukey_p_value(float(z.max()), len(members)) if len(z) else 1.0,
    )


def _answer(one: _Class, tolerance: float, *, level: float, adjusted: float, standing: bool) -> ClassGap:
    shared = ClassGap(
        name=one.name,
        attribute=one.counts.name,
        metric=COMPARED.name,
        estimate=None,
        level=level,
        tolerance=tolerance,
        p_value=adjusted,
        verdict=Verdict.INCONCLUSIVE,
        message="",
    )
    if not len(one.gap):
        why = f"fewer than two groups of {SMALL_GROUP_ROWS} rows or more have rows of this class: nothing can be said."
        return shared.model_copy(update={"message": f"'{one.name}' by {one.counts.name}: {why}"})
    x, n = COMPARED.fraction(one.counts.effective)
    z = tukey_z(one.groups, level=level)
    bounds = difference_interval(x[one.first], n[one.first], x[one.second], n[one.second], z=z)
    # the surest pair where a gap is proven, else the widest
    at = int(np.argmax(bounds.low if bounds.low.max() > tolerance else one.gap))
    proven = standing and bounds.low[at] > tolerance
    gap = shared.model_copy(
        update={
            "group": one.counts.groups[one.first[at]],
            "reference": one.counts.groups[one.second[at]],
            "estimate": float(one.gap[at]),
            "low": float(bounds.low[at]),
            "high": float(bounds.high[at]),
            "verdict": Verdict.PROVEN_DISPARITY if proven else Verdict.INCONCLUSIVE,
        }
    )
    return gap.model_copy(update={"message": _message(gap, one, at)})


def _message(gap: ClassGap, one: _Class, at: int) -> str:
    rate = COMPARED.value(one.counts.cells)
    said = (
        f"'{gap.name}' by {gap.attribute}: {spoken(gap.metric)} {number(rate[one.first[at]])} for {group_name(gap.group)} and "
        f"{number(rate[one.second[at]])} for {group_name(gap.reference)}, a gap of {number(gap.estimate)} "
        f"({span(gap.low, gap.high)})"
    )
    if gap.verdict is Verdict.PROVEN_DISPARITY:
        said += f": more than {number(gap.tolerance)}, which needs a justification."
    else:
        said += f": not shown to be more than {number(gap.tolerance)}."
    if one.lacking:
        said += (
            f" {one.lacking} group{'s' if one.lacking > 1 else ''} without rows of this class could not be compared."
        )
    return said
