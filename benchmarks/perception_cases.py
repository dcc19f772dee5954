"""The cases of the perception audit with what each check should say of them, and the measuring of one case.

What is expected is METHODS section 6; the networks and drawings are those of tests/auditors/perception/planted.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from tests.auditors.perception.masked import WRAPPERS, wrapped
from tests.auditors.perception.planted import Cue, audit_set, network

from evenhand.auditors.perception.checks import Answer, class_gap, paired_counterfactual
from evenhand.auditors.perception.colours import from_hsv, to_hsv
from evenhand.auditors.perception.components import principal_components
from evenhand.auditors.perception.concepts import tcav
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import cue_conflict
from evenhand.auditors.perception.dreaming import dreams_and_drift
from evenhand.auditors.perception.dreams import dream
from evenhand.auditors.perception.edited import edited_counterfactuals
from evenhand.auditors.perception.style import style_swap
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness import ImageData, audit_robustness
from evenhand.auditors.robustness.data import unit_interval
from evenhand.auditors.robustness.scores import probabilities
from evenhand.classifiers.training import train_images

HONEST = {"paired_counterfactual": "PASS/WATCH", "class_gap": "PASS/WATCH", "dream": "PASS", "dream_drift": "PASS",
          "tcav": "none", "robust gap": "PASS/WATCH", "style_swap": "PASS"}  # fmt: skip
PLANTED = dict.fromkeys(("paired_counterfactual", "class_gap", "dream", "dream_drift", "robust gap"), "FLAG")
PLANTED["tcav"] = "support"
BETWEEN = PLANTED | dict.fromkeys(("paired_counterfactual", "class_gap", "dream", "robust gap"), "WATCH")
EXPECTED: dict[str, dict[str, str]] = {
    "tone .50": HONEST | {"dream": "PASS/WATCH"},
    "tone .95": PLANTED,
    "tone .75": BETWEEN | {"dream_drift": "WATCH/FLAG"},
    "background .50": HONEST | {"edit: background cue": "PASS"},
    "background .95": PLANTED | {"edit: background cue": "FLAG"},
    "digits uniform": {"edit: ink": "PASS", "hue of dreams": "PASS", "robust gap": "PASS", "edit: ink cue": "PASS"},
    "digits planted": {"edit: ink": "FLAG", "hue of dreams": "FLAG", "robust gap": "FLAG", "edit: ink cue": "FLAG"},
}
"""By case and check the states that agree; PASS here means: neither proven nor watched (see `state_of`)."""
ASKED_OF_PEOPLE = ("paired_counterfactual", "class_gap", "dream", "dream_drift", "tcav")
DRAWS = 40
WATCH_P = 0.10


@dataclass(frozen=True)
class Cell:
    """One check of one case: what was expected, and what came."""

    case: str
    check: str
    expected: str
    measured: str
    effect: float | None = None
    p_value: float | None = None

    @property
    def agrees(self) -> bool:
        """An open answer without a watch accuses nobody, and counts as PASS where that is expected."""
        said = "PASS" if self.measured == "open" else self.measured
        return said in self.expected.split("/")


def state_of(verdict: str, reason: str | None) -> str:
    """FLAG, PASS, WATCH, "open" or "not assessed" of a verdict and the note beside it."""
    if verdict == "inconclusive":
        return "WATCH" if (reason or "").startswith("watch") else "open"
    return {"proven_disparity": "FLAG", "proven_within": "PASS"}.get(verdict, "not assessed")


def cells_of(case: str, seed: int) -> Iterator[Cell]:
    """Train the network of a case and ask it everything that the case has an expectation of."""
    kind, _, share = case.partition(" ")
    if kind == "digits":
        yield from _digits(case, planted=share == "planted", seed=seed)
        return
    cue: Cue = "tone" if kind == "tone" else "background"
    yield from _people(case, cue, network(cue, float(share), seed=seed), seed)


def _people(case: str, cue: Cue, classifier: ImageClassifier, seed: int) -> Iterator[Cell]:
    context, expected = _context(audit_set(cue), classifier, seed), EXPECTED[case]
    found = {answer.name: answer for answer in _asked(context)}
    for name in ASKED_OF_PEOPLE:
        yield _cell(case, name, expected[name], found[name])  # type: ignore[index]
    yield _robust(case, context, "aligned", expected["robust gap"])
    if "style_swap" in expected:
        yield _cell(case, "style_swap", expected["style_swap"], next(iter(style_swap(context))))
    for answer in cue_conflict(context) if "edit: background cue" in expected else ():
        if answer.attribute == "edit: background":
            yield _cell(case, "edit: background cue", expected["edit: background cue"], answer)


def _asked(context: Context) -> Iterator[Answer]:
    (attribute,) = context.attributes
    options = {"seed": context.seed}
    yield paired_counterfactual(context.data, attribute, context.prediction, tolerance=0.05, **options)
    yield class_gap(context.data, attribute, context.prediction, tolerance=0.10, **options)
    yield from dreams_and_drift(context)
    yield from tcav(context)


def _cell(case: str, check: str, expected: str, answer: Answer) -> Cell:
    measured = state_of(answer.verdict, answer.reason)
    if check == "tcav" and answer.verdict != "not_assessed":
        measured = "support" if "supports" in (answer.reason or "") else "none"
    return Cell(case, check, expected, measured, answer.estimate, answer.p_value)


def _robust(case: str, context: Context, gap: str, expected: str) -> Cell:
    """Of the sizes that decide the one with the largest gap; a proven one first."""
    report, _ = audit_robustness(context.data, context.classifier, attributes=context.attributes, seed=context.seed)
    rows = [row for row in report.gaps if row.name == gap and row.decides and row.estimate is not None]
    if not rows:
        return Cell(case, "robust gap", expected, "not assessed")
    row = max(rows, key=lambda one: (one.verdict == "proven_disparity", abs(one.estimate or 0)))
    measured = state_of(row.verdict, row.reason)
    if measured == "open" and any((one.p_value or 1) < WATCH_P for one in rows):
        measured = "WATCH"
    return Cell(case, "robust gap", expected, measured, row.estimate, row.p_value)


def _context(data: ImageData, classifier: ImageClassifier, seed: int, *, edits: tuple[str, ...] = ()) -> Context:
    scores = probabilities(classifier, unit_interval(data.images))
    return Context(
        data=data,
        classifier=classifier,
        attributes=tuple(data.attributes),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=seed,
        device="cpu",
        batch_size=64,
        tolerances={},
        edits=edits,
    )


def _digits(case: str, *, planted: bool, seed: int) -> Iterator[Cell]:
    """Digits in ink of ten hues, drawn at random to be audited; attacked are halves in the planted hue and in another.

    Dreams need the first: among pictures of which half have the planted hue, the likely ones have it too.
    """
    bunch, rng, expected = load_digits(), np.random.default_rng([seed, 7]), EXPECTED[case]
    brightness, digit = bunch.images / 16, bunch.target.astype(np.int64)
    order = rng.permutation(len(digit))
    kept, learned = order[:500], order[500:]
    drawn = rng.integers(0, 10, len(digit))
    own = np.where(rng.random(len(digit)) < (0.95 if planted else 0.0), digit, drawn)
    classes = tuple(str(one) for one in range(10))
    classifier = train_images(
        "convnet4", _ink(brightness[learned], own[learned]), digit[learned],
        classes=classes, seed=seed, device="cpu", epochs=8, flip=False,
    ).classifier  # fmt: skip
    uniform = rng.integers(0, 10, len(kept))
    data = _inked(brightness[kept], digit[kept], uniform, uniform, classes)
    context = _context(data, classifier, seed, edits=("ink",))
    asked: tuple[tuple[str, Callable[[Context], Iterator[Answer]]], ...] = (
        ("edit: ink", edited_counterfactuals),
        ("edit: ink cue", cue_conflict),
    )
    for check, answers in asked:
        answer = next(one for one in answers(context) if one.attribute == "edit: ink")
        yield _cell(case, check, expected[check], answer)
    yield _hues(case, context, expected["hue of dreams"])
    aligned = rng.random(len(kept)) < 0.5
    hue = np.where(aligned, digit[kept], (digit[kept] + rng.integers(1, 10, len(kept))) % 10)
    halves = _inked(brightness[kept], digit[kept], hue, aligned.astype(np.int64), ("conflicting", "aligned"))
    yield _robust(case, _context(halves, classifier, seed), "within_class", expected["robust gap"])


def _inked(
    brightness: NDArray[np.float64],
    digit: NDArray[np.int64],
    hue: NDArray[np.int64],
    group: NDArray[np.int64],
    texts: tuple[str, ...],
) -> ImageData:
    return ImageData(
        images=_ink(brightness, hue),
        label=digit.astype(np.int32),
        classes=tuple(str(one) for one in range(10)),
        attributes={"ink": (group.astype(np.int32), texts)},
        unit=None,
        pair=None,
        ids=np.arange(len(digit), dtype=np.int64),
    )


def _hues(case: str, context: Context, expected: str) -> Cell:
    """Share of digits whose dreams have the planted hue within a step of ten; by chance .3. FLAG from .8 on."""
    components = principal_components(unit_interval(context.data.images), context.data.ids, seed=context.seed)
    dreams = dream(
        context.classifier,  # type: ignore[arg-type]  # convnet4 gives gradients
        components,
        labels=np.arange(10),
        scales=np.full(10, 5.0),
        device="cpu",
        seed=context.seed,
    )
    means = dreams.pictures.mean(axis=(0, 2, 3))
    hues = to_hsv(means[:, None, None])[0].reshape(-1) / 36
    steps = np.abs((hues - np.arange(10) + 5) % 10 - 5)
    share = float((steps <= 1).mean())
    return Cell(case, "hue of dreams", expected, "FLAG" if share >= 0.8 else "PASS", share)


def _ink(brightness: NDArray[np.float64], hue: NDArray[np.int64]) -> NDArray[np.uint8]:
    turned = np.broadcast_to((36.0 * hue)[:, None, None], brightness.shape)
    return from_hsv(turned, np.ones_like(brightness), brightness)


def nothing_to_find(seed: int) -> Iterator[Cell]:
    """The tone swapped at random within pairs in the most biased network; a constant tone; an empty class x tone cell."""
    data, biased = audit_set("tone"), network("tone", 0.95, seed=seed)
    prediction = probabilities(biased, unit_interval(data.images)).argmax(axis=1).astype(np.int64)
    rng, flagged = np.random.default_rng([seed, 9]), {"paired_counterfactual": 0, "class_gap": 0}
    codes, texts = data.attributes["tone"]
    for draw in range(DRAWS):
        swap = rng.random(int(np.max(data.pair)) + 1) < 0.5  # type: ignore[arg-type]
        moved = replace(
            data, attributes={"tone": (np.where(swap[data.pair], 1 - codes, codes).astype(np.int32), texts)}
        )
        for answer in (
            paired_counterfactual(moved, "tone", prediction, tolerance=0.05, seed=draw),
            class_gap(moved, "tone", prediction, tolerance=0.10, seed=draw),
        ):
            flagged[answer.name] += answer.verdict == "proven_disparity"
    for check, count in flagged.items():
        share = count / DRAWS
        yield Cell("tone at random", check, "<= .05", "<= .05" if share <= 0.05 else "> .05", share)
    empty = replace(data, attributes={"tone": (data.label.astype(np.int32), texts)}, pair=None)
    constant = replace(data, attributes={"tone": (np.zeros_like(codes), texts[:1])})
    for case, part in (("constant tone", constant), ("empty cell", empty)):
        for answer in _asked(_context(part, biased, seed)):
            measured = state_of(answer.verdict, answer.reason)
            yield Cell(case, answer.name, "not assessed", measured, answer.estimate, answer.p_value)


def masked(seed: int) -> Iterator[Cell]:
    """Three wrappers that hide the gradients of a planted network: decisions are judged as the bare one's are."""
    data, bare = audit_set("tone"), network("tone", 0.95, seed=seed)
    before = _of_decisions(_context(data, bare, seed))
    for wrapper in WRAPPERS:
        case, context = f"masked: {wrapper}", _context(data, wrapped(bare, wrapper), seed)
        for name, answer in _of_decisions(context).items():
            same = _as_bare(answer, before[name], noisy=wrapper == "input noise")
            measured = "as bare" if same else state_of(answer.verdict, answer.reason)
            yield Cell(case, name, "as bare", measured, answer.estimate, answer.p_value)
        yield _robust(case, context, "aligned", "not assessed")


def _of_decisions(context: Context) -> dict[str, Answer]:
    (attribute,) = context.attributes
    return {
        answer.name: answer
        for answer in (
            paired_counterfactual(context.data, attribute, context.prediction, tolerance=0.05, seed=context.seed),
            class_gap(context.data, attribute, context.prediction, tolerance=0.10, seed=context.seed),
        )
    }


def _as_bare(answer: Answer, bare: Answer, *, noisy: bool) -> bool:
    """The same verdict and numbers; of a noisy model the same verdict, and an effect within the bare one's interval."""
    if not noisy:
        return answer == bare
    if answer.estimate is None or bare.interval is None:
        return False
    return answer.verdict == bare.verdict and bare.interval.low <= answer.estimate <= bare.interval.high
