"""To which group do changed pictures lean? Both probes must see it: their differences, the test, the rule."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.robustness.clusters import PERMUTATIONS, Interval, p_value
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.gaps import EQUIVALENCE_LEVEL, TEST_LEVEL

EXACT = 16
"""Up to this many differences all sign flips are counted instead of drawn."""


@dataclass(frozen=True)
class Lean:
    """Mean difference of one probe between pictures of a class and of the others, in standard deviations.

    Attributes:
        estimate: above 0 where pictures of the class lean to the second group.
        interval: Student's, at .99, over starts or units.
        equivalence: one-sided .95 each way; where the probe has several fits, the hull of theirs.
        p_value: two-sided, by flipping signs of the differences.
        count: starts or units.
    """

    estimate: float
    interval: Interval
    equivalence: Interval
    p_value: float
    count: int


@dataclass(frozen=True)
class Leaning:
    """What both probes say of one class and one question; `p_value` may be adjusted for several of them."""

    label: int
    first: Level | None
    second: Level
    leans: tuple[Lean, ...]
    p_value: float

    @property
    def agree(self) -> bool:
        return len({np.sign(lean.estimate) for lean in self.leans}) == 1

    @property
    def estimate(self) -> float:
        """What both confirm: the smaller difference where the signs agree, else 0."""
        return min((lean.estimate for lean in self.leans), key=abs) if self.agree else 0.0

    @property
    def interval(self) -> Interval:
        """Of the probe that sees less; where they disagree, of both together."""
        if self.agree:
            return min(self.leans, key=lambda lean: abs(lean.estimate)).interval
        return hull([lean.interval for lean in self.leans])

    @property
    def equivalence(self) -> Interval:
        return hull([lean.equivalence for lean in self.leans])

    def within(self, tolerance: float) -> bool:
        return -tolerance < self.equivalence.low and self.equivalence.high < tolerance


def hull(intervals: Sequence[Interval]) -> Interval:
    return Interval(min(one.low for one in intervals), max(one.high for one in intervals))


def leaning(leans: Sequence[Lean], *, label: int, first: Level | None, second: Level) -> Leaning:
    """Both probes together; the larger p-value, for both must see it, and 1 where they disagree."""
    found = Leaning(label, first, second, tuple(leans), max(lean.p_value for lean in leans))
    return found if found.agree else replace(found, p_value=1.0)


def adjusted(found: Sequence[Leaning]) -> list[Leaning]:
    """P-values adjusted by Holm over all classes and groups of an attribute."""
    values = holm(np.array([one.p_value for one in found], dtype=np.float64))
    return [replace(one, p_value=float(value)) for one, value in zip(found, values, strict=True)]


def lean_of(differences: NDArray[np.float64], rng: np.random.Generator) -> Lean:
    """Of one difference a start or unit.

    Args:
        differences: shape (m,), or (fits, m) for a probe with several fits, whose mean is judged.
        rng: of the sign flips where there are too many to count.
    """
    fits = np.atleast_2d(differences)
    mean = fits.mean(axis=0)
    estimate = float(mean.mean())
    signs, exact = _signs(len(mean), rng)
    return Lean(
        estimate=estimate,
        interval=students(mean, TEST_LEVEL),
        equivalence=hull([students(fit, EQUIVALENCE_LEVEL) for fit in fits]),
        p_value=p_value(estimate, signs @ mean / len(mean), exact=exact),
        count=len(mean),
    )


def _signs(count: int, rng: np.random.Generator) -> tuple[NDArray[np.int8], bool]:
    """Signs of shape (arrangements, count), and whether these are all there are."""
    if count <= EXACT:
        bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return (2 * bits - 1).astype(np.int8), True
    return 2 * rng.integers(0, 2, size=(PERMUTATIONS, count), dtype=np.int8) - 1, False


def students(values: NDArray[np.float64], level: float) -> Interval:
    """Student's interval of a mean; infinite for fewer than two values."""
    if len(values) < 2:
        return Interval(-np.inf, np.inf)
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * float(values.std(ddof=1)) / np.sqrt(len(values))
    return Interval(float(values.mean() - half), float(values.mean() + half))
