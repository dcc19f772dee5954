"""Learning curves by class and group: does training leave a cell behind that the overall accuracy hides?

The record is the trainer's own, of rows it held out; the audit's pictures are not needed.

Source: Sagawa, Koh, Hashimoto and Liang (2020), ICLR, "Distributionally robust neural networks for group shifts".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evenhand.auditors.intervals import difference_interval, normal_quantile
from evenhand.auditors.perception.checks import Answer
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.records import LearnedCell, LearningRecord
from evenhand.auditors.report import Panel, PanelCurve
from evenhand.auditors.robustness.clusters import Interval
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.gaps import EQUIVALENCE_LEVEL, TEST_LEVEL
from evenhand.auditors.verdict import Rule

LEARNING_TOLERANCE = 0.15
MOST_CURVES = 8

NAME: Literal["learning_curves"] = "learning_curves"
NO_RECORD = (
    "the model file has no record of its training; evenhand writes one into models that it trains, "
    "with curves by group where `sensitive` names the column"
)


@dataclass(frozen=True)
class Lag:
    """How far one cell stays behind all rows held out, as a fraction; positive where it is worse."""

    cell: LearnedCell
    estimate: float
    interval: Interval
    equivalence: Interval


def learning_curves(context: Context) -> Iterator[Answer]:
    """One answer an attribute: the accuracy of all held-out rows less that of the worst class × group cell.

    FLAG where an interval at .99 over all cells lies wholly beyond the tolerance; PASS where every cell is shown to be
    within it; WATCH where the worst cell alone is beyond it.
    """
    tolerance = context.tolerance(NAME, LEARNING_TOLERANCE)
    for attribute in context.attributes:
        yield answer_of(context.learning, attribute, tolerance=tolerance)


def answer_of(record: LearningRecord | None, attribute: str, *, tolerance: float) -> Answer:
    """The answer about one attribute; not assessed where the record does not hold its cells."""
    cells = [] if record is None else [cell for cell in record.held_out(attribute) if cell.group is not None]
    if record is None or len(cells) < 2:
        return Answer(NAME, attribute, tolerance, "not_assessed", _why_not(record, attribute, cells))
    lags = lags_of(record, cells)
    worst = max(lags, key=lambda lag: lag.estimate)
    surest = max(lags, key=lambda lag: lag.interval.low)
    interval = Interval(surest.interval.low, max(lag.interval.high for lag in lags))
    equivalence = Interval(
        max(lag.equivalence.low for lag in lags), min(1.0, max(lag.equivalence.high for lag in lags))
    )
    proven = interval.low > tolerance
    within = -tolerance < equivalence.low and equivalence.high < tolerance
    decides = surest if proven else worst
    reason = None
    if not proven and not within and worst.estimate >= tolerance:
        reason = f"watch: {_name(worst.cell)} stays behind, and its {worst.cell.n} rows are too few to prove it"
    return Answer(
        NAME,
        attribute,
        tolerance,
        "proven_disparity" if proven else "proven_within" if within else "inconclusive",
        reason,
        direction=f"{_name(decides.cell)} is learned worst" if decides.estimate > 0 else None,
        estimate=decides.estimate,
        interval=interval,
        equivalence=equivalence,
        second=Level(code=0, text=decides.cell.group, n=decides.cell.n),
        detail={
            "class": decides.cell.label,
            "accuracy_of_cell": decides.cell.accuracy(record.best),
            "rows_of_cell": decides.cell.n,
            "accuracy_of_all": record.accuracy,
            "rows_held_out": record.rows,
            "cells": len(cells),
            "epoch": record.epochs[record.best],
            "held_out": record.split,
        },
        rule=Rule.INTERVAL,
        panels=(chart(record, attribute),),
    )


def lags_of(record: LearningRecord, cells: Sequence[LearnedCell]) -> list[Lag]:
    """The lag of every cell, with intervals that hold over all of them.

    A cell is part of all rows, so it is compared with the others and the difference scaled by their share:
    accuracy(all) - accuracy(cell) = (1 - n_cell / n) * (accuracy(others) - accuracy(cell)).
    """
    n = np.array([cell.n for cell in cells], dtype=np.float64)
    right = np.array([cell.right[record.best] for cell in cells], dtype=np.float64)
    others, others_right = record.rows - n, record.right - right
    share = others / record.rows
    estimate = share * (others_right / np.maximum(others, 1) - right / n)
    z = normal_quantile(1 - (1 - TEST_LEVEL) / (2 * len(cells)))
    one_sided = normal_quantile((1 + EQUIVALENCE_LEVEL) / 2)
    wide = difference_interval(others_right, others, right, n, z=z)
    narrow = difference_interval(others_right, others, right, n, z=one_sided)
    return [
        Lag(
            cell,
            float(estimate[index]),
            Interval(float(share[index] * wide.low[index]), float(share[index] * wide.high[index])),
            Interval(float(share[index] * narrow.low[index]), float(share[index] * narrow.high[index])),
        )
        for index, cell in enumerate(cells)
    ]


def chart(record: LearningRecord, attribute: str) -> Panel:
    """Held-out accuracy by epoch of each cell, the largest cells first where there are many."""
    cells = [cell for cell in record.held_out(attribute) if cell.group is not None]
    drawn = sorted(cells, key=lambda cell: -cell.n)[:MOST_CURVES]
    epochs = [float(epoch) for epoch in record.epochs]
    return Panel(
        name="learning_curves",
        title=f"How well each class and {attribute} was learned",
        text=(
            "After every pass over the training pictures the network was tried on pictures it does not learn from. "
            "Each line is one class in one group: lines that end together were learned alike, a line that stays low "
            f"was left behind. The weights kept are those after epoch {record.epochs[record.best]}."
            + (f" Drawn are the {len(drawn)} largest of {len(cells)} cells." if len(drawn) < len(cells) else "")
        ),
        limits=(
            "The pictures held out in training are few, so a line jumps by chance; the interval beside the verdict says "
            "how far. Each row counts as independent: where several show one person, the interval is too narrow. "
            "A line says how well a group was learned, and not why."
        ),
        axes="accuracy on held-out rows by epoch",
        curves=[
            PanelCurve(name=_name(cell), x=epochs, y=[round(count / cell.n, 6) for count in cell.right])
            for cell in cells
            if cell in drawn
        ],
        table=[
            {
                "class and group": _name(cell),
                "rows held out": cell.n,
                "classified rightly": cell.right[record.best],
                "accuracy": round(cell.accuracy(record.best), 4),
                "mean log loss": round(cell.loss[record.best], 4),
            }
            for cell in record.held_out(attribute)
        ],
    )


def _name(cell: LearnedCell) -> str:
    return f"{'missing' if cell.group is None else cell.group}, {cell.label}"


def _why_not(record: LearningRecord | None, attribute: str, cells: Sequence[LearnedCell]) -> str:
    if record is None:
        return NO_RECORD
    if record.rows == 0:
        return "no rows were held out in training, so nothing says how well each group was learned"
    if not cells:
        return f"the record of training has no curves by '{attribute}'; train with `sensitive` naming it"
    return f"only one class and value of '{attribute}' was held out in training: nothing to compare"
