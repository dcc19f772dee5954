"""Slips that would give an answer all the same: groups written twice, scores named as predictions, gaps named as ratios."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from evenhand.auditors.errors import PolicyError
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Report
from evenhand.datasets.errors import NotBinary
from evenhand.datasets.groups import lookalikes
from evenhand.service import render
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit


def audited(folder: Path, rows: list[str], *, check: list[dict[str, object]] | None = None, **data: object) -> Report:
    path = folder / "people.csv"
    path.write_text("\n".join(rows) + "\n")
    policy = Policy.model_validate({"data": {"sensitive": ["sex"], **data}, "check": check or []})
    return run_audit(AuditRequest(source=str(path), policy=policy, only=["group_disparity"]))


def printed(report: Report) -> str:
    written = io.StringIO()
    render.terminal(report, console=Console(file=written, width=200))
    return written.getvalue()


def decided(*sexes: str, prediction: str = "1") -> list[str]:
    return ["sex,y,p", *(f"{sex},{label},{prediction}" for sex in sexes for label in (0, 1) for _ in range(40))]


@pytest.mark.parametrize(
    ("values", "alike"),
    [
        (["F", "M", "M "], [("M", "M ")]),
        (["Female", "female", "FEMALE", None], [("Female", "female", "FEMALE")]),
        (["North  East", "north east"], [("North  East", "north east")]),
        (["F", "M", None, ""], []),
    ],
)
def test_values_that_differ_by_blanks_or_capitals_are_found(values: list[str], alike: list[tuple[str, ...]]) -> None:
    assert lookalikes(values) == alike


def test_groups_that_may_be_one_are_warned_of_by_name(tmp_path: Path) -> None:
    report = audited(tmp_path, decided("F", "M", "M "), label="y", prediction="p")

    (warning,) = report.subject.data.warnings
    assert '"M" and "M "' in warning
    assert warning in printed(report)
    assert "differ by blanks or capitals only" in render.html(report)


def test_groups_that_differ_are_not_warned_of(tmp_path: Path) -> None:
    assert audited(tmp_path, decided("F", "M"), label="y", prediction="p").subject.data.warnings == []


@pytest.mark.parametrize("positive", [None, "1"])
def test_a_column_of_probabilities_is_no_prediction(tmp_path: Path, positive: str | None) -> None:
    """With a positive value named, nearly every row would silently count as predicted negative."""
    rows = ["sex,y,p", *(f"{'MF'[i % 2]},{i % 3 % 2},{i / 80:.4f}" for i in range(81))]

    with pytest.raises(NotBinary, match="use `score` with `threshold`"):
        audited(tmp_path, rows, label="y", prediction="p", positive=positive)


def test_whole_numbers_are_no_prediction_of_a_label_with_two_values(tmp_path: Path) -> None:
    rows = ["sex,y,p", *(f"{'MF'[i % 2]},{i % 3 % 2},{1 + i % 10}" for i in range(80))]

    with pytest.raises(NotBinary, match="use `score` with `threshold`"):
        audited(tmp_path, rows, label="y", prediction="p", positive="1")


def test_whole_numbers_may_be_classes(tmp_path: Path) -> None:
    rows = ["sex,y,p", *(f"{'MF'[i % 2]},{i % 4},{(i + i % 5) % 4}" for i in range(160))]

    assert audited(tmp_path, rows, label="y", prediction="p", positive="1").findings


@pytest.mark.parametrize("metric", ["impact_ratio", "demographic_parity_ratio", "accuracy_ratio"])
def test_a_gap_named_as_a_ratio_is_refused_with_what_it_would_mean(tmp_path: Path, metric: str) -> None:
    check = [{"metric": metric, "within": 0.05}]

    with pytest.raises(PolicyError, match=r"20 times .* such as 0\.8") as refused:
        audited(tmp_path, decided("F", "M"), check=check, label="y", prediction="p")

    assert "name a difference" in str(refused.value)


def test_a_check_that_is_undefined_says_why_on_the_terminal(tmp_path: Path) -> None:
    report = audited(tmp_path, decided("F", "M", prediction="0"), prediction="p")

    said = printed(report)
    assert "a ratio of undefined" not in said
    assert " ".join(said.split()).count("favourable rate is 0 in every group compared") == 2


def test_pairs_that_are_left_out_are_counted_on_the_terminal(tmp_path: Path) -> None:
    rows = ["sex,y,p", *(f"g{i % 40},{i % 3 % 2},{i % 7 % 2}" for i in range(40 * 35))]

    report = audited(tmp_path, rows, label="y", prediction="p")

    pairs = report.audits.group_disparity.attributes[0].pairs
    assert pairs.listed < pairs.total
    assert f"Listed: {pairs.listed:,} of {pairs.total:,} pairs on sex" in printed(report)
