import pytest

from evenhand.auditors.gate import decide, overall_verdict
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict


def finding(verdict: Verdict, gate: Gate) -> Finding:
    return Finding(
        id=f"{verdict}-{gate}",
        audit="group_disparity",
        metric="impact_ratio",
        comparison=Comparison.RATIO,
        attribute="sex",
        estimate=0.9,
        verdict=verdict,
        gate=gate,
        message="",
    )


W, D, Q = Verdict.PROVEN_WITHIN, Verdict.PROVEN_DISPARITY, Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("findings", "exit_code", "verdict"),
    [
        ([(W, Gate.STRICT)], 0, W),
        ([(W, Gate.STRICT), (Q, Gate.PROOF)], 0, W),
        ([(W, Gate.STRICT), (D, Gate.PROOF)], 1, D),
        ([(D, Gate.STRICT), (Q, Gate.STRICT)], 1, D),
        ([(Q, Gate.STRICT)], 3, Q),
        ([(D, Gate.OFF)], 3, Q),
        ([], 3, Q),
        ([(Q, Gate.PROOF)], 0, Q),
    ],
)
def test_exit_code_of_the_gate(findings: list[tuple[Verdict, Gate]], exit_code: int, verdict: Verdict) -> None:
    made = [finding(*each) for each in findings]

    gate = decide(made)

    assert gate.exit_code == exit_code
    assert overall_verdict(made, gate) is verdict


def test_allowing_inconclusive_turns_three_into_zero_and_keeps_the_reasons() -> None:
    gate = decide([finding(Q, Gate.STRICT)], allow_inconclusive=True)

    assert (gate.exit_code, gate.outcome) == (0, "inconclusive")
    assert gate.reasons


def test_a_proof_is_not_allowed_away() -> None:
    assert decide([finding(D, Gate.STRICT)], allow_inconclusive=True).exit_code == 1
