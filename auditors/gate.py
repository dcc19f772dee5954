"""The gate: from findings to one outcome and the exit code that CI sees."""

from collections.abc import Sequence

from evenhand.auditors.report import Finding, GateResult
from evenhand.auditors.verdict import Gate, Verdict
from evenhand.auditors.words import spoken

EXIT_PASS, EXIT_DISPARITY, EXIT_INPUT, EXIT_INCONCLUSIVE, EXIT_FAILURE = 0, 1, 2, 3, 4

EXIT_MEANING = {
    EXIT_PASS: "every strict check is proven within its tolerance and no gated check is proven against",
    EXIT_DISPARITY: "a disparity is proven in a gated check: it needs a justification or a fix",
    EXIT_INPUT: "the input or the configuration is wrong; nothing was audited",
    EXIT_INCONCLUSIVE: "nothing is proven against it, but not every strict check could be proven within its tolerance",
    EXIT_FAILURE: "the audit itself failed; this says nothing about the model",
}


def decide(findings: Sequence[Finding], *, allow_inconclusive: bool = False) -> GateResult:
    """Outcome of all gated findings.

    Args:
        allow_inconclusive: turns exit code 3 into 0; the outcome stays inconclusive and the reasons stand.
    """
    gated = [finding for finding in findings if finding.gate is not Gate.OFF]
    against = [_name(f) for f in gated if f.verdict is Verdict.PROVEN_DISPARITY]
    if against:
        return _result("fail", EXIT_DISPARITY, [f"disparity proven: {name}" for name in against], allow_inconclusive)
    strict = [finding for finding in gated if finding.gate is Gate.STRICT]
    unproven = [_name(f) for f in strict if f.verdict is not Verdict.PROVEN_WITHIN]
    if not gated:
        reasons = ["nothing was gated"]
    elif unproven:
        reasons = [f"not proven within: {name}" for name in unproven]
    else:
        within = [f"proven within: {_name(f)}" for f in strict]
        return _result("pass", EXIT_PASS, within or ["no gated check is proven against"], allow_inconclusive)
    return _result("inconclusive", EXIT_PASS if allow_inconclusive else EXIT_INCONCLUSIVE, reasons, allow_inconclusive)


def overall_verdict(findings: Sequence[Finding], gate: GateResult) -> Verdict:
    """The report's one verdict: what the gated checks together have shown."""
    if gate.outcome == "fail":
        return Verdict.PROVEN_DISPARITY
    strict = [finding for finding in findings if finding.gate is Gate.STRICT]
    if strict and gate.outcome == "pass":
        return Verdict.PROVEN_WITHIN
    return Verdict.INCONCLUSIVE


def _name(finding: Finding) -> str:
    return f"{spoken(finding.metric)}, {finding.attribute}" if finding.attribute else spoken(finding.metric)


def _result(outcome: str, code: int, reasons: list[str], allow_inconclusive: bool) -> GateResult:
    return GateResult.model_validate(
        {"outcome": outcome, "exit_code": code, "reasons": reasons, "allow_inconclusive": allow_inconclusive}
    )
