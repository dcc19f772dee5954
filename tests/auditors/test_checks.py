"""Checks of a policy on audits with rules of their own."""

import pytest

from evenhand.auditors.checks import gated, refuse_unknown, unanswered
from evenhand.auditors.errors import PolicyError, UnknownMetric
from evenhand.auditors.gate import decide
from evenhand.auditors.policy import Check
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict


def perceived(*, estimate: float = 0.2, p_value: float = 0.001, verdict: Verdict = Verdict.PROVEN_DISPARITY) -> Finding:
    return Finding(
        id="perception/class_gap/tone",
        audit="perception",
        metric="class_gap",
        comparison=Comparison.VALUE,
        attribute="tone",
        estimate=estimate,
        p_value=p_value,
        level=0.99,
        rule=Rule.EFFECT_AND_TEST,
        tolerance=0.1,
        verdict=verdict,
        gate=Gate.PROOF,
        message="",
    )


def contributed(*, low: float, high: float, verdict: Verdict) -> Finding:
    return Finding(
        id="proxy/contribution/sex/zip",
        audit="proxy",
        metric="contribution",
        comparison=Comparison.VALUE,
        attribute="sex",
        estimate=(low + high) / 2,
        low=low,
        high=high,
        tolerance=0.01,
        verdict=verdict,
        message="",
    )


def class_gap(**check: object) -> Check:
    return Check.model_validate({"audit": "perception", "metric": "class_gap", "within": 0.1, **check})


def test_without_a_policy_findings_stay_as_the_audit_gates_them() -> None:
    assert gated([perceived()], [], audit="perception")[0].gate is Gate.PROOF


def test_a_policy_gates_only_what_it_names() -> None:
    other = Check(metric="impact_ratio", within=0.8)

    assert gated([perceived()], [other], audit="perception")[0].gate is Gate.OFF


def test_a_check_gives_its_gate_and_tolerance() -> None:
    found = gated([perceived()], [class_gap(gate="strict", within=0.5)], audit="perception")[0]

    assert (found.gate, found.tolerance, found.verdict) == (Gate.STRICT, 0.5, Verdict.INCONCLUSIVE)


def test_a_check_on_another_attribute_leaves_the_finding_ungated() -> None:
    assert gated([perceived()], [class_gap(attributes=["age"])], audit="perception")[0].gate is Gate.OFF


def test_an_effect_that_the_audit_left_open_is_not_proven_by_a_wider_tolerance() -> None:
    finding = perceived(estimate=0.6, verdict=Verdict.INCONCLUSIVE)

    assert gated([finding], [class_gap(within=0.5)], audit="perception")[0].verdict is Verdict.INCONCLUSIVE


def test_a_proxy_check_can_fail_the_gate() -> None:
    """DESIGN section 3: off on proxies without a policy, for they ask for a justification."""
    check = Check.model_validate({"audit": "proxy", "metric": "contribution", "within": 0.05, "gate": "proof"})
    finding = contributed(low=0.08, high=0.12, verdict=Verdict.PROVEN_DISPARITY)

    assert decide(gated([finding], [check], audit="proxy")).exit_code == 1


def test_a_contribution_between_its_bounds_and_a_wider_tolerance_is_within() -> None:
    check = Check.model_validate({"audit": "proxy", "metric": "contribution", "within": 0.2, "gate": "strict"})
    finding = contributed(low=0.08, high=0.12, verdict=Verdict.PROVEN_DISPARITY)

    assert decide(gated([finding], [check], audit="proxy")).exit_code == 0


def test_a_strict_check_that_could_not_run_is_inconclusive() -> None:
    check = Check.model_validate({"audit": "robustness", "metric": "aligned", "within": 0.1, "gate": "strict"})

    silent = unanswered([check], findings=[], why_not={"robustness": "it looks at pictures"})

    assert decide(silent).exit_code == 3
    assert "it looks at pictures" in silent[0].message


def test_a_check_that_was_answered_is_not_said_twice() -> None:
    assert unanswered([class_gap()], findings=[perceived()], why_not={}) == []


@pytest.mark.parametrize("metric", ["tcav", "style_swap"])
def test_what_only_supports_cannot_be_gated(metric: str) -> None:
    with pytest.raises(PolicyError, match="only supports others"):
        refuse_unknown([class_gap(metric=metric)])


def test_an_unknown_metric_of_an_audit_is_refused() -> None:
    with pytest.raises(UnknownMetric, match="Did you mean 'class_gap'"):
        refuse_unknown([class_gap(metric="class_gp")])


def test_a_ratio_of_what_is_one_value_is_refused() -> None:
    with pytest.raises(PolicyError, match="is one value"):
        refuse_unknown([class_gap(compare="ratio")])
