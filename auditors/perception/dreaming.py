"""The checks `dream` and `dream_drift`: whether what a network sees in a class leans to a group, by two probes.

For two classes the pictures of one are compared with those of the other from the same start; for more, those of each
class with the mean of all others. With more than two groups each is asked about against all others together. Holm's
adjustment covers every class and group of an attribute. A leaning is proven only where the scores of real pictures are
shown to move the same way (`shifts`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.checks import WATCH_P, Answer, CheckVerdict, Detail, Name, direction_of
from evenhand.auditors.perception.components import principal_components
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.dreams import MOST_CLASSES, Dreams, dream
from evenhand.auditors.perception.dreamt_pictures import dream_panel, drift_panel
from evenhand.auditors.perception.drift import Drifted, chosen_rows, drift
from evenhand.auditors.perception.leaning import Lean, Leaning, adjusted, lean_of, leaning
from evenhand.auditors.perception.questions import Question, Unfit, questions_of
from evenhand.auditors.perception.shifts import LEAST_SHIFT, Shift, shift_of
from evenhand.auditors.perception.skill import skill_of
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.clusters import generator
from evenhand.auditors.robustness.data import unit_interval, units_of
from evenhand.auditors.robustness.gaps import TEST_LEVEL
from evenhand.auditors.robustness.scores import gives_gradients
from evenhand.auditors.verdict import Verdict, effect_and_test

DREAM_TOLERANCE = 1.0
DRIFT_TOLERANCE = 0.05
"""Standard deviations of the probes' logits on real pictures."""
WATCH_DREAM = 0.5
MOST_FLAT = 0.05
"""Share of dreams without any gradient above which gradients are taken as masked (METHODS section 5)."""

NO_GRADIENTS = "the classifier gives no gradients"


@dataclass(frozen=True)
class Seen:
    """What a classifier with gradients makes of the audit set, the same for every attribute.

    Attributes:
        pictures: in [0, 1].
        dreams: of each class that is dreamt of.
        margins: of these classes over the best other on `pictures`, each over its standard deviation, (n, classes).
    """

    pictures: Pictures
    dreams: Dreams
    margins: NDArray[np.float64]


def dreams_and_drift(context: Context) -> Iterator[Answer]:
    """Both checks of every attribute; the probes of an attribute are trained once for both."""
    pictures = unit_interval(context.data.images)
    seen: Seen | Unfit | None = None if gives_gradients(context.classifier) else Unfit(NO_GRADIENTS)
    shown = False
    for attribute in context.attributes:
        if isinstance(seen, Unfit):
            yield from _not_assessed(context, attribute, seen.reason)
            continue
        questions = questions_of(context.data, attribute, pictures, seed=context.seed)
        asked = [one for one in questions if isinstance(one, Question)]
        unfit = "; ".join(one.reason for one in questions if isinstance(one, Unfit))
        if not asked:
            yield from _not_assessed(context, attribute, unfit)
            continue
        seen = seen or _see(context, pictures)
        if isinstance(seen, Unfit):
            yield from _not_assessed(context, attribute, seen.reason)
            continue
        yield _dream(context, attribute, asked, seen, unfit, show=not shown)
        yield _drift(context, attribute, asked, seen, unfit)
        shown = True


def _not_assessed(context: Context, attribute: str, reason: str) -> Iterator[Answer]:
    usual: tuple[tuple[Name, float], ...] = (("dream", DREAM_TOLERANCE), ("dream_drift", DRIFT_TOLERANCE))
    for name, tolerance in usual:
        yield Answer(name, attribute, context.tolerance(name, tolerance), "not_assessed", reason)


def _see(context: Context, pictures: Pictures) -> Seen | Unfit:
    """Dream, unless the classifier tells no classes apart or its gradients say nothing."""
    classifier = context.classifier
    assert gives_gradients(classifier)
    from evenhand.auditors.robustness.gradients import logits_of

    labels = _dreamt_labels(context)
    logits = logits_of(classifier, pictures, batch_size=context.batch_size, device=context.device)
    margins = _margins(logits, labels)
    scales = _spreads(margins)
    components = principal_components(pictures, context.data.ids, seed=context.seed)
    if len(components) == 0 or not (np.isfinite(scales) & (scales > 0)).all():
        return Unfit("the classifier scores all pictures alike, so that its dreams would show nothing")
    skill = skill_of(
        logits.argmax(axis=1), context.data.label.astype(np.int64), units_of(context.data), seed=context.seed
    )
    if not skill.shown:
        return Unfit(skill.in_words())
    dreams = dream(classifier, components, labels=labels, scales=scales, device=context.device, seed=context.seed)
    flat = float((dreams.steepness == 0).mean())
    if flat > MOST_FLAT:
        return Unfit(f"gradient masking suspected: {flat:.0%} of the dreams have no gradient to climb")
    return Seen(pictures, dreams, margins / margins.std(axis=0))


def _dreamt_labels(context: Context) -> NDArray[np.int64]:
    """Every class; of more than ten those with the most pictures."""
    classes = len(context.data.classes)
    counts = np.bincount(context.data.label, minlength=classes)
    return np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES]).astype(np.int64)


def _margins(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Margin of each class over the best other, shape (n, classes)."""
    margins = [logits[:, label] - np.delete(logits, label, axis=1).max(axis=1) for label in labels]
    return np.stack(margins, axis=1).astype(np.float64)


def _spreads(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over real pictures of each class's margin, shape (classes,)."""
    return np.asarray(margins.std(axis=0), dtype=np.float64)


def _contrasts(scores: NDArray[np.float64], labels: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Each class's scores less the mean of the others'; of two classes the second alone, which says both.

    Args:
        scores: shape (..., classes).
        labels: shape (classes,).
    """
    for index in range(len(labels)) if len(labels) > 2 else [1]:
        yield int(labels[index]), scores[..., index] - np.delete(scores, index, axis=-1).mean(axis=-1)


def _leanings(
    questions: Sequence[Question],
    labels: NDArray[np.int64],
    scores_of: Callable[[Question], Sequence[NDArray[np.float64]]],
    rng: np.random.Generator,
) -> list[Leaning]:
    """Every class and question, adjusted; `scores_of` gives an array ([fits,] m, classes) for each probe."""
    found = []
    for question in questions:
        leans: dict[int, list[Lean]] = {}
        for scores in scores_of(question):
            for label, differences in _contrasts(scores, labels):
                leans.setdefault(label, []).append(lean_of(differences, rng))
        found += [
            leaning(both, label=label, first=question.first, second=question.second) for label, both in leans.items()
        ]
    return adjusted(found)


def _dream(
    context: Context, attribute: str, questions: Sequence[Question], seen: Seen, unfit: str, *, show: bool
) -> Answer:
    """FLAG: both probes at 1.0 and more, with the sign of real scores, and p < .01; WATCH: both at .5 and more."""
    dreams = seen.dreams
    starts, classes = dreams.pictures.shape[:2]
    flat = dreams.pictures.reshape(starts * classes, *dreams.pictures.shape[2:])

    def scores_of(question: Question) -> list[NDArray[np.float64]]:
        return [probe.scores(flat).reshape(-1, starts, classes) for probe in question.probes]

    rng = generator(context.seed, f"dream of {attribute}")
    found = _leanings(questions, dreams.labels, scores_of, rng)
    tolerance = context.tolerance("dream", DREAM_TOLERANCE)
    watched = [one for one in found if abs(one.estimate) >= WATCH_DREAM]
    panels = (dream_panel(dreams, context.data.classes),) if show else ()
    return _answer(context, "dream", attribute, questions, found, seen, watched, tolerance, unfit, "starts", panels)


def _drift(context: Context, attribute: str, questions: Sequence[Question], seen: Seen, unfit: str) -> Answer:
    """FLAG: both probes with the sign of real scores, p < .01 over units; WATCH: p < .10."""
    assert gives_gradients(context.classifier)
    data, labels = context.data, seen.dreams.labels
    codes, texts = data.attributes[attribute]
    known = np.array([text is not None for text in texts])[codes]
    by_name = np.argsort(np.argsort([str(text) for text in texts]))[codes]
    cell = np.where(known, data.label.astype(np.int64) * len(texts) + by_name, -1)
    unit = units_of(data)
    rows = chosen_rows(cell, unit, data.ids, seed=context.seed)
    drifted = drift(context.classifier, seen.pictures, rows, labels=labels, device=context.device)
    member = np.zeros((len(np.unique(unit[rows])), len(rows)))
    member[np.unique(unit[rows], return_inverse=True)[1].reshape(-1), np.arange(len(rows))] = 1
    member /= member.sum(axis=1, keepdims=True)

    def scores_of(question: Question) -> list[NDArray[np.float64]]:
        """Mean over each unit's pictures, by the probe that has not seen the unit."""
        return [member @ scores for scores in _unseen(question, drifted, len(data))]

    rng = generator(context.seed, f"dream drift of {attribute}")
    found = _leanings(questions, labels, scores_of, rng)
    tolerance = context.tolerance("dream_drift", DRIFT_TOLERANCE)
    watched = [one for one in found if one.agree and one.p_value < WATCH_P]
    panels = (drift_panel(drifted, seen.pictures, data.classes),)
    return _answer(
        context, "dream_drift", attribute, questions, found, seen, watched, tolerance, unfit, "units", panels
    )


def _unseen(question: Question, drifted: Drifted, n: int) -> Iterator[NDArray[np.float64]]:
    """Scores of each probe, shape (m, classes)."""
    fold = np.zeros(n, dtype=np.int64)
    fold[question.rows] = question.fold
    pictures, classes = drifted.pictures.shape[:2]
    flat = drifted.pictures.reshape(pictures * classes, *drifted.pictures.shape[2:])
    for probe in question.probes:
        yield probe.unseen(flat, fold[drifted.rows].repeat(classes)).reshape(pictures, classes)


def _answer(
    context: Context,
    name: Name,
    attribute: str,
    questions: Sequence[Question],
    found: Sequence[Leaning],
    seen: Seen,
    watched: Sequence[Leaning],
    tolerance: float,
    unfit: str,
    counted: str,
    panels: tuple[Panel, ...],
) -> Answer:
    shifts = {id(one): _shift(context, attribute, questions, one, seen) for one in found}
    leaning = [one for one in found if _leans(one, tolerance)]
    proven = [one for one in leaning if shifts[id(one)].backs(one.estimate)]
    one = max(proven or found, key=lambda leaning: (abs(leaning.estimate), -leaning.p_value))
    within = not watched and not unfit and all(one.within(tolerance) for one in found)
    verdict: CheckVerdict = "proven_disparity" if proven else "proven_within" if within else "inconclusive"
    shift = shifts[id(one)]
    reasons = [] if proven or within else _reasons(one, one in watched, shift if one in leaning else None)
    if unfit:
        reasons.append(f"not assessed for every group: {unfit}")
    interval = one.interval
    return Answer(
        name,
        attribute,
        tolerance,
        verdict,
        "; ".join(reasons) or None,
        direction=direction_of(one.estimate, one.first, one.second, one.label, context.data.classes),
        estimate=one.estimate,
        interval=interval if interval.known else None,
        equivalence=one.equivalence if one.equivalence.known else None,
        p_value=one.p_value,
        first=one.first,
        second=one.second,
        detail=_detail(context, one, questions, counted)
        | {"score_shift": shift.estimate, "score_shift_p": shift.p_value},
        panels=panels,
    )


def _leans(one: Leaning, tolerance: float) -> bool:
    decided = effect_and_test(estimate=one.estimate, tolerance=tolerance, p_value=one.p_value, level=TEST_LEVEL)
    return one.agree and decided is Verdict.PROVEN_DISPARITY


def _shift(context: Context, attribute: str, questions: Sequence[Question], one: Leaning, seen: Seen) -> Shift:
    """Of the scores of the class that leans, between the groups that it leans between."""
    question = _asked(questions, one)
    (place,) = np.flatnonzero(seen.dreams.labels == one.label)
    return shift_of(
        seen.margins[question.rows, place],
        second=question.target,
        label=context.data.label[question.rows].astype(np.int64),
        unit=units_of(context.data)[question.rows],
        seed=context.seed,
        name=f"{attribute}: {question.second.text}",
    )


def _asked(questions: Sequence[Question], one: Leaning) -> Question:
    (question,) = [question for question in questions if question.second is one.second]
    return question


def _reasons(one: Leaning, watched: bool, shift: Shift | None) -> list[str]:
    """`shift` where it alone keeps a leaning from being proven."""
    sizes = " and ".join(f"{lean.estimate:+.2f}" for lean in one.leans)
    if not one.agree:
        return [f"the two probes do not agree: {sizes} standard deviations"]
    reasons = [f"watch: the two probes see {sizes} standard deviations"] if watched else []
    if shift is not None:
        reasons.append(
            f"the scores of real pictures move by {shift.estimate:+.2f} of theirs between the groups of a class "
            f"(p = {shift.p_value:.2g}); {LEAST_SHIFT:g} the same way with p < .01 would be needed"
        )
    return reasons


def _detail(context: Context, one: Leaning, questions: Sequence[Question], counted: str) -> Detail:
    question = _asked(questions, one)
    detail: Detail = {
        "from": one.first.text if one.first else "all other groups",
        "to": one.second.text,
        "class": context.data.classes[one.label],
        counted: one.leans[0].count,
    }
    for probe, lean in zip(question.probes, one.leans, strict=True):
        detail |= {
            f"{probe.name}_probe": lean.estimate,
            f"{probe.name}_probe_p": lean.p_value,
            f"{probe.name}_probe_balanced_accuracy": probe.balanced_accuracy,
        }
    return detail
