"""The robustness audit: attacks, accuracy by group, gaps, verdicts. Each step has its own file; this composes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evenhand.auditors.policy import Norm
from evenhand.auditors.protocols import ImageClassifier, Progress, silent
from evenhand.auditors.report import Finding, Masking, PictureResults, Robustness, RobustnessGroup
from evenhand.auditors.robustness.attacked import Attacked, sizes_for
from evenhand.auditors.robustness.ball import BALLS
from evenhand.auditors.robustness.blind import random_pictures
from evenhand.auditors.robustness.budget import UNLIMITED, Budget, drawn_in_words
from evenhand.auditors.robustness.corrupted import corruption_report, under_corruption
from evenhand.auditors.robustness.data import ImageData, describe_units, levels_of, validate
from evenhand.auditors.robustness.draws import calls_differ, draws_of, steadied
from evenhand.auditors.robustness.ensemble import Strength
from evenhand.auditors.robustness.examples import examples_panel
from evenhand.auditors.robustness.findings import finding_of, gap_row
from evenhand.auditors.robustness.limits import limits_in_words
from evenhand.auditors.robustness.masking import Setting
from evenhand.auditors.robustness.measured import Measured, beside, measure
from evenhand.auditors.robustness.rates import group_rows
from evenhand.auditors.robustness.scores import BATCH_SIZE, probabilities
from evenhand.auditors.robustness.words import size_in_words
from evenhand.auditors.verdict import Gate

MOST_PICTURES = 5000
"""Pictures whose results the report has one by one."""


def audit_robustness(
    data: ImageData,
    classifier: ImageClassifier,
    *,
    attributes: Sequence[str],
    norms: Sequence[Norm] = ("linf",),
    eps: Sequence[float] | None = None,
    eps_l2: Sequence[float] | None = None,
    thorough: bool = False,
    device: str = "cpu",
    seed: int,
    gate: Gate = Gate.PROOF,
    tolerance: float = 0.10,
    corruption_tolerance: float = 0.10,
    level: float = 0.95,
    progress: Progress = silent,
    batch_size: int = BATCH_SIZE,
    budget: Budget = UNLIMITED,
) -> tuple[Robustness, list[Finding]]:
    """Attack every picture, and ask whether the pictures of one group are easier to fool than those of another.

    Args:
        data: the pictures, their labels and groups.
        classifier: white-box attacks run where it has `logits`, else random noise and Square, or RayS (in L2
            SurFree) in place of Square where its probabilities are all 0 or 1.
        attributes: columns of `data.attributes` to compare groups of.
        norms: the first decides, the others are measured beside it.
        eps: largest changes of a channel, fractions of the whole range in (0, 1]; None: 2/255 and 8/255 for colour
            pictures, .06 and .12 for small grey ones. The largest that leaves
            overall robust accuracy at .2 or more decides.
        eps_l2: the same for L2, lengths of the whole change; None: those of L-infinity times .287 times the root of the
            picture's values, which gives .5 for 8/255 and 32 × 32 colours.
        thorough: 100 steps, 5 restarts, 9 targets and 5,000 queries instead of 40, 1, 3 and 200.
        device: where torch computes; the classifier's weights are there.
        seed: of every random choice; with it and the sample ids the result is fixed.
        gate: of the deciding finding of each attribute; the others have none.
        tolerance: the smallest gap that counts.
        corruption_tolerance: the same for the gap under natural corruptions, which is never gated here.
        level: of the intervals of groups and curves; gaps are decided, and shown, at .99.
        progress: called with the fraction done.
        batch_size: pictures a call; results do not depend on it.
        budget: fewer pictures and queries, for classifiers whose every answer costs.

    Returns:
        The part of the report, and per attribute one deciding finding, the others beside it, and one on corruptions.

    Raises:
        UnfitData, LengthMismatch, UnknownAttribute: see `data.validate`.
        PolicyError: an eps that no change can have.

    Source: METHODS section 5; Nanda (2021), Xu (2021), Croce and Hein (2020).
    """
    validate(data, classifier, attributes)
    whole, data = data, budget.drawn(data, attributes=tuple(attributes), seed=seed)
    sizes: dict[Norm, Sequence[float] | None] = {"linf": eps, "l2": eps_l2}
    for norm in norms:
        sizes_for(data, sizes[norm], norm)
    differ = calls_differ(data, classifier, seed=seed, batch_size=batch_size)
    first = Setting(
        classifier=steadied(classifier, differ),
        strength=budget.applied(Strength.thorough() if thorough else Strength()),
        device=device,
        seed=seed,
        batch_size=batch_size,
        norm=norms[0],
        calls_differ=differ,
    )
    part = 0.9 / len(norms)
    measured, *others = (
        measure(
            data,
            replace(first, norm=norm),
            attributes=attributes,
            eps=sizes[norm],
            tolerance=tolerance,
            progress=_part(progress, index * part, part),
        )
        for index, norm in enumerate(norms)
    )
    findings = [
        finding_of(gap, question, data, eps=measured.eps, norm=first.norm, gate=gate, tolerance=tolerance)
        for gap, question in measured.gaps
    ]
    progress(0.9, "showing corrupted pictures")
    subjects = measured.attacked.subjects
    corrupted = under_corruption(data, subjects, first.classifier, seed=seed, level=level, batch_size=batch_size)
    corruptions, corruption_findings = corruption_report(corrupted, attributes, tolerance=corruption_tolerance)
    report = Robustness(
        attribute_columns=list(attributes),
        units=describe_units(data),
        attack=measured.attack_document(),
        groups=measured.group_documents(attributes, level),
        gaps=[gap_row(gap, question, measured.eps) for gap, question in measured.gaps],
        curves=measured.curve_documents(attributes, level),
        masking=measured.masking,
        other_norms=[beside(other, attributes, level) for other in others],
        corruptions=corruptions,
        distance_ranks=measured.rank_documents(attributes, level),
        pictures=_picture_results(data, measured),
        noise=_noise_rows(data, attributes, measured.attacked, first, level),
        panels=[
            examples_panel(
                data,
                attribute,
                measured.attacked.subjects,
                measured.attacked.outcome,
                measured.sizes,
                classifier=first.classifier,
                eps=measured.eps,
            )
            for attribute in attributes
        ],
        notes=[
            *drawn_in_words(data, whole, budget),
            *_notes(data, attributes, measured.attacked, measured.setting, measured.masking),
        ],
    )
    progress(1.0, "robustness done")
    return report, findings + corruption_findings


def _part(progress: Progress, start: float, share: float) -> Progress:
    return lambda fraction, message: progress(start + share * fraction, message)


def _picture_results(data: ImageData, measured: Measured) -> PictureResults:
    attacked, shown = measured.attacked, slice(0, MOST_PICTURES)
    outcome = attacked.outcome
    return PictureResults(
        ids=data.ids[shown].tolist(),
        correct=attacked.subjects.correct[shown].tolist(),
        robust=outcome.robust(attacked.eps)[shown].tolist(),
        distance=[round(size, 6) if np.isfinite(size) else None for size in measured.sizes[shown].tolist()],
        found_by=[outcome.names[index] if index >= 0 else None for index in outcome.winner[shown].tolist()],
        left_out=max(0, len(data) - MOST_PICTURES),
    )


def _noise_rows(
    data: ImageData, attributes: Sequence[str], attacked: Attacked, setting: Setting, level: float
) -> list[RobustnessGroup]:
    """Accuracy by group under random noise of the deciding size, mean over draws."""
    subjects = attacked.subjects
    draws = [
        random_pictures(
            subjects.clean, subjects.ids, ball=BALLS[setting.norm](attacked.eps), seed=setting.seed, draw=draw
        )
        for draw in range(setting.strength.noise_draws)
    ]
    correct = [
        probabilities(setting.classifier, noisy, batch_size=setting.batch_size).argmax(axis=1) == subjects.label
        for noisy in draws
    ]
    return [
        row
        for attribute in attributes
        for row in group_rows(
            data,
            attribute,
            clean=subjects.correct,
            robust=np.stack(correct),
            sizes=None,
            level=level,
            seed=setting.seed,
        )
        if row.label is None
    ]


def _notes(
    data: ImageData, attributes: Sequence[str], attacked: Attacked, setting: Setting, masking: Masking
) -> list[str]:
    outcome = attacked.outcome
    broken = (outcome.smallest > 0) & (outcome.smallest <= attacked.eps)
    won = {name: int(np.sum(broken & (outcome.winner == index))) for index, name in enumerate(outcome.names)}
    notes = [
        f"Overall robust accuracy is {attacked.overall:.3f} at {size_in_words(attacked.eps, setting.norm)}, "
        "the size that decides; "
        f"clean accuracy is {float(attacked.subjects.correct.mean()):.3f}.",
        "Pictures broken at that size, by the attack that did it first: "
        + (", ".join(f"{name} {count}" for name, count in won.items() if count) or "none")
        + ". Robust accuracy is an upper bound: a stronger attack may break more.",
        f"Random noise and attacks are drawn from seed {setting.seed} and the sample ids, whatever the batches.",
    ]
    if attacked.eps not in attacked.sizes.deciding:
        notes.append("At the default sizes robust accuracy hit floor or ceiling; a size in between decides.")
    if len(attacked.sizes.ascending) > 1 and setting.white:
        notes.append(
            "The size that decides is attacked with the whole ensemble, other points of the curves with one "
            "attack, and there a picture that survives a larger change counts as robust."
        )
    notes += limits_in_words(setting)
    if (draws := draws_of(setting.classifier)) > 1:
        notes.append(
            f"The classifier answers differently each time: every answer is the mean of {draws} calls, attacks climb the "
            "expectation, and another run gives other numbers."
        )
    if masking.suspected:
        notes.append("Gradient masking is suspected: robust accuracy as shown must not be relied on.")
    notes += _levels_in_words(data, attributes)
    return notes


def _levels_in_words(data: ImageData, attributes: Sequence[str]) -> list[str]:
    notes = []
    for attribute in attributes:
        unknown = sum(level.n for level in levels_of(data, attribute) if level.text is None)
        small: Mapping[str, int] = {
            str(level.text): level.n for level in levels_of(data, attribute) if level.comparable and level.small
        }
        if unknown:
            notes.append(f"{unknown:,} pictures have no {attribute}: listed, left out of comparisons.")
        if small:
            listed = ", ".join(f"'{text}' ({n})" for text, n in small.items())
            notes.append(f"Groups of {attribute} under 30 pictures prove nothing: {listed}.")
    return notes
