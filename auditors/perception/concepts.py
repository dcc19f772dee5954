"""Concept vectors (TCAV): does a class's score rise in the direction in which the layer tells the groups apart?

It only supports what another check found; it has no verdict of its own. A direction can agree with a score for reasons
that are not the group, and a network may use a group in a way that no straight direction shows.

Source: Kim, Wattenberg, Gilmer, Cai, Wexler, Viegas and Sayres (2018), ICML, "Interpretability beyond feature
attribution: quantitative testing with concept activation vectors".
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.perception.checks import Answer, direction_of, known_levels, one_group
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.layers import Inside, inside, middle_layer
from evenhand.auditors.robustness.clusters import generator
from evenhand.auditors.robustness.data import Level, unit_interval, units_of

VECTORS = 12
"""Real vectors, and as many of shuffled labels; each learned on half of the units and measured on the other."""
HIGH, LOW = 0.85, 0.15
SUPPORT_P = 0.01
READABLE = 0.60
"""Balanced accuracy on unseen units under which the layer does not tell the groups apart, so its direction is noise."""
MOST_PICTURES = 1200
RIDGE = 1e-2
"""Added to the diagonal, as a share of its mean."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Shares of pictures whose score rises along the vector, one entry a vector, and what they say together.

    Attributes:
        first, second: the groups; the vectors point from first to second. `first` None: all other groups.
        label: class whose margin is meant.
        real, shuffled: shape (VECTORS,).
        accuracy: balanced, of the real vectors on units they were not learned from.
        p_value: Welch's test of real against shuffled shares.
    """

    first: Level | None
    second: Level
    label: int
    real: Floats
    shuffled: Floats
    accuracy: float
    p_value: float

    @property
    def share(self) -> float:
        return float(self.real.mean())

    @property
    def supports(self) -> bool:
        one_way = self.share >= HIGH or self.share <= LOW
        return one_way and self.p_value < SUPPORT_P and self.accuracy >= READABLE


def tcav(context: Context) -> Iterator[Answer]:
    """Concept vectors of every attribute on the middle layer; supports, never decides."""
    layer = middle_layer(context.classifier)
    if layer.name is None:
        for attribute in context.attributes:
            yield Answer("tcav", attribute, None, "not_assessed", layer.reason)
        return
    rows = _rows(context)
    labels = range(len(context.data.classes)) if len(context.data.classes) > 2 else [1]
    looked = {label: _inside(context, layer.name, rows, label) for label in labels}
    for attribute in context.attributes:
        yield _answer(context, attribute, layer.name, rows, looked)


def _rows(context: Context) -> NDArray[np.int64]:
    """All pictures, or those of as many whole units, drawn at random, as hold MOST_PICTURES."""
    unit = units_of(context.data)
    if len(unit) <= MOST_PICTURES:
        return np.arange(len(unit))
    order = generator(context.seed, "tcav", "pictures").permutation(int(unit.max()) + 1)
    held = np.cumsum(np.bincount(unit)[order]) <= MOST_PICTURES
    held[0] = True
    return np.flatnonzero(np.isin(unit, order[held]))


def _inside(context: Context, layer: str, rows: NDArray[np.int64], label: int) -> Inside:
    """Activations, and the gradient of the label's logit less that of the best other class."""
    scores = context.scores[rows].copy()
    scores[:, label] = -1
    weights = np.zeros(scores.shape, dtype=np.float32)
    weights[np.arange(len(rows)), scores.argmax(axis=1)] = -1
    weights[:, label] = 1
    pictures = unit_interval(context.data.images[rows])
    return inside(context.classifier, layer, pictures, weights, device=context.device, batch_size=context.batch_size)


def _answer(context: Context, attribute: str, layer: str, rows: NDArray[np.int64], looked: dict[int, Inside]) -> Answer:
    levels = known_levels(context.data, attribute)
    if len(levels) < 2:
        return Answer("tcav", attribute, None, "not_assessed", one_group(attribute, levels))
    found = _agreements(context, attribute, levels, rows, looked)
    if not found:
        empty = "a group has pictures of too few units in some class, or none: no vector can be learned and measured"
        return Answer("tcav", attribute, None, "not_assessed", empty)
    adjusted = holm(np.array([one.p_value for one in found]))
    found = [replace(one, p_value=float(value)) for one, value in zip(found, adjusted, strict=True)]
    supporting = [one for one in found if one.supports]
    chosen = max(supporting or found, key=lambda one: (abs(one.share - 0.5), -one.p_value))
    return Answer(
        "tcav",
        attribute,
        None,
        "inconclusive",
        _reason(chosen, context.data.classes),
        direction=direction_of(chosen.share - 0.5, chosen.first, chosen.second, chosen.label, context.data.classes),
        estimate=chosen.share,
        p_value=chosen.p_value,
        first=chosen.first,
        second=chosen.second,
        detail=_detail(chosen, context, layer, len(rows)),
    )


def _reason(found: Agreement, classes: tuple[str, ...]) -> str:
    share = f"the score of '{classes[found.label]}' rises toward '{found.second.text}' in {found.share:.0%} of pictures"
    if found.supports:
        return f"supports that the group is used: {share}; no verdict of its own"
    if found.accuracy < READABLE:
        return f"the layer does not tell the groups apart ({found.accuracy:.2f} balanced accuracy on unseen units)"
    return f"no support: {share}, and vectors of shuffled groups are not clearly unlike"


def _detail(found: Agreement, context: Context, layer: str, pictures: int) -> dict[str, float | int | str | None]:
    return {
        "layer": layer,
        "from": found.first.text if found.first else "all others",
        "to": found.second.text,
        "class": context.data.classes[found.label],
        "pictures": pictures,
        "vectors": VECTORS,
        "share_of_shuffled": float(found.shuffled.mean()),
        "accuracy_on_unseen_units": found.accuracy,
    }


def _agreements(
    context: Context, attribute: str, levels: list[Level], rows: NDArray[np.int64], looked: dict[int, Inside]
) -> list[Agreement]:
    """The second group against the first, or with more groups each against all others; for every class asked about."""
    codes = context.data.attributes[attribute][0][rows]
    known = np.isin(codes, [level.code for level in levels])
    unit, label = units_of(context.data)[rows][known], context.data.label[rows][known]
    found = []
    for second in levels[1:] if len(levels) == 2 else levels:
        first = levels[0] if len(levels) == 2 else None
        member = codes[known] == second.code
        for one, seen in looked.items():
            values = seen.activations[known].astype(np.float64)
            shares = _shares(values, seen.gradients[known].astype(np.float64), member, label, unit, context.seed)
            if shares is not None:
                found.append(_compared(shares, first, second, one))
    return found


def _compared(shares: "Shares", first: Level | None, second: Level, label: int) -> Agreement:
    return Agreement(
        first, second, label, shares.real, shares.shuffled, shares.accuracy, welch(shares.real, shares.shuffled)
    )


def welch(first: Floats, second: Floats) -> float:
    """Two-sided p of Welch's test; where neither sample varies, 1 if both are equal and 0 if they differ."""
    from scipy.stats import t

    parts = [float(np.var(sample, ddof=1)) / len(sample) for sample in (first, second)]
    if sum(parts) == 0:
        return float(first[0] == second[0])
    distance = abs(float(first.mean() - second.mean())) / np.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(sample) - 1) for part, sample in zip(parts, (first, second), strict=True)
    )
    return float(2 * t.sf(distance, freedom))


@dataclass(frozen=True)
class Shares:
    """What the vectors measured; `accuracy` is the mean balanced accuracy of the real ones."""

    real: Floats
    shuffled: Floats
    accuracy: float


def _shares(
    values: Floats,
    gradients: Floats,
    member: NDArray[np.bool_],
    label: NDArray[np.integer],
    unit: NDArray[np.integer],
    seed: int,
) -> Shares | None:
    """Vectors of VECTORS / 2 random halvings of the units, each half once learned from; None without pictures."""
    if not any(len(set(member[label == code])) == 2 for code in np.unique(label)):
        return None
    _, unit = np.unique(unit, return_inverse=True)
    kernel = values @ values.T
    projections = gradients @ values.T
    real, shuffled, accuracies = [], [], []
    for halving in range(VECTORS // 2):
        rng = generator(seed, "tcav", str(halving))
        half = rng.permutation(int(unit.max()) + 1)[unit] % 2
        for side in (0, 1):
            learned, measured = np.flatnonzero(half == side), np.flatnonzero(half != side)
            cells = _cells(member, label)
            if any(len(set(cells[part])) < len(set(cells)) or len(part) < 4 for part in (learned, measured)):
                return None
            vector = _vector(kernel, learned, member[learned], label[learned])
            mixed = _vector(kernel, learned, _shuffled(member[learned], label[learned], rng), label[learned])
            real.append(np.mean(projections[np.ix_(measured, learned)] @ vector > 0))
            shuffled.append(np.mean(projections[np.ix_(measured, learned)] @ mixed > 0))
            read = kernel[np.ix_(measured, learned)] @ vector
            accuracies.append(_balanced(_within(read, label[measured]) > 0, member[measured]))
    return Shares(np.array(real), np.array(shuffled), float(np.mean(accuracies)))


def _cells(member: NDArray[np.bool_], label: NDArray[np.integer]) -> NDArray[np.int64]:
    return 2 * label.astype(np.int64) + member


def _vector(kernel: Floats, rows: NDArray[np.int64], member: NDArray[np.bool_], label: NDArray[np.integer]) -> Floats:
    """Weights of the pictures whose sum is the vector: ridge regression of the group on the layer, given the class.

    Both are centred within each class, so that a group that is common in a class does not stand for the class.
    """
    inner = kernel[np.ix_(rows, rows)]
    target = _within(member.astype(np.float64), label)
    centred = _within(_within(inner, label).T, label).T
    ridge = RIDGE * max(float(np.trace(centred)) / len(rows), 1e-12)
    return _within(np.linalg.solve(centred + ridge * np.eye(len(rows)), target), label)


def _within(values: NDArray[np.floating], label: NDArray[np.integer]) -> Floats:
    """Values less the mean of their class, along the first axis."""
    centred = values.astype(np.float64)
    for code in np.unique(label):
        centred[label == code] -= centred[label == code].mean(axis=0)
    return centred


def _shuffled(member: NDArray[np.bool_], label: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Groups permuted within each class."""
    mixed = member.copy()
    for code in np.unique(label):
        mixed[label == code] = rng.permutation(member[label == code])
    return mixed


def _balanced(said: NDArray[np.bool_], member: NDArray[np.bool_]) -> float:
    return float((said[member].mean() + (~said[~member]).mean()) / 2)
