"""The policy's checks on audits with rules of their own: which findings count for the gate, and checks that could not run.

Group disparity plans its checks before it counts (`disparity.plan`), for they share one error. The audits here state a
level with each finding; the policy says which findings are gated and against which tolerance.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

from evenhand.auditors.errors import PolicyError, UnknownMetric
from evenhand.auditors.policy import Check
from evenhand.auditors.report import AuditName, Finding, PerceptionCheck, RobustnessGap
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict, effect_and_test

METRICS: Mapping[AuditName, tuple[str, ...]] = {
    "proxy": ("contribution",),
    "robustness": (*get_args(RobustnessGap.model_fields["name"].annotation), "corruption_gap"),
    "perception": get_args(PerceptionCheck.model_fields["name"].annotation),
}
"""What a check may name, by audit."""

SUPPORT_ONLY = ("tcav", "style_swap")
"""Checks of perception that only support others: METHODS section 6 gives them no verdict, so no policy can gate them."""

USUAL_GATE: Mapping[AuditName, Gate] = {"proxy": Gate.OFF, "robustness": Gate.PROOF, "perception": Gate.PROOF}
"""Without a policy, and for a check that names no gate."""


def refuse_unknown(checks: Sequence[Check]) -> None:
    """Refuse checks that no audit could answer, before anything runs.

    Raises:
        UnknownMetric: the audit has no such metric.
        PolicyError: the check compares as a ratio what is a value, or gates what only supports.
    """
    for check in checks:
        known = METRICS.get(check.audit)
        if known is None:
            continue
        if check.metric not in known:
            raise UnknownMetric(check.metric, known)
        if check.metric in SUPPORT_ONLY:
            raise PolicyError(
                f"check '{check.metric}' of {check.audit} only supports others and has no verdict to gate. Leave it out, "
                "or name paired_counterfactual or class_gap."
            )
        if check.compare not in (None, Comparison.VALUE, Comparison.DIFFERENCE):
            raise PolicyError(
                f"check '{check.metric}' of {check.audit} is one value: leave `compare` out, or write \"value\"."
            )


def gated(findings: Sequence[Finding], checks: Sequence[Check], *, audit: AuditName) -> list[Finding]:
    """The findings of one audit as the policy gates them.

    Args:
        findings: of the audit, as it gates them without a policy.
        checks: all checks of the policy; none at all leaves the findings as they are.

    Returns:
        As many findings: those that a check names get its gate and tolerance, the others none.
    """
    if not checks or audit not in METRICS:
        return list(findings)
    return [_gated(finding, [check for check in checks if check.audit == audit]) for finding in findings]


def _gated(finding: Finding, checks: Sequence[Check]) -> Finding:
    for check in checks:
        if check.metric == finding.metric and (check.attributes is None or finding.attribute in check.attributes):
            gate = check.gate or USUAL_GATE[finding.audit]
            return finding.model_copy(
                update={"gate": gate, "tolerance": check.within, "verdict": _decided(finding, check.within)}
            )
    return finding.model_copy(update={"gate": Gate.OFF})


def _decided(finding: Finding, tolerance: float) -> Verdict:
    """The verdict at another tolerance: never more than the audit itself claimed, unless the interval shows it."""
    if finding.estimate is None or finding.tolerance is None or tolerance == finding.tolerance:
        return finding.verdict
    was_proven = finding.verdict is Verdict.PROVEN_DISPARITY
    if finding.rule is Rule.EFFECT_AND_TEST:
        if tolerance > finding.tolerance and not was_proven:
            return finding.verdict
        return effect_and_test(
            estimate=finding.estimate, tolerance=tolerance, p_value=finding.p_value, level=finding.level or 0.99
        )
    if was_proven and finding.low is not None and finding.low > tolerance:
        return Verdict.PROVEN_DISPARITY
    high = finding.equivalence_high if finding.equivalence_high is not None else finding.high
    low = finding.equivalence_low if finding.equivalence_low is not None else finding.low
    if high is not None and low is not None and high < tolerance and low > -tolerance:
        return Verdict.PROVEN_WITHIN
    return Verdict.INCONCLUSIVE


def checks_behind(findings: Sequence[Finding]) -> list[Check]:
    """The checks that a policy would have to name for these findings to be gated as they are.

    Args:
        findings: of any audits; those of group disparity are planned from the policy and are left out.
    """
    attributes: dict[tuple[AuditName, str, float, Gate], list[str]] = {}
    for finding in findings:
        if finding.audit in METRICS and finding.gate is not Gate.OFF and finding.tolerance is not None:
            asked = (finding.audit, finding.metric, finding.tolerance, finding.gate)
            attributes.setdefault(asked, []).extend([finding.attribute] if finding.attribute else [])
    return [
        Check(audit=audit, metric=metric, within=within, gate=gate, attributes=named or None)
        for (audit, metric, within, gate), named in attributes.items()
    ]


def unanswered(
    checks: Sequence[Check], *, findings: Sequence[Finding], why_not: Mapping[AuditName, str | None]
) -> list[Finding]:
    """A finding for every gated check that no finding answers: its audit did not run, or found nothing of that name.

    Args:
        why_not: reason by audit that did not run.
    """
    answered = {(finding.audit, finding.metric) for finding in findings}
    silent: list[Finding] = []
    for number, check in enumerate(checks, start=1):
        gate = check.gate or USUAL_GATE.get(check.audit, Gate.STRICT)
        if gate is Gate.OFF or (check.audit, check.metric) in answered:
            continue
        reason = why_not.get(check.audit) or "the audit has no such result for these data"
        silent.append(
            Finding(
                id=f"{check.audit}/{check.metric}/check {number}",
                audit=check.audit,
                metric=check.metric,
                comparison=check.compare or Comparison.VALUE,
                attribute=None,
                estimate=None,
                tolerance=check.within,
                verdict=Verdict.INCONCLUSIVE,
                gate=gate,
                message=f"This check could not run: {reason}.",
            )
        )
    return silent
