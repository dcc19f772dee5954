"""Cue conflict: where a cue (tone, background, hue of the ink) speaks for one class and the shape for another, which wins?

The question of style transfer, asked of the network's own decisions. A *subject* is shown once with each value of the
cue: its counterparts where the data hold them, else edits of one picture. Values come from the pictures themselves or
are asked for by name, so that no network is blamed for colours that nobody showed it.

Source: Geirhos, Rubisch, Michaelis, Bethge, Wichmann and Brendel (2019), ICLR, "ImageNet-trained CNNs are biased
towards texture", who call the second share shape bias; here it is conditioned on subjects whose shape can be read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.budget import Step
from evenhand.auditors.perception.checks import Answer, known_levels, one_group
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.edits import EDITS, Edit, Value
from evenhand.auditors.robustness.clusters import BOOTSTRAP_DRAWS, Interval, Spread, generator, none_seen
from evenhand.auditors.robustness.data import Level, unit_interval, units_of
from evenhand.auditors.robustness.gaps import EQUIVALENCE_LEVEL, TEST_LEVEL
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.verdict import Rule

CUE_TOLERANCE = 0.30
FEWEST_CONFLICTS = 30
MOST_DECISIONS = 6000
"""Edited pictures a question; beyond it whole units are left out at random."""


@dataclass(frozen=True)
class Subjects:
    """Decisions about subjects under each value of a cue.

    Attributes:
        decision: shape (subjects, values); -1 where a subject is not shown with that value.
        label, unit: shape (subjects,).
        row: picture that the subject comes from, shape (subjects,).
        values: the values in words.
    """

    decision: NDArray[np.int64]
    label: NDArray[np.int64]
    unit: NDArray[np.int64]
    row: NDArray[np.int64]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Conflicts:
    """What won where cue and shape are at odds, shape (subjects, values) both, and the class that each value draws."""

    cue: NDArray[np.bool_]
    shape: NDArray[np.bool_]
    drawn: tuple[int, ...]

    @property
    def share(self) -> float | None:
        decided = int(self.cue.sum() + self.shape.sum())
        return float(self.cue.sum() / decided) if decided else None


def cue_conflict(context: Context) -> Iterator[Answer]:
    """Cue share of every attribute with counterparts, and of cues that can be edited in these pictures."""
    tolerance = context.tolerance("cue_conflict", CUE_TOLERANCE)
    for attribute in context.attributes:
        levels = known_levels(context.data, attribute)
        if len(levels) < 2:
            yield Answer("cue_conflict", attribute, tolerance, "not_assessed", one_group(attribute, levels))
            continue
        subjects = of_counterparts(context, attribute, levels)
        if subjects is None:
            missing = f"no counterparts show one subject with two values of '{attribute}'; name them as `pair`"
            yield Answer("cue_conflict", attribute, tolerance, "not_assessed", missing)
            continue
        yield answer(context, subjects, attribute, tolerance)
    for edit, values in _edited_cues(context):
        yield _of_edit(context, edit, values, tolerance)


def queries_of_cues(context: Context) -> Iterator[Step]:
    """What the cues that are edited ask; counterparts have been asked about already."""
    for edit, values in _edited_cues(context):
        yield Step(_step(edit), len(values) * len(rows_to_edit(context, edit, values)))


def _edited_cues(context: Context) -> Iterator[tuple[Edit, list[Value]]]:
    for edit in EDITS.values():
        values = values_of(context, edit) if edit.is_cue else []
        if values:
            yield edit, values


def _step(edit: Edit) -> str:
    return f"cue conflict of the edit '{edit.name}'"


def _of_edit(context: Context, edit: Edit, values: Sequence[Value], tolerance: float) -> Answer:
    name = f"edit: {edit.name}"
    if (refusal := context.plan.refusal(_step(edit))) is not None:
        return Answer("cue_conflict", name, tolerance, "not_assessed", refusal)
    subjects = of_edit(context, edit, values)
    if subjects is None:
        return Answer("cue_conflict", name, tolerance, "not_assessed", f"no picture has {edit.needs}")
    return answer(context, subjects, name, tolerance)


def values_of(context: Context, edit: Edit) -> list[Value]:
    """The values a cue takes among the pictures; the usual two where the policy names the edit; else none."""
    images = context.data.images
    own = edit.own_values(images[edit.applies(images)])
    if len(own) >= 2:
        return own
    return list(edit.values) if edit.name in context.edits else []


def of_counterparts(context: Context, attribute: str, levels: Sequence[Level]) -> Subjects | None:
    """Subjects of one pair and label; several pictures of a value are matched in the order of their ids."""
    data = context.data
    if data.pair is None:
        return None
    column = np.full(len(data.attributes[attribute][1]), -1, dtype=np.int64)
    column[[level.code for level in levels]] = np.arange(len(levels))
    value = column[data.attributes[attribute][0]]
    rows = np.flatnonzero(value >= 0)
    rows = rows[np.lexsort((data.ids[rows], value[rows], data.label[rows], data.pair[rows]))]
    cell = np.stack([data.pair[rows], data.label[rows], value[rows]])
    first = np.concatenate([[True], (cell[:, 1:] != cell[:, :-1]).any(axis=0)])
    start = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    key = np.stack([data.pair[rows], data.label[rows], np.arange(len(rows)) - start], axis=1)
    _, example, subject = np.unique(key, axis=0, return_index=True, return_inverse=True)
    subject = subject.reshape(-1)
    decision = np.full((len(example), len(levels)), -1, dtype=np.int64)
    decision[subject, value[rows]] = context.prediction[rows]
    held = (decision >= 0).sum(axis=1) >= 2
    if not held.any():
        return None
    chosen = rows[example][held]
    unit = units_of(data) if data.unit is not None else np.unique(data.pair, return_inverse=True)[1].reshape(-1)
    return Subjects(
        decision[held],
        data.label[chosen].astype(np.int64),
        unit[chosen],
        chosen,
        tuple(str(one.text) for one in levels),
    )


def rows_to_edit(context: Context, edit: Edit, values: Sequence[Value]) -> NDArray[np.int64]:
    """Pictures that the edit applies to; whole units are left out where all values would be over MOST_DECISIONS."""
    rows = np.flatnonzero(edit.applies(context.data.images))
    unit = units_of(context.data)
    order = generator(context.seed, "cue", edit.name).permutation(int(unit.max()) + 1)
    fits = np.cumsum(np.bincount(unit[rows], minlength=len(order))[order]) * len(values) <= MOST_DECISIONS
    fits[0] = True
    return rows[np.isin(unit[rows], order[fits])]


def of_edit(context: Context, edit: Edit, values: Sequence[Value]) -> Subjects | None:
    """Every picture that is edited, with each value; None where the edit applies to none."""
    data, rows = context.data, rows_to_edit(context, edit, values)
    if len(rows) == 0:
        return None
    unit = units_of(data)
    decision = [decided(context, edit.apply(data.images[rows], value)) for value in values]
    return Subjects(
        np.stack(decision, axis=1),
        data.label[rows].astype(np.int64),
        unit[rows],
        rows,
        tuple(value.text for value in values),
    )


def decided(context: Context, images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Class of each edited picture, by the deployed model."""
    scores = probabilities(context.classifier, unit_interval(images), batch_size=context.batch_size)
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def conflicts(subjects: Subjects, *, classes: int, seed: int) -> Conflicts:
    """Which decisions went with the cue, and which with the shape, where the two are at odds.

    A value draws the class whose share of decisions rises most under it, over its mean under all values; that is found
    on one random half of the units and used on the other, so that chance cannot choose its own direction. A subject
    counts where its shape can be read: it is decided as its label under at least one value.
    """
    _, unit = np.unique(subjects.unit, return_inverse=True)
    unit = unit.reshape(-1)
    half = generator(seed, "cue", "halves").permutation(int(unit.max()) + 1)[unit] % 2
    label = subjects.label[:, None]
    readable = (subjects.decision == label).any(axis=1)[:, None]
    drawn = np.zeros((2, subjects.decision.shape[1]), dtype=np.int64)
    for side in (0, 1):
        drawn[side] = drawn_classes(subjects.decision[half != side], classes)
    toward = drawn[half]
    at_odds = readable & (toward != label) & (subjects.decision >= 0)
    return Conflicts(
        cue=at_odds & (subjects.decision == toward),
        shape=at_odds & (subjects.decision == label),
        drawn=tuple(drawn_classes(subjects.decision, classes).tolist()),
    )


def drawn_classes(decision: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """For each value the class whose share of decisions is furthest above its mean over the values."""
    shown = np.maximum((decision >= 0).sum(axis=0), 1)
    shares = np.stack([(decision == code).sum(axis=0) / shown for code in range(classes)], axis=1)
    return np.asarray((shares - shares.mean(axis=0)).argmax(axis=1), dtype=np.int64)


def answer(context: Context, subjects: Subjects, attribute: str, tolerance: float) -> Answer:
    """Proven where the 99 % interval of the cue share over units lies at or above the tolerance."""
    found = conflicts(subjects, classes=len(context.data.classes), seed=context.seed)
    share = found.share
    if share is None:
        nothing = "no subject is decided as its label, so that no shape is read"
        return Answer("cue_conflict", attribute, tolerance, "not_assessed", nothing)
    spread = _spread(found, subjects.unit, share, seed=context.seed, name=attribute)
    interval, equivalence = _above(spread.interval(TEST_LEVEL)), _equivalence(spread)
    count = int(found.cue.sum() + found.shape.sum())
    proven = interval.known and interval.low >= tolerance
    within = equivalence.known and equivalence.high < tolerance
    small = count < FEWEST_CONFLICTS
    place = int(found.cue.sum(axis=0).argmax())
    classes = context.data.classes
    return Answer(
        "cue_conflict",
        attribute,
        tolerance,
        "inconclusive" if small or not (proven or within) else "proven_disparity" if proven else "proven_within",
        f"under {FEWEST_CONFLICTS} conflicting pictures nothing is proven" if small else None,
        direction=f"{subjects.values[place]} → {classes[found.drawn[place]]}" if share else None,
        estimate=share,
        interval=interval if interval.known else None,
        equivalence=equivalence if equivalence.known else None,
        detail=_detail(context, subjects, found, spread.units),
        rule=Rule.INTERVAL,
    )


def _spread(found: Conflicts, unit: NDArray[np.int64], share: float, *, seed: int, name: str) -> Spread:
    """Units with a conflict, drawn with replacement."""
    cue = np.bincount(unit, weights=found.cue.sum(axis=1))
    both = cue + np.bincount(unit, weights=found.shape.sum(axis=1))
    cue, both = cue[both > 0], both[both > 0]
    weights = generator(seed, "cue conflict", name).multinomial(
        len(both), np.full(len(both), 1 / len(both)), size=BOOTSTRAP_DRAWS
    )
    return Spread(estimate=share, draws=(weights @ cue) / (weights @ both), units=len(both))


def _equivalence(spread: Spread) -> Interval:
    """One-sided .95 each way, never narrower than as many units without a single case would leave open."""
    interval = spread.interval(EQUIVALENCE_LEVEL)
    floor = none_seen(spread.units, (1 + EQUIVALENCE_LEVEL) / 2)
    return _above(Interval(min(interval.low, spread.estimate - floor), max(interval.high, spread.estimate + floor)))


def _above(interval: Interval) -> Interval:
    """A share is not below 0."""
    return Interval(max(0.0, interval.low), interval.high) if interval.known else interval


def _detail(context: Context, subjects: Subjects, found: Conflicts, units: int) -> dict[str, float | int | str | None]:
    detail: dict[str, float | int | str | None] = {
        "subjects": len(subjects.label),
        "units": units,
        "cue_decisions": int(found.cue.sum()),
        "shape_decisions": int(found.shape.sum()),
    }
    for place, text in enumerate(subjects.values):
        name = f"cue share of {text} ({context.data.classes[found.drawn[place]]})"
        detail[name] = _share(found.cue[:, place], found.shape[:, place])
    for attribute in context.attributes:
        codes = context.data.attributes[attribute][0][subjects.row]
        for level in known_levels(context.data, attribute):
            if str(level.text) not in subjects.values and (codes == level.code).any():
                held = codes == level.code
                detail[f"cue share among {attribute} {level.text}"] = _share(found.cue[held], found.shape[held])
    return detail


def _share(cue: NDArray[np.bool_], shape: NDArray[np.bool_]) -> float | None:
    decided = int(cue.sum() + shape.sum())
    return float(cue.sum() / decided) if decided else None
