"""The paired counterfactual: the same person in another group. How often does the decision turn, and which way?"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.clusters import (
    BOOTSTRAP_DRAWS,
    EXACT_UNITS,
    PERMUTATIONS,
    Spread,
    generator,
    p_value,
)
from evenhand.auditors.robustness.data import Level, units_of


@dataclass(frozen=True)
class Counterparts:
    """Pairs of one attribute value and another, one entry a pair, and their decisions for one class.

    Attributes:
        to_class: share of combinations of counterparts that turn to the class when the value changes from first to
            second, shape (pairs,).
        from_class: share that turn away from it.
        turned_to, turned_from: the same as numbers of combinations, for McNemar's test.
        changed: share of combinations whose decision changes at all.
        unit: shape (pairs,).
    """

    to_class: NDArray[np.float64]
    from_class: NDArray[np.float64]
    turned_to: int
    turned_from: int
    changed: NDArray[np.float64]
    unit: NDArray[np.int64]

    @property
    def net(self) -> NDArray[np.float64]:
        return self.to_class - self.from_class


@dataclass(frozen=True)
class NetFlip:
    """Net flip toward `label` when `first` becomes `second`: P(to the class) - P(away from it)."""

    first: Level
    second: Level
    label: int
    spread: Spread
    p_value: float
    to_class: float
    from_class: float
    flip_rate: float
    turned_to: int
    turned_from: int
    pairs: int

    @property
    def mcnemar(self) -> float:
        """Exact two-sided McNemar test; takes pairs of one unit as independent, so it only stands beside."""
        turned = self.turned_to + self.turned_from
        return float(binomtest(self.turned_to, turned, 0.5).pvalue) if turned else 1.0


def counterparts(
    data: ImageData, attribute: str, prediction: NDArray[np.int64], *, first: Level, second: Level, label: int
) -> Counterparts | None:
    """All counterparts of two groups; None where no pair holds both.

    A pair with several pictures of one group counts once: the mean over all combinations of its pictures.
    """
    if data.pair is None:
        return None
    codes, _ = data.attributes[attribute]
    _, pair = np.unique(data.pair, return_inverse=True)
    pair = pair.reshape(-1)
    pairs, classes = int(pair.max()) + 1, len(data.classes)

    def count(level: Level) -> NDArray[np.float64]:
        """Pictures by pair and prediction."""
        rows = codes == level.code
        index = pair[rows] * classes + prediction[rows]
        return np.bincount(index, minlength=pairs * classes).reshape(pairs, classes).astype(np.float64)

    before, after = count(first), count(second)
    both = (before.sum(axis=1) > 0) & (after.sum(axis=1) > 0)
    if not both.any():
        return None
    before, after = before[both], after[both]
    combinations_of = before.sum(axis=1) * after.sum(axis=1)
    to_class = (before.sum(axis=1) - before[:, label]) * after[:, label]
    from_class = before[:, label] * (after.sum(axis=1) - after[:, label])
    same = (before * after).sum(axis=1)
    first_row = np.full(pairs, -1, dtype=np.int64)
    first_row[pair[::-1]] = np.arange(len(pair))[::-1]
    # without a unit column the pair itself is the independent thing, never the single picture
    unit = first_row if data.unit is None else units_of(data)[first_row]
    return Counterparts(
        to_class=to_class / combinations_of,
        from_class=from_class / combinations_of,
        turned_to=int(to_class.sum()),
        turned_from=int(from_class.sum()),
        changed=1 - same / combinations_of,
        unit=unit[both],
    )


def net_flip(pairs: Counterparts, *, first: Level, second: Level, label: int, seed: int, name: str) -> NetFlip:
    """Estimate, bootstrap over units and sign-flip permutation of what each unit contributes.

    5,000 flips are drawn; with up to 12 units all of them are counted.
    """
    codes, unit = np.unique(pairs.unit, return_inverse=True)
    unit = unit.reshape(-1)
    total = np.bincount(unit, weights=pairs.net, minlength=len(codes))
    size = np.bincount(unit, minlength=len(codes)).astype(np.float64)
    estimate = float(total.sum() / size.sum())
    texts = sorted((str(first.text), str(second.text)))
    weights = generator(seed, name, "bootstrap", *texts).multinomial(
        len(codes), np.full(len(codes), 1 / len(codes)), size=BOOTSTRAP_DRAWS
    )
    flips, exact = _flips(len(codes), generator(seed, name, "sign flip", *texts))
    return NetFlip(
        first=first,
        second=second,
        label=label,
        spread=Spread(estimate=estimate, draws=(weights @ total) / (weights @ size), units=len(codes)),
        p_value=p_value(estimate, flips @ total / size.sum(), exact=exact),
        to_class=float(pairs.to_class.mean()),
        from_class=float(pairs.from_class.mean()),
        flip_rate=float(pairs.changed.mean()),
        turned_to=pairs.turned_to,
        turned_from=pairs.turned_from,
        pairs=len(pairs.net),
    )


def _flips(units: int, rng: np.random.Generator) -> tuple[NDArray[np.int8], bool]:
    """Signs of shape (draws, units), and whether these are all there are."""
    if units <= EXACT_UNITS:
        bits = (np.arange(2**units)[:, None] >> np.arange(units)) & 1
        return (2 * bits - 1).astype(np.int8), True
    return (2 * rng.integers(0, 2, size=(PERMUTATIONS, units), dtype=np.int8) - 1), False


def net_flips(
    data: ImageData, attribute: str, prediction: NDArray[np.int64], levels: Sequence[Level], *, seed: int
) -> list[NetFlip]:
    """Every pair of groups and class (the second alone where there are two), p-values adjusted by Holm."""
    classes = range(len(data.classes)) if len(data.classes) > 2 else [1]
    found = []
    for first, second in combinations(levels, 2):
        for label in classes:
            pairs = counterparts(data, attribute, prediction, first=first, second=second, label=label)
            if pairs is not None:
                name = f"paired counterfactual of {attribute}"
                found.append(net_flip(pairs, first=first, second=second, label=label, seed=seed, name=name))
    adjusted = holm(np.array([flip.p_value for flip in found], dtype=np.float64))
    return [NetFlip(**{**flip.__dict__, "p_value": float(value)}) for flip, value in zip(found, adjusted, strict=True)]
