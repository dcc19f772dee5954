"""Gaps between groups in recourse and fragility: shares by the machinery of all robustness gaps, median costs beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.multiplicity import holm
from evenhand.auditors.robustness.clusters import unit_table
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.gaps import TEST_LEVEL, Contrast, Gap, decide, members_of, pooled_difference
from evenhand.auditors.robustness.tables.groups import struck
from evenhand.auditors.robustness.tables.medians import CostGap, cost_gap
from evenhand.auditors.robustness.tables.sample import Question, Sample
from evenhand.auditors.verdict import Verdict, effect_and_test

Floats = NDArray[np.float64]
GapName = Literal["recourse", "recourse_cost", "fragility", "fragility_cost"]

COST_OF: dict[Question, GapName] = {"recourse": "recourse_cost", "fragility": "fragility_cost"}


@dataclass(frozen=True)
class CostPair:
    """The difference in median cost of two groups, with its p-value adjusted over all pairs."""

    first: Level
    second: Level
    gap: CostGap

    @property
    def small(self) -> bool:
        return self.first.small or self.second.small

    def proven(self, tolerance: float) -> bool:
        if self.small or self.gap.low is None or self.gap.high is None:
            return False
        decided = effect_and_test(
            estimate=self.gap.estimate, tolerance=tolerance, p_value=self.gap.p_value, level=TEST_LEVEL
        )
        return decided is Verdict.PROVEN_DISPARITY and not self.gap.low <= 0 <= self.gap.high


def impossible(levels: Sequence[Level], question: Question) -> str | None:
    """Why no groups can be compared."""
    comparable = [level for level in levels if level.comparable]
    if len(comparable) >= 2:
        return None
    decision = "an unfavourable" if question == "recourse" else "a favourable"
    return f"fewer than two groups have rows with {decision} decision"


def share_gap(
    sample: Sample,
    attribute: str,
    question: Question,
    cost: Floats,
    *,
    fragility_budget: float,
    tolerance: float,
    seed: int,
) -> Gap:
    """The largest difference of shares between two groups, tested over units, with Holm over all pairs."""
    levels = [level for level in sample.levels(attribute, question) if level.comparable]
    if reason := impossible(levels, question):
        return Gap(None, "not_assessed", reason)
    drawn = [sample.drawn(attribute, level.code, question) for level in levels]
    rows = np.concatenate(drawn)
    group = np.repeat(np.arange(len(levels)), [len(each) for each in drawn])
    table = unit_table(
        struck(cost[rows], question, fragility_budget=fragility_budget),
        unit=sample.data.units()[rows],
        label=np.zeros(len(rows), dtype=np.int64),
        group=group,
        classes=1,
        groups=len(levels),
    )
    contrasts = [Contrast(pooled_difference)]
    gap = decide(
        members_of(table, levels, contrasts, seed=seed, name=f"{question} of {attribute}"), tolerance=tolerance
    )
    if question == "recourse" and not np.isfinite(cost[rows]).any():
        reason = "no change within the budget wins the decision of anybody: at the ceiling a gap cannot show"
        return replace(gap, verdict="not_informative", reason=reason)
    if gap.member is not None and gap.member.small and gap.verdict == "inconclusive":
        return replace(gap, reason=small_group((gap.member.first, gap.member.second)))
    return gap


def small_group(levels: Sequence[Level]) -> str:
    smallest = min(levels, key=lambda level: level.n)
    return f"group '{smallest.text}' has {smallest.n} rows with this decision; under 30 nothing is proven"


def cost_pairs(
    sample: Sample, attribute: str, question: Question, cost: Floats, *, budget: float, seed: int
) -> list[CostPair]:
    """Every pair of groups; a group under 30 rows is listed and does not count in Holm's family where others remain."""
    levels = [level for level in sample.levels(attribute, question) if level.comparable]
    unit = sample.data.units()
    found = []
    for first, second in combinations(levels, 2):
        one, other = (sample.drawn(attribute, level.code, question) for level in (first, second))
        gap = cost_gap(cost[one], cost[other], unit[one], unit[other], budget=budget, level=TEST_LEVEL, seed=seed)
        found.append(CostPair(first, second, gap))
    family = [index for index, pair in enumerate(found) if pair.gap.p_value is not None and not pair.small]
    adjusted = holm(np.array([found[index].gap.p_value for index in family], dtype=np.float64))
    for index, value in zip(family, adjusted, strict=True):
        pair = found[index]
        found[index] = replace(pair, gap=replace(pair.gap, p_value=float(value)))
    return found


def deciding_cost(pairs: Sequence[CostPair], *, tolerance: float) -> CostPair | None:
    """The largest proven difference, else the largest between groups that are large enough, else the first."""
    proven = [pair for pair in pairs if pair.proven(tolerance)]
    defined = [pair for pair in pairs if pair.gap.estimate is not None]
    large = [pair for pair in defined if not pair.small]
    candidates = proven or large or defined or list(pairs)
    return max(candidates, key=lambda pair: abs(pair.gap.estimate or 0.0), default=None)
