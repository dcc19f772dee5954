"""Decided gaps in recourse and fragility as rows and findings of the report."""

from dataclasses import replace

import numpy as np

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Finding, RobustnessGap
from evenhand.auditors.robustness.gaps import TEST_LEVEL, Gap
from evenhand.auditors.robustness.planning import Plan, plan
from evenhand.auditors.robustness.tables.gaps import COST_OF, CostPair, Floats
from evenhand.auditors.robustness.tables.groups import struck
from evenhand.auditors.robustness.tables.sample import Question, Sample
from evenhand.auditors.robustness.tables.words import cost_message, share_message
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict

DECIDES: Question = "recourse"
"""The one gap of each attribute that decides, unless the policy names others."""


def share_row(gap: Gap, question: Question, attribute: str, budget: float) -> RobustnessGap:
    return RobustnessGap(
        name=question,
        attribute=attribute,
        eps=budget,
        estimate=gap.estimate,
        low=gap.interval.low if gap.interval else None,
        high=gap.interval.high if gap.interval else None,
        p_value=gap.member.p_value if gap.member else None,
        verdict=gap.verdict,
        decides=question == DECIDES,
        reason=gap.reason,
    )


def share_finding(
    gap: Gap,
    question: Question,
    attribute: str,
    *,
    sample: Sample,
    cost: Floats,
    budget: float,
    fragility_budget: float,
    gate: Gate,
    tolerance: float,
) -> Finding:
    member, interval = gap.member, gap.interval
    shares = (np.nan, np.nan)
    if member is not None:
        drawn = (sample.drawn(attribute, level.code, question) for level in (member.first, member.second))
        one, other = (float(struck(cost[rows], question, fragility_budget=fragility_budget).mean()) for rows in drawn)
        shares = (one, other)
    ahead = _planned(gap, tolerance)
    equivalence = member.equivalence() if member and interval else None
    return Finding(
        id=f"robustness/{question}/{attribute}",
        audit="robustness",
        metric=question,
        comparison=Comparison.DIFFERENCE,
        attribute=attribute,
        group={attribute: member.first.text} if member else None,
        reference={attribute: member.second.text} if member else None,
        estimate=gap.estimate,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        level=TEST_LEVEL,
        equivalence_low=equivalence.low if equivalence else None,
        equivalence_high=equivalence.high if equivalence else None,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=tolerance,
        verdict=Verdict(gap.verdict) if gap.verdict.startswith("proven") else Verdict.INCONCLUSIVE,
        n=member.first.n if member else None,
        reference_n=member.second.n if member else None,
        p_value=member.p_value if member else None,
        gate=gate if question == DECIDES else Gate.OFF,
        message=share_message(gap, question, attribute, budget=budget, tolerance=tolerance, shares=shares, plan=ahead),
        rows_needed=ahead.rows_needed,
        detectable=ahead.detectable,
    )


def _planned(gap: Gap, tolerance: float) -> Plan:
    """What it would take to know more; never fewer rows than a group needs to prove anything."""
    if gap.member is None or gap.verdict != "inconclusive":
        return Plan(None, None)
    ahead = plan(gap.member, tolerance=tolerance)
    rows = ahead.rows_needed
    return replace(ahead, rows_needed=None if rows is None else max(rows, SMALL_GROUP_ROWS))


def cost_row(
    pair: CostPair | None, question: Question, attribute: str, budget: float, *, tolerance: float
) -> RobustnessGap:
    gap = pair.gap if pair else None
    proven = pair is not None and pair.proven(tolerance)
    return RobustnessGap(
        name=COST_OF[question],
        attribute=attribute,
        eps=budget,
        estimate=gap.estimate if gap else None,
        low=gap.low if gap else None,
        high=gap.high if gap else None,
        p_value=gap.p_value if gap else None,
        verdict="proven_disparity"
        if proven
        else "inconclusive"
        if gap and gap.estimate is not None
        else "not_assessed",
        reason=gap.reason if gap else "fewer than two groups have rows with this decision",
    )


def cost_finding(pair: CostPair | None, question: Question, attribute: str, *, tolerance: float) -> Finding:
    gap = pair.gap if pair else None
    proven = pair is not None and pair.proven(tolerance)
    return Finding(
        id=f"robustness/{COST_OF[question]}/{attribute}",
        audit="robustness",
        metric=COST_OF[question],
        comparison=Comparison.DIFFERENCE,
        attribute=attribute,
        group={attribute: pair.first.text} if pair else None,
        reference={attribute: pair.second.text} if pair else None,
        estimate=gap.estimate if gap else None,
        low=gap.low if gap else None,
        high=gap.high if gap else None,
        level=TEST_LEVEL,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=tolerance,
        verdict=Verdict.PROVEN_DISPARITY if proven else Verdict.INCONCLUSIVE,
        n=pair.first.n if pair else None,
        reference_n=pair.second.n if pair else None,
        p_value=gap.p_value if gap else None,
        gate=Gate.OFF,
        message=cost_message(pair, question, attribute, proven=proven, tolerance=tolerance),
    )
