"""Labels of more than two classes, from a file to the report."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.policy import Policy
from evenhand.datasets.errors import NotBinary
from evenhand.service import render
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit

CLASSES = np.array(["later", "no", "yes"])


def source(folder: Path, *, classes: int = 3, rows: int = 1200) -> Path:
    """Women labelled 'yes' are found in about 40 of 100, men in about 90."""
    rng = np.random.default_rng(0)
    sex = np.array(["F", "M"])[rng.integers(0, 2, rows)]
    label = rng.integers(3 - classes, 3, rows)
    found = rng.random(rows) < np.where((label == 2) & (sex == "F"), 0.4, 0.9)
    predicted = np.where(found, label, 3 - classes)
    path = folder / "decisions.csv"
    lines = [f"{s},{CLASSES[y]},{CLASSES[p]}" for s, y, p in zip(sex, label, predicted, strict=True)]
    path.write_text("sex,y,yhat\n" + "\n".join(lines) + "\n")
    return path


def request(path: Path, **data: object) -> AuditRequest:
    section = {"label": "y", "prediction": "yhat", "sensitive": ["sex"]} | data
    return AuditRequest(source=str(path), policy=Policy.model_validate({"data": section}))


def test_every_class_is_counted_by_group_and_the_gap_is_found(tmp_path: Path) -> None:
    report = run_audit(request(source(tmp_path), positive="yes"))

    assert report.audits.group_disparity is not None
    classes = report.audits.group_disparity.multiclass
    assert classes is not None
    assert (classes.classes, classes.favourable) == (["later", "no", "yes"], "yes")
    verdicts = {gap.name: gap.verdict.value for gap in classes.gaps}
    assert verdicts["yes"] == "proven_disparity"
    assert verdicts["no"] != "proven_disparity"
    yes = next(each for each in classes.by_class if each.name == "yes")
    positive = report.audits.group_disparity.attributes[0].groups
    assert [g.counts for g in yes.attributes[0].groups] == [g.counts for g in positive]
    assert "Every class" in render.html(report)


def test_the_gaps_of_classes_do_not_count_for_the_gate(tmp_path: Path) -> None:
    report = run_audit(request(source(tmp_path), positive="yes"))

    assert not [finding for finding in report.findings if "multiclass" in finding.id]


def test_two_classes_have_no_part_of_their_own(tmp_path: Path) -> None:
    report = run_audit(request(source(tmp_path, classes=2), positive="yes"))

    assert report.audits.group_disparity is not None
    assert report.audits.group_disparity.multiclass is None


def test_without_a_declared_class_three_classes_stay_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotBinary):
        run_audit(request(source(tmp_path)))


def test_without_labels_there_is_no_part_of_classes(tmp_path: Path) -> None:
    report = run_audit(request(source(tmp_path), label=None, positive="yes"))

    assert report.audits.group_disparity is not None
    assert report.audits.group_disparity.multiclass is None
