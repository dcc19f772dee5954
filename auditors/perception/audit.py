"""The perception audit: does the network decide by the group? Checks that decide, and panels that only show."""

from collections.abc import Sequence

import numpy as np

from evenhand.auditors.perception.checks import (
    CLASS_GAP_TOLERANCE,
    PAIRED_TOLERANCE,
    class_gap,
    finding,
    paired_counterfactual,
    row,
)
from evenhand.auditors.perception.panels import panels
from evenhand.auditors.protocols import ImageClassifier, Progress, silent
from evenhand.auditors.report import Finding, Perception
from evenhand.auditors.robustness.data import ImageData, describe_units, levels_of, unit_interval, validate
from evenhand.auditors.robustness.scores import BATCH_SIZE, gives_gradients, probabilities
from evenhand.auditors.verdict import Gate


def audit_perception(
    data: ImageData,
    classifier: ImageClassifier,
    *,
    attributes: Sequence[str],
    seed: int,
    gate: Gate = Gate.PROOF,
    device: str = "cpu",
    paired_tolerance: float = PAIRED_TOLERANCE,
    class_gap_tolerance: float = CLASS_GAP_TOLERANCE,
    progress: Progress = silent,
    batch_size: int = BATCH_SIZE,
) -> tuple[Perception, list[Finding]]:
    """Ask whether decisions turn with the group, and show what the network looks for.

    Args:
        data: the pictures; counterparts are pictures of one `pair`.
        classifier: its `module`, where it has one, shows its first filters; dreams need `logits`.
        attributes: columns of `data.attributes`.
        seed: of every random choice.
        gate: of both checks of each attribute.
        device: where torch computes.
        paired_tolerance: smallest net flip that counts.
        class_gap_tolerance: smallest class-conditional gap that counts.
        progress: called with the fraction done.
        batch_size: pictures a call.

    Returns:
        The part of the report, and two findings an attribute.

    Raises:
        UnfitData, LengthMismatch, UnknownAttribute: see `evenhand.auditors.robustness.data.validate`.

    Source: METHODS section 6.
    """
    validate(data, classifier, attributes)
    progress(0.0, "reading the pictures")
    scores = probabilities(classifier, unit_interval(data.images), batch_size=batch_size)
    prediction = scores.argmax(axis=1).astype(np.int64)
    answers = []
    for index, attribute in enumerate(attributes):
        progress(0.1 + 0.4 * index / len(attributes), f"comparing counterparts by {attribute}")
        answers.append(paired_counterfactual(data, attribute, prediction, tolerance=paired_tolerance, seed=seed))
        answers.append(class_gap(data, attribute, prediction, tolerance=class_gap_tolerance, seed=seed))
    progress(0.5, "looking inside the network")
    report = Perception(
        checks=[row(answer) for answer in answers],
        panels=panels(classifier, device=device, seed=seed),
        notes=_notes(data, classifier, attributes),
    )
    progress(1.0, "perception done")
    return report, [finding(answer, gate=gate) for answer in answers]


def _notes(data: ImageData, classifier: ImageClassifier, attributes: Sequence[str]) -> list[str]:
    notes = [
        "Units: " + describe_units(data) + ".",
        "Not run: dream, dream_drift, tcav, cue_conflict, style_swap and learning_curves are not part of this version.",
    ]
    if data.unit is None and data.pair is not None:
        notes.append("Without a unit column each pair of counterparts is its own unit in the paired counterfactual.")
    if not gives_gradients(classifier):
        notes.append("The classifier gives no gradients: no dreams can be shown.")
    if getattr(classifier, "module", None) is None:
        notes.append("The classifier shows no weights: no filters can be shown.")
    for attribute in attributes:
        unknown = sum(level.n for level in levels_of(data, attribute) if level.text is None)
        if unknown:
            notes.append(f"{unknown:,} pictures have no {attribute}: left out of comparisons.")
    return notes
