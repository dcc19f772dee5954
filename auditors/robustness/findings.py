"""Decided gaps as rows and findings of the report."""

from dataclasses import replace

from evenhand.auditors.policy import Norm
from evenhand.auditors.report import Finding, RobustnessGap
from evenhand.auditors.robustness.data import ImageData
from evenhand.auditors.robustness.gaps import TEST_LEVEL, Gap
from evenhand.auditors.robustness.planning import Plan, plan
from evenhand.auditors.robustness.questions import Question
from evenhand.auditors.robustness.words import easier_to_fool, gap_message, group_of
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict


def gap_row(gap: Gap, question: Question, eps: float) -> RobustnessGap:
    return RobustnessGap.model_validate(
        {
            "name": question.name,
            "attribute": question.attribute,
            "eps": eps,
            "estimate": gap.estimate,
            "low": gap.interval.low if gap.interval else None,
            "high": gap.interval.high if gap.interval else None,
            "p_value": gap.member.p_value if gap.member else None,
            "verdict": gap.verdict,
            "decides": question.decides,
            "reason": gap.reason,
        }
    )


def finding_of(
    gap: Gap, question: Question, data: ImageData, *, eps: float, norm: Norm, gate: Gate, tolerance: float
) -> Finding:
    """A gap as a finding; one that was not assessed has no estimate, and its message says why."""
    attribute = question.attribute
    shown = replace(gap, member=None, interval=None) if gap.verdict == "not_assessed" else gap
    member, interval = shown.member, shown.interval
    ahead = plan(member, tolerance=tolerance) if member and gap.verdict == "inconclusive" else Plan(None, None)
    equivalence = member.equivalence() if member and interval else None
    return Finding(
        id=f"robustness/{question.name}/{attribute}",
        audit="robustness",
        metric=question.name,
        comparison=Comparison.DIFFERENCE,
        attribute=attribute,
        group=group_of(attribute, member.first.text) if member else None,
        reference=group_of(attribute, member.second.text) if member else None,
        estimate=shown.estimate,
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
        gate=gate if question.decides else Gate.OFF,
        message=gap_message(
            shown,
            name=question.name,
            attribute=attribute,
            direction=easier_to_fool(member, attribute, data.classes, aligned=question.aligned) if member else "",
            norm=norm,
            eps=eps,
            tolerance=tolerance,
            plan=ahead,
        ),
        rows_needed=ahead.rows_needed,
        detectable=ahead.detectable,
    )
