"""Changes, gaps and assumptions in plain words."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.gaps import Gap
from evenhand.auditors.robustness.planning import Plan
from evenhand.auditors.robustness.tables.data import Columns
from evenhand.auditors.robustness.tables.feasible import Block
from evenhand.auditors.robustness.tables.gaps import CostPair
from evenhand.auditors.robustness.tables.sample import Question
from evenhand.auditors.robustness.tables.states import OWN
from evenhand.auditors.robustness.tables.values import text_of

COST = (
    "the sum over changed features: a number costs the share of rows that it moves past (mid-distribution function), another "
    "category 1, each times its `cost` in the policy; features that determine each other count once"
)
ASKED: Mapping[Question, str] = {
    "recourse": "of rows without the favourable decision, those for which no actionable change that wins it was found",
    "fragility": "of rows with the favourable decision, those that lose it by a feasible change",
}


def number(value: float) -> str:
    """'1,234.5', at most six digits."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def change_in_words(
    columns: Columns, row: int, blocks: tuple[Block, ...], state: NDArray[np.int32], rules: Mapping[str, FeatureRule]
) -> str:
    """'monthly_income were 240 EUR higher (2,240 in place of 2,000) and job were skilled (in place of unskilled)'."""
    parts = []
    for block, value in zip(blocks, state.tolist(), strict=True):
        if value == OWN:
            continue
        said = [
            _one_change(name, columns[name][row], block.values[name][value], rules.get(name, FeatureRule()).unit)
            if name == block.leader
            else f"with it {name} {text_of(block.values[name][value])}"
            for name in block.members
        ]
        parts.append(", ".join(said))
    return " and ".join(parts)


def _one_change(name: str, old: Any, new: Any, unit: str | None) -> str:
    if not isinstance(new, float | np.floating):
        return f"{name} were {text_of(new)} (in place of {text_of(old)})"
    before, after = float(old), float(new)
    by = f"{number(abs(after - before))}{f' {unit}' if unit else ''}"
    return f"{name} were {by} {'higher' if after > before else 'lower'} ({number(after)} in place of {number(before)})"


def example_in_words(question: Question, favourable: str, change: str, cost: float) -> str:
    decision = (
        f"would get the favourable outcome ({favourable}) if "
        if question == "recourse"
        else f"would lose the favourable outcome ({favourable}) if "
    )
    return f"{decision}{change}: cost {cost:.2f}"


def share_message(
    gap: Gap,
    question: Question,
    attribute: str,
    *,
    budget: float,
    tolerance: float,
    shares: tuple[float, float],
    plan: Plan,
) -> str:
    """A gap in shares as one finding says it."""
    what = f"{question} by {attribute}, within a budget of {budget:g}: {ASKED[question]}"
    if gap.member is None or gap.estimate is None:
        return f"{what}: not assessed: {gap.reason}."
    member = gap.member
    interval = f" [{gap.interval.low:+.3f}, {gap.interval.high:+.3f}] at 99 %" if gap.interval else ""
    numbers = (
        f"{what}: {shares[0]:.3f} of '{member.first.text}' and {shares[1]:.3f} of '{member.second.text}', a difference of "
        f"{gap.estimate:+.3f}{interval}, p = {member.p_value:.2g}"
    )
    return numbers + _verdict_in_words(gap.verdict, gap.reason, tolerance, plan)


def cost_message(pair: CostPair | None, question: Question, attribute: str, *, proven: bool, tolerance: float) -> str:
    """A gap in median costs as one finding says it."""
    verb = "wins" if question == "recourse" else "loses"
    what = f"median cost of the smallest change found that {verb} the favourable decision, by {attribute}"
    if pair is None:
        return f"{what}: not assessed: fewer than two groups have rows with this decision."
    who = f"'{pair.first.text}' less '{pair.second.text}'"
    gap = pair.gap
    if gap.estimate is None or gap.low is None or gap.high is None or gap.p_value is None:
        return f"{what}, {who}: undefined: {gap.reason}."
    numbers = f"{what}, {who}: {gap.estimate:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}] at 99 %, p = {gap.p_value:.2g}"
    verdict = "proven_disparity" if proven else "inconclusive"
    return numbers + _verdict_in_words(verdict, None, tolerance, Plan(None, None))


def _verdict_in_words(verdict: str, reason: str | None, tolerance: float, plan: Plan) -> str:
    if verdict == "proven_disparity":
        return f". Reaches the tolerance of {tolerance:g}, and is proven to differ from 0: needs justification."
    if verdict == "proven_within":
        return f". Shown to be within the tolerance of {tolerance:g}."
    if verdict == "not_informative":
        return f". Not informative: {reason}."
    needed = f"; about {plan.rows_needed:,} rows a group tell in four of five samples" if plan.rows_needed else ""
    seen = f"; a gap of {plan.detectable:.2f} would have been proven" if plan.detectable else ""
    return f". Inconclusive{f' ({reason})' if reason else ''}{needed}{seen}."


def unsearched(levels: list[Level]) -> str | None:
    """Groups too small to prove anything, in words."""
    small = [f"'{level.text}' ({level.n})" for level in levels if level.comparable and level.small]
    return ", ".join(small) or None
