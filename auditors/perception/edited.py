"""The paired counterfactual of an edit: the same picture with a warm and a cool background. Which edits there are: `edits`.

An edit is asked about where the policy names it, or where the pictures themselves show just two of its values.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from evenhand.auditors.perception.budget import Step
from evenhand.auditors.perception.checks import PAIRED_TOLERANCE, Answer, paired_counterfactual
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import of_edit, rows_to_edit, values_of
from evenhand.auditors.perception.edits import EDITS, Edit, Value
from evenhand.auditors.robustness.data import ImageData, units_of


def edited_counterfactuals(context: Context) -> Iterator[Answer]:
    """Net flip between the two values of each edit; the attribute of the answer is "edit: NAME"."""
    tolerance = context.tolerance("paired_counterfactual", PAIRED_TOLERANCE)
    for edit, values in _asked(context):
        yield _counterfactual(context, edit, values, tolerance)


def queries_of_edits(context: Context) -> Iterator[Step]:
    """Each picture that is edited, with both values."""
    for edit, values in _asked(context):
        yield Step(_step(edit), 2 * len(rows_to_edit(context, edit, values)))


def _asked(context: Context) -> Iterator[tuple[Edit, tuple[Value, Value]]]:
    for edit in EDITS.values():
        values = values_of(context, edit)
        if len(values) == 2 or edit.name in context.edits:
            yield edit, (values[0], values[1]) if len(values) == 2 else edit.values


def _step(edit: Edit) -> str:
    return f"the edit '{edit.name}'"


def _counterfactual(context: Context, edit: Edit, values: tuple[Value, Value], tolerance: float) -> Answer:
    name = f"edit: {edit.name}"
    if (refusal := context.plan.refusal(_step(edit))) is not None:
        return Answer("paired_counterfactual", name, tolerance, "not_assessed", refusal)
    subjects = of_edit(context, edit, values)
    if subjects is None:
        return Answer("paired_counterfactual", name, tolerance, "not_assessed", f"no picture has {edit.needs}")
    count = len(subjects.row)
    twice = np.concatenate([subjects.row, subjects.row])
    data: ImageData = replace(
        context.data,
        images=context.data.images[twice],
        label=context.data.label[twice],
        attributes={name: (np.repeat([0, 1], count).astype(np.int32), subjects.values)},
        unit=units_of(context.data)[twice].astype(np.int32),
        pair=np.tile(np.arange(count, dtype=np.int32), 2),
        ids=np.arange(2 * count, dtype=np.int64),
    )
    return paired_counterfactual(data, name, subjects.decision.T.reshape(-1), tolerance=tolerance, seed=context.seed)
