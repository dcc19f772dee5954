"""Whole audits through the one door that jobs and the command line share."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.report import AuditName, Report
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.errors import NoRowsLeft
from evenhand.service.audits.run import run_audit
from evenhand.service.audits.verification import verify_again, verify_alone
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.train import train

UNREPEATED = {"id", "created", "signature"}


def silent(fraction: float, message: str) -> None:
    """Shows nothing."""


@pytest.fixture(scope="module")
def german_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("german")
    request = TrainingRequest(kind="logistic_regression", dataset="german")
    return folder / train(request, source="german", folder=folder, progress=silent)["filename"]


@pytest.fixture(scope="module")
def german_report(german_model: Path) -> Report:
    return run_audit(AuditRequest(source="german", model_path=str(german_model), only=["group_disparity"]))


def test_audit_takes_the_rows_that_training_kept(german_report: Report) -> None:
    assert german_report.subject.data.rows == 300
    assert "those the model was not trained on" in german_report.subject.data.limits[0]


@pytest.mark.parametrize(
    ("values", "positive", "negative"),
    [(("yes", "no"), "yes", "no"), ((1, 0), None, "0"), ((True, False), None, "False"), (("a", "b", "c"), "a", None)],
)
def test_label_has_its_other_value_by_its_own_name(
    values: tuple[object, ...], positive: str | None, negative: str | None, tmp_path: Path
) -> None:
    rows = [f"{values[i % len(values)]},{values[i % 2]},{'mf'[i % 7 % 2]}" for i in range(84)]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["hired,said,sex", *rows]))
    data = DataSection(label="hired", prediction="said", sensitive=["sex"], positive=positive)

    report = run_audit(AuditRequest(source=str(path), policy=Policy(data=data), only=["group_disparity"]))

    assert report.audits.group_disparity is not None
    assert report.audits.group_disparity.negative == negative


def test_report_names_the_model_and_its_confinement(german_report: Report) -> None:
    model = german_report.subject.model

    assert model is not None
    assert model.kind == "logistic_regression"
    assert model.confinement is not None
    assert german_report.environment.confinement is not None
    assert german_report.environment.confinement.mode == model.confinement
    assert german_report.environment.confinement.seccomp
    assert len(model.sha256) == 64


def test_applied_policy_stands_in_the_report(german_report: Report) -> None:
    data = german_report.subject.policy["data"]

    assert (data["label"], data["positive"], data["sensitive"]) == ("credit_risk", "good", ["sex", "age_group"])
    assert [check["metric"] for check in german_report.subject.policy["check"]] == [
        "impact_ratio",
        "equalized_odds_difference",
    ]


def test_report_can_be_recomputed_from_itself_and_its_data(german_report: Report, german_model: Path) -> None:
    tests = [*verify_alone(german_report), *verify_again(german_report, source="german", model_path=str(german_model))]

    assert [test for test in tests if test.problem is not None] == []


def test_report_without_a_policy_names_every_check_that_it_gated(german_model: Path) -> None:
    """Also those of audits with rules of their own: else a second run by the policy in the report gates fewer."""
    audits: list[AuditName] = ["group_disparity", "robustness"]
    report = run_audit(AuditRequest(source="german", model_path=str(german_model), only=audits))

    tests = [*verify_again(report, source="german", model_path=str(german_model))]

    assert [test for test in tests if test.problem is not None] == []
    assert [(check["audit"], check["metric"], check["gate"]) for check in report.subject.policy["check"][2:]] == [
        ("robustness", "recourse", "proof")
    ]


def test_report_names_no_check_of_an_audit_that_was_left_out(german_model: Path) -> None:
    report = run_audit(AuditRequest(source="german", model_path=str(german_model), only=["representation"]))

    assert report.subject.policy["check"] == []


def test_tampered_count_is_found(german_report: Report) -> None:
    document = german_report.model_dump(mode="json", by_alias=True)
    document["audits"]["group_disparity"]["attributes"][0]["groups"][0]["counts"]["tp"] += 1

    wrong = [test for test in verify_alone(Report.model_validate(document)) if test.problem is not None]

    assert "its counts give" in str(wrong[0].problem)
    assert "the counts give" in str(wrong[1].problem)


def test_tampered_finding_is_found(german_report: Report) -> None:
    """All verdicts turned to within, and the gate with them: the counts say otherwise."""
    document = german_report.model_dump(mode="json", by_alias=True)
    for finding in document["findings"]:
        finding["verdict"] = "proven_within"
    document["verdict"] = "proven_within"
    document["gate"] |= {"outcome": "pass", "exit_code": 0}

    wrong = [test for test in verify_alone(Report.model_validate(document)) if test.problem is not None]

    assert len(wrong) == 1
    assert "verdict is stated as proven_within, the counts give inconclusive" in str(wrong[0].problem)


def test_tampered_four_fifths_table_is_found(german_report: Report) -> None:
    document = german_report.model_dump(mode="json", by_alias=True)
    document["audits"]["group_disparity"]["practice"]["four_fifths"][0]["groups"][0]["flagged"] ^= True

    wrong = [test for test in verify_alone(Report.model_validate(document)) if test.problem is not None]

    assert [test.problem for test in wrong] == ["four_fifths: a row is stated otherwise than the counts give it"]


def test_tampered_gate_is_found(german_report: Report) -> None:
    document = german_report.model_dump(mode="json", by_alias=True)
    document["gate"] |= {"outcome": "pass", "exit_code": 0}

    assert any(test.problem for test in verify_alone(Report.model_validate(document)))


def test_filter_that_leaves_nothing_says_what_there_is() -> None:
    policy = Policy(data=DataSection(where={"race": "Martian"}))

    with pytest.raises(NoRowsLeft, match="African-American"):
        run_audit(AuditRequest(source="compas", policy=policy))


def test_filter_audits_only_its_rows() -> None:
    policy = Policy(data=DataSection(where={"race": "Caucasian"}, sensitive=["sex"]))

    report = run_audit(AuditRequest(source="compas", policy=policy, only=["group_disparity"]))

    assert report.subject.data.rows == 2454


def pictures(folder: Path) -> Path:
    """Forty pictures of two classes told apart by brightness, with a group that changes nothing."""
    rng = np.random.default_rng(0)
    label = np.array(["dark", "light"] * 20)
    images = rng.integers(0, 100, (40, 16, 16, 3)) + np.where(label == "light", 120, 0)[:, None, None, None]
    path = folder / "pictures.npz"
    group = np.array(["a", "a", "b", "b"] * 10)
    np.savez(path, images=images.astype(np.uint8), shade=label, group=group, unit=np.arange(40) // 4)
    return path


@pytest.fixture
def picture_request(tmp_path: Path) -> AuditRequest:
    source = pictures(tmp_path)
    request = TrainingRequest(kind="convnet4", dataset="pictures", label="shade")
    made = train(request, source=str(source), folder=tmp_path, progress=silent)
    data = DataSection(label="shade", sensitive=["group"], positive="light", unit="unit", where={"shade": "light"})
    return AuditRequest(
        source=str(source),
        model_path=str(tmp_path / made["filename"]),
        policy=Policy(data=data.model_copy(update={"where": None})),
        seed=3,
    )


def test_same_seed_same_report_with_a_network(picture_request: AuditRequest) -> None:
    one, two = (run_audit(picture_request).model_dump(exclude=UNREPEATED) for _ in range(2))

    assert one == two
    assert one["audits"]["robustness"] is not None
    assert one["audits"]["perception"] is not None


def test_progress_rises_from_nothing_to_nearly_all(picture_request: AuditRequest) -> None:
    fractions: list[float] = []

    run_audit(picture_request, lambda fraction, message: fractions.append(fraction))

    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert fractions[-1] <= 1.0
