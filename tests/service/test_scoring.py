"""Scores from a column to the report: metrics beside those of decisions, checks in the one error, nothing without scores."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evenhand.auditors.errors import PolicyError
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import GroupDisparity, Report
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    sex, label = rng.integers(0, 2, 1_500), rng.integers(0, 2, 1_500)
    score = 1 / (1 + np.exp(-(rng.standard_normal(1_500) + label)))
    lines = [f"{s},{y},{p:.6f},{int(p >= 0.5)}" for s, y, p in zip(sex, label, score, strict=True)]
    path = tmp_path_factory.mktemp("scores") / "rows.csv"
    path.write_text("sex,y,score,yhat\n" + "\n".join(lines) + "\n")
    return path


def audited(source: Path, *checks: dict[str, object], **data: object) -> Report:
    policy = Policy.model_validate({"data": {"label": "y", "sensitive": ["sex"], **data}, "check": list(checks)})
    return run_audit(AuditRequest(source=str(source), policy=policy, only=["group_disparity"]))


def disparity(report: Report) -> GroupDisparity:
    assert report.audits.group_disparity is not None
    return report.audits.group_disparity


def test_areas_stand_among_the_metrics_of_each_group(source: Path) -> None:
    rows = np.loadtxt(source, delimiter=",", skiprows=1)

    (attribute,) = disparity(audited(source, score="score")).attributes

    for group in attribute.groups:
        inside = rows[:, 0] == int(str(group.group["sex"]))
        area = group.metrics["roc_auc"]
        assert area.estimate == pytest.approx(roc_auc_score(rows[inside, 1], rows[inside, 2]))
        assert area.low is not None
        assert area.high is not None
        assert area.low < area.estimate < area.high
        assert "true_positive_rate" in group.metrics
    assert attribute.overall.metrics["roc_auc"].estimate == pytest.approx(roc_auc_score(rows[:, 1], rows[:, 2]))


def test_checks_on_scores_and_on_decisions_share_one_error(source: Path) -> None:
    checks = (
        {"metric": "roc_auc", "within": 0.2},
        {"metric": "accuracy", "within": 0.2},
        {"metric": "brier", "within": 0.2},
    )

    report = audited(source, *checks, score="score")

    gated = [finding for finding in report.findings if finding.gate != "off"]
    assert {finding.metric for finding in gated} == {"roc_auc", "accuracy", "brier"}
    assert [finding.level for finding in gated] == pytest.approx([1 - 0.05 / 3] * 3)
    assert disparity(report).family_level == pytest.approx(1 - 0.05 / 3)
    assert report.gate.exit_code == 0


def test_predictions_alone_have_no_scores(source: Path) -> None:
    found = disparity(audited(source, prediction="yhat"))

    assert found.scores is None
    assert all("roc_auc" not in group.metrics for group in found.attributes[0].groups)


def test_a_check_on_scores_needs_scores(source: Path) -> None:
    with pytest.raises(PolicyError, match="check 'roc_auc' needs scores"):
        audited(source, {"metric": "roc_auc", "within": 0.1}, prediction="yhat")


def test_rows_of_one_unit_are_not_independent_in_the_metrics_of_scores(source: Path, tmp_path: Path) -> None:
    """Every row four times, as one person each: the intervals of the rows once. Taken as people, they would halve."""
    header, *rows = source.read_text().splitlines()
    often = tmp_path / "often.csv"
    often.write_text(f"{header},who\n" + "".join(f"{row},{i}\n" * 4 for i, row in enumerate(rows)))

    reports = [
        audited(source, score="score"),
        audited(often, score="score", unit="who"),
        audited(often, score="score"),
    ]

    once, by_unit, by_row = (disparity(report).attributes[0].groups[0].metrics["roc_auc"] for report in reports)
    assert None not in (once.low, by_unit.low, by_row.low)
    assert by_unit.estimate == pytest.approx(once.estimate)
    assert by_unit.low == pytest.approx(once.low, abs=5e-4)
    assert by_row.low > by_unit.low + 0.005  # type: ignore[operator]
    scores = disparity(reports[1]).scores
    assert scores is not None
    assert any("Obuchowski" in note for note in scores[0].notes)


def test_same_seed_same_scores(source: Path) -> None:
    assert disparity(audited(source, score="score")).scores == disparity(audited(source, score="score")).scores


def test_an_audit_of_predictions_does_not_load_what_scores_need(source: Path) -> None:
    script = (
        "import sys\nfrom evenhand.service.audits.documents import AuditRequest\n"
        "from evenhand.service.audits.run import run_audit\nfrom evenhand.auditors.policy import Policy\n"
        "policy = Policy.model_validate({'data': {'label': 'y', 'prediction': 'yhat', 'sensitive': ['sex']}})\n"
        f"run_audit(AuditRequest(source={str(source)!r}, policy=policy))\n"
        "print(*(name for name in sys.modules if name.startswith('evenhand.auditors.scores.')))"
    )

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()

    assert set(loaded) <= {
        "evenhand.auditors.scores.catalogue",
        "evenhand.auditors.scores.plan",
        "evenhand.auditors.scores.data",
    }
