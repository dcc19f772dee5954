"""The perception audit: does the network decide by the group? Checks that decide, and panels that only show."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

import numpy as np

from evenhand.auditors.perception.budget import DECISIONS, UNPLANNED, Step, planned
from evenhand.auditors.perception.checks import (
    CLASS_GAP_TOLERANCE,
    PAIRED_TOLERANCE,
    Answer,
    Name,
    class_gap,
    finding,
    paired_counterfactual,
    row,
)
from evenhand.auditors.perception.concepts import tcav
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import CUE_TOLERANCE, cue_conflict, queries_of_cues
from evenhand.auditors.perception.dreaming import dreams_and_drift
from evenhand.auditors.perception.edited import edited_counterfactuals, queries_of_edits
from evenhand.auditors.perception.learning import learning_curves
from evenhand.auditors.perception.panels import cannot_show, panels, queries_of_panels
from evenhand.auditors.perception.records import LearningRecord
from evenhand.auditors.perception.style import queries_of_styles, style_swap
from evenhand.auditors.protocols import ImageClassifier, Progress, silent
from evenhand.auditors.report import Finding, Panel, Perception, PerceptionCheck
from evenhand.auditors.robustness.data import ImageData, describe_units, levels_of, unit_interval, validate
from evenhand.auditors.robustness.scores import BATCH_SIZE, probabilities
from evenhand.auditors.verdict import Gate

Check = Callable[[Context], Iterator[Answer]]
"""Answers one question about every attribute of the run."""


def _paired_counterfactual(context: Context) -> Iterator[Answer]:
    tolerance = context.tolerance("paired_counterfactual", PAIRED_TOLERANCE)
    for attribute in context.attributes:
        yield paired_counterfactual(context.data, attribute, context.prediction, tolerance=tolerance, seed=context.seed)


def _class_gap(context: Context) -> Iterator[Answer]:
    tolerance = context.tolerance("class_gap", CLASS_GAP_TOLERANCE)
    for attribute in context.attributes:
        yield class_gap(context.data, attribute, context.prediction, tolerance=tolerance, seed=context.seed)


_CHECKS: tuple[tuple[str, Check], ...] = (
    ("comparing counterparts", _paired_counterfactual),
    ("comparing groups within each class", _class_gap),
    ("dreaming of each class", dreams_and_drift),
    ("looking for the groups in the middle layer", tcav),
    ("setting cues against shapes", cue_conflict),
    ("editing pictures", edited_counterfactuals),
    ("swapping styles", style_swap),
    ("reading how each group was learned", learning_curves),
)
"""What is being done, in words for the progress display, and the check; in the order of the report."""

_OF_DECISIONS: tuple[tuple[Name, Check, float | None], ...] = (
    ("paired_counterfactual", _paired_counterfactual, PAIRED_TOLERANCE),
    ("class_gap", _class_gap, CLASS_GAP_TOLERANCE),
    ("tcav", tcav, None),
    ("cue_conflict", cue_conflict, CUE_TOLERANCE),
    ("paired_counterfactual", edited_counterfactuals, PAIRED_TOLERANCE),
    ("style_swap", style_swap, None),
)
"""Checks that stand on what the classifier says of the pictures themselves, with their usual tolerances."""


def audit_perception(
    data: ImageData,
    classifier: ImageClassifier,
    *,
    attributes: Sequence[str],
    seed: int,
    gate: Gate = Gate.PROOF,
    device: str = "cpu",
    tolerances: Mapping[str, float] | None = None,
    edits: Sequence[str] = (),
    learning: LearningRecord | None = None,
    progress: Progress = silent,
    batch_size: int = BATCH_SIZE,
    queries: int | None = None,
) -> tuple[Perception, list[Finding]]:
    """Ask whether decisions turn with the group, and show what the network looks for.

    Args:
        data: the pictures; counterparts are pictures of one `pair`.
        classifier: its `module`, where it has one, shows its first filters; dreams need `logits`.
        attributes: columns of `data.attributes`.
        seed: of every random choice.
        gate: of every check of each attribute.
        device: where torch computes.
        tolerances: by name of check the smallest effect that counts; a check that is not named keeps its default.
        edits: names in `evenhand.auditors.perception.edits` to make counterfactuals with; without them only a
            background that the pictures themselves show warm and cool is asked about, and ink of several hues.
        learning: the trainer's record of the classifier, for the curves by group; None: they are not assessed.
        progress: called with the fraction done.
        batch_size: pictures a call.
        queries: pictures that the classifier is asked about in all, at most; what does not fit is not assessed. None: all
            there are to ask.

    Returns:
        The part of the report, and a finding for each check of each attribute.

    Raises:
        UnfitData, LengthMismatch, UnknownAttribute: see `evenhand.auditors.robustness.data.validate`.

    Source: METHODS section 6.
    """
    validate(data, classifier, attributes)
    progress(0.0, "reading the pictures")
    context = _decided(
        Context(
            data=data,
            classifier=classifier,
            attributes=tuple(attributes),
            scores=np.empty((0, len(data.classes))),
            prediction=np.empty(0, dtype=np.int64),
            seed=seed,
            device=device,
            batch_size=batch_size,
            tolerances=tolerances or {},
            edits=tuple(edits),
            learning=learning,
        ),
        queries,
    )
    answers = _answers(context, progress)

    def drawing(fraction: float, message: str) -> None:
        progress(0.8 + 0.2 * fraction, message)

    report = Perception(
        checks=[row(answer) for answer in answers],
        panels=[panel for answer in answers for panel in _beside(answer)] + panels(context, drawing),
        notes=_notes(context, {answer.name for answer in answers}),
    )
    progress(1.0, "perception done")
    return report, [finding(answer, gate=gate) for answer in answers]


def _decided(context: Context, queries: int | None) -> Context:
    """The context with its plan, and with what the classifier says of the pictures, where the plan allows that."""
    plan = UNPLANNED if queries is None else planned(_steps(context), limit=queries)
    context = replace(context, plan=plan)
    if plan.refuses(DECISIONS):
        return context
    pictures = unit_interval(context.data.images)
    scores = probabilities(context.classifier, pictures, batch_size=context.batch_size)
    return replace(context, scores=scores, prediction=scores.argmax(axis=1).astype(np.int64))


def _steps(context: Context) -> Iterator[Step]:
    """Everything that is asked, in the order of what decides first: checks, then what supports, then what only shows."""
    yield Step(DECISIONS, len(context.data))
    yield from queries_of_edits(context)
    yield from queries_of_cues(context)
    yield from queries_of_styles(context)
    yield from queries_of_panels(context)


def _answers(context: Context, progress: Progress) -> list[Answer]:
    """Every check on every attribute; those of one attribute stand together, in the order of `_CHECKS`."""
    answers = []
    for index, (doing, check) in enumerate(_CHECKS):
        progress(0.1 + 0.7 * index / len(_CHECKS), doing)
        answers += list(_without_decisions(context, check) if context.plan.refuses(DECISIONS) else check(context))
    place = {attribute: index for index, attribute in enumerate(context.attributes)}
    return sorted(answers, key=lambda answer: place.get(answer.attribute, len(place)))


def _without_decisions(context: Context, check: Check) -> Iterator[Answer]:
    """A check where the classifier was not asked about the pictures: not assessed, unless it needs no decisions."""
    of_decisions = [(name, usual) for name, one, usual in _OF_DECISIONS if one is check]
    if not of_decisions:
        yield from check(context)
        return
    ((name, usual),) = of_decisions
    tolerance = None if usual is None else context.tolerance(name, usual)
    edited = check is edited_counterfactuals
    for about in [f"edit: {edit}" for edit in context.edits] if edited else context.attributes:
        yield Answer(name, about, tolerance, "not_assessed", context.plan.refusal(DECISIONS))


def _beside(answer: Answer) -> list[Panel]:
    """The pictures of a check, which say whose they are."""
    return [panel.model_copy(update={"check": answer.name, "attribute": answer.attribute}) for panel in answer.panels]


def _notes(context: Context, answered: Collection[str]) -> list[str]:
    data = context.data
    notes = ["Units: " + describe_units(data) + ".", *context.plan.in_words()]
    absent = [name for name in get_args(PerceptionCheck.model_fields["name"].annotation) if name not in answered]
    if absent:
        notes.append(f"Not run: {', '.join(absent)}.")
    if data.unit is None and data.pair is not None:
        notes.append("Without a unit column each pair of counterparts is its own unit in the paired counterfactual.")
    notes += cannot_show(context)
    for attribute in context.attributes:
        unknown = sum(level.n for level in levels_of(data, attribute) if level.text is None)
        if unknown:
            notes.append(f"{unknown:,} pictures have no {attribute}: left out of comparisons.")
    return notes
