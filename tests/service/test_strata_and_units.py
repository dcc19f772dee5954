"""A stratum and a unit column, from the file to the report."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.report import Report
from evenhand.service import render
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit
from tests.auditors.test_strata import MEN, WOMEN


@pytest.fixture(scope="module")
def berkeley(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One row an applicant; `applicant` names each twice."""
    path = tmp_path_factory.mktemp("berkeley") / "admissions.csv"
    rows = [
        (sex, department, int(i < admitted))
        for sex, table in (("Female", WOMEN), ("Male", MEN))
        for department, (admitted, applied) in zip("ABCDEF", table, strict=True)
        for i in range(applied)
    ]
    lines = [f"{sex},{department},{admitted},p{at // 2}" for at, (sex, department, admitted) in enumerate(rows)]
    path.write_text("\n".join(["sex,department,admitted,applicant", *lines]) + "\n")
    return path


def audit(path: Path, **roles: str) -> Report:
    data = DataSection.model_validate({"prediction": "admitted", "sensitive": ["sex"], **roles})
    return run_audit(AuditRequest(source=str(path), policy=Policy(data=data), only=["group_disparity"]))


def test_stratum_column_brings_the_reversal_into_report_and_page(berkeley: Path) -> None:
    report = audit(berkeley, stratum="department")

    strata = report.audits.group_disparity.strata[0]

    assert strata.groups[0].conditional.estimate == pytest.approx(-0.0193, abs=5e-5)
    assert "Simpson&#39;s reversal" in render.html(report)


def test_without_a_stratum_there_are_no_strata(berkeley: Path) -> None:
    assert audit(berkeley).audits.group_disparity.strata is None


def test_stratum_that_is_the_sensitive_column_compares_nothing_within_it(berkeley: Path) -> None:
    assert audit(berkeley, stratum="sex").audits.group_disparity.strata == []


def test_unit_column_widens_what_rows_alone_would_claim(berkeley: Path) -> None:
    by_unit, by_row = audit(berkeley, unit="applicant"), audit(berkeley)

    assert by_unit.audits.group_disparity.repeats.units == 2263
    assert by_unit.findings[0].high - by_unit.findings[0].low > by_row.findings[0].high - by_row.findings[0].low


def test_rows_without_a_unit_stand_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [f"{'ab'[i % 2]},{rng.integers(2)},{'' if i < 100 else f'u{i // 2}'}" for i in range(200)]
    (tmp_path / "rows.csv").write_text("\n".join(["g,p,unit", *lines]) + "\n")
    data = DataSection(prediction="p", sensitive=["g"], unit="unit")

    report = run_audit(
        AuditRequest(source=str(tmp_path / "rows.csv"), policy=Policy(data=data), only=["group_disparity"])
    )

    assert report.audits.group_disparity.repeats.units == 150
