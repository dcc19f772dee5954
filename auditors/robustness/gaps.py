"""Gaps between groups: which contrast of the rates by class and group, its interval, its test, its verdict.

The perception audit compares predictions with the same functions. Draws come from `clusters`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.robustness.clusters import (
    Counts,
    Interval,
    Spread,
    Statistic,
    UnitTable,
    generator,
    none_seen,
    p_value,
    regrouped,
    resampled,
)
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.verdict import Verdict, effect_and_test

TEST_LEVEL = 0.99
WATCH_LEVEL = 0.95
EQUIVALENCE_LEVEL = 0.90

GapVerdict = Literal["proven_disparity", "proven_within", "inconclusive", "not_assessed", "not_informative"]


@dataclass(frozen=True)
class Contrast:
    """A statistic of the rates by class of two groups; `label` is the class it is about, None: several."""

    statistic: Statistic
    label: int | None = None


def weighted_difference(weights: Sequence[float]) -> Statistic:
    """Sum over classes of weight times (rate of the first group - rate of the second); NaN where a cell is empty."""
    used = [index for index, weight in enumerate(weights) if weight]
    factors = np.array([weights[index] for index in used])

    def statistic(success: Counts, total: Counts) -> NDArray[np.float64]:
        rates = _rates(success[:, used], total[:, used])
        return np.asarray((rates[:, :, 0] - rates[:, :, 1]) @ factors, dtype=np.float64)

    return statistic


def pooled_difference(success: Counts, total: Counts) -> NDArray[np.float64]:
    """Rate of the first group minus that of the second, all classes together."""
    rates = _rates(success.sum(axis=1), total.sum(axis=1))
    return np.asarray(rates[:, 0] - rates[:, 1])


def _rates(success: Counts, total: Counts) -> Counts:
    rates = np.full(success.shape, np.nan)
    np.divide(success, total, out=rates, where=total > 0)
    return rates


def aligned(classes: int) -> list[Contrast]:
    """Half of {[R(1,a) - R(1,b)] - [R(0,a) - R(0,b)]}: for two classes alone."""
    return [Contrast(weighted_difference((-0.5, 0.5)))] if classes == 2 else []


def within_class(classes: int) -> list[Contrast]:
    """R(c,a) - R(c,b) for every class c."""
    return [Contrast(weighted_difference(np.eye(classes)[index].tolist()), label=index) for index in range(classes)]


@dataclass(frozen=True)
class Member:
    """One contrast on one pair of groups; `estimate` None: a cell is empty.

    `floor` is the least half-width of its equivalence interval.
    """

    first: Level
    second: Level
    label: int | None
    spread: Spread | None
    p_value: float | None
    floor: float

    @property
    def estimate(self) -> float | None:
        return None if self.spread is None else self.spread.estimate

    @property
    def size(self) -> float:
        return -1.0 if self.estimate is None else abs(self.estimate)

    @property
    def small(self) -> bool:
        return self.first.small or self.second.small

    def equivalence(self) -> Interval:
        """One-sided .95 each way, never narrower than what as many units without a single case would leave open."""
        if self.spread is None:
            return Interval(-np.inf, np.inf)
        interval = self.spread.interval(EQUIVALENCE_LEVEL)
        return Interval(
            min(interval.low, self.spread.estimate - self.floor), max(interval.high, self.spread.estimate + self.floor)
        )

    def proven(self, tolerance: float) -> bool:
        """Effect and test, and the .95 interval without 0."""
        if self.spread is None or self.small:
            return False
        decided = effect_and_test(
            estimate=self.spread.estimate, tolerance=tolerance, p_value=self.p_value, level=TEST_LEVEL
        )
        return decided is Verdict.PROVEN_DISPARITY and self.leaves_out_zero()

    def leaves_out_zero(self) -> bool:
        if self.spread is None:
            return False
        interval = self.spread.interval(WATCH_LEVEL)
        return interval.low > 0 or interval.high < 0

    def within(self, tolerance: float) -> bool:
        interval = self.equivalence()
        return not self.small and -tolerance < interval.low and interval.high < tolerance


@dataclass(frozen=True)
class Gap:
    """A decided gap: the member that decides, its interval at TEST_LEVEL, and why."""

    member: Member | None
    verdict: GapVerdict
    reason: str | None
    interval: Interval | None = None
    members: int = 1

    @property
    def estimate(self) -> float | None:
        return self.member.estimate if self.member else None


def members_of(
    table: UnitTable, levels: Sequence[Level], contrasts: Sequence[Contrast], *, seed: int, name: str
) -> list[Member]:
    """Every contrast on every pair of comparable groups, p-values adjusted by Holm over all that are defined.

    Args:
        table: units by class and group; column i is `levels[i]`.
        levels: the groups, all comparable.
        contrasts: the statistics.
        seed: of bootstrap and permutations.
        name: what is compared; with the seed it fixes the draws.

    A group under 30 rows is listed and neither proves anything nor counts in Holm's family where others remain.
    """
    raw: list[Member] = []
    for first, second in combinations(range(len(levels)), 2):
        raw += _pair_members(table.groups(first, second), levels[first], levels[second], contrasts, seed, name)
    family = [index for index, member in enumerate(raw) if member.p_value is not None and not member.small]
    family = family or [index for index, member in enumerate(raw) if member.p_value is not None]
    adjusted = holm(np.array([raw[index].p_value for index in family], dtype=np.float64))
    for index, value in zip(family, adjusted, strict=True):
        member = raw[index]
        raw[index] = Member(member.first, member.second, member.label, member.spread, float(value), member.floor)
    return raw


def _pair_members(
    table: UnitTable, first: Level, second: Level, contrasts: Sequence[Contrast], seed: int, name: str
) -> list[Member]:
    observed = table.sums()
    estimates = [float(contrast.statistic(*observed)[0]) for contrast in contrasts]
    if not np.isfinite(estimates).any():
        return [Member(first, second, contrast.label, None, None, 0.0) for contrast in contrasts]
    texts = sorted((str(first.text), str(second.text)))
    resamples = resampled(table, generator(seed, name, "bootstrap", *texts))
    success, total, exact = regrouped(table, generator(seed, name, "permutation", *texts))
    members = []
    for contrast, estimate in zip(contrasts, estimates, strict=True):
        if not np.isfinite(estimate):
            members.append(Member(first, second, contrast.label, None, None, 0.0))
            continue
        draws = contrast.statistic(*resamples)
        spread = Spread(estimate=estimate, draws=draws[np.isfinite(draws)], units=table.units)
        p = p_value(estimate, contrast.statistic(success, total), exact=exact)
        members.append(
            Member(first, second, contrast.label, spread, p, none_seen(table.units, (1 + EQUIVALENCE_LEVEL) / 2))
        )
    return members


def decide(members: Sequence[Member], *, tolerance: float) -> Gap:
    """The verdict of a family: its largest proven member decides, else its largest.

    Proven within only where every member is shown to be within (an intersection-union test).
    """
    defined = [member for member in members if member.estimate is not None]
    if not defined:
        return Gap(None, "not_assessed", "a class × group cell is empty")
    proven = [member for member in defined if member.proven(tolerance)]
    compared = [member for member in defined if not member.small] or defined
    member = max(proven or compared, key=lambda one: one.size)
    interval = member.spread.interval(TEST_LEVEL) if member.spread else None
    interval = interval if interval and interval.known else None
    verdict, reason = _verdict(members, member, proven=bool(proven), tolerance=tolerance)
    return Gap(member, verdict, reason, interval, members=len(defined))


def _verdict(
    members: Sequence[Member], member: Member, *, proven: bool, tolerance: float
) -> tuple[GapVerdict, str | None]:
    if proven:
        return "proven_disparity", None
    if all(one.within(tolerance) for one in members):
        return "proven_within", None
    if member.small:
        small = min((member.first, member.second), key=lambda level: level.n)
        return "inconclusive", f"group '{small.text}' has {small.n} pictures; under 30 nothing is proven"
    if member.leaves_out_zero():
        return (
            "inconclusive",
            "watch: an interval of 95 % would leave 0 out, but size and test at 99 % do not prove a disparity",
        )
    return "inconclusive", None
