"""Small reports, made by hand."""

from datetime import UTC, datetime
from typing import Any

from evenhand.auditors.report import (
    Audits,
    Environment,
    Finding,
    GateResult,
    Report,
    Subject,
    SubjectData,
)
from evenhand.auditors.verdict import Comparison, Gate, Verdict


def made_finding(**changed: Any) -> Finding:
    given: dict[str, Any] = {
        "id": "f1",
        "audit": "group_disparity",
        "metric": "impact_ratio",
        "comparison": Comparison.RATIO,
        "attribute": "sex",
        "group": {"sex": "woman"},
        "reference": {"sex": None},
        "estimate": 0.7,
        "low": 0.6,
        "high": 0.79,
        "tolerance": 0.8,
        "verdict": Verdict.PROVEN_DISPARITY,
        "gate": Gate.STRICT,
        "message": "women are selected 70 times where others are 100 times",
    }
    return Finding(**{**given, **changed})


def made_report(*findings: Finding, **changed: Any) -> Report:
    given: dict[str, Any] = {
        "id": "r1",
        "created": datetime(2026, 1, 2, tzinfo=UTC),
        "tool": {"name": "evenhand", "version": "0"},
        "seed": 0,
        "subject": Subject(
            title="People",
            data=SubjectData(name="people", sha256="a" * 64, rows=2, columns=["sex"]),
            model=None,
            policy={},
        ),
        "verdict": Verdict.PROVEN_DISPARITY,
        "gate": GateResult(outcome="fail", exit_code=1, reasons=["impact ratio, sex"]),
        "audits": Audits(),
        "findings": list(findings) or [made_finding()],
        "environment": Environment(python="3", platform="x", packages={}),
    }
    return Report(**{**given, **changed})
