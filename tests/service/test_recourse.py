"""Robustness of tables through the whole service: what runs by default, what the policy changes, what the pages say."""

from pathlib import Path

import pytest

from evenhand.auditors.policy import Policy
from evenhand.auditors.protocols import silent
from evenhand.auditors.report import Report
from evenhand.auditors.verdict import Gate
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.train import train
from evenhand.service.render.page import standalone


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("german")
    request = TrainingRequest.model_validate({"kind": "logistic_regression", "dataset": "german"})
    return folder / train(request, source="german", folder=folder, progress=silent)["filename"]


def audited(model: Path, **policy: object) -> Report:
    request = AuditRequest(
        source="german",
        model_path=str(model),
        policy=Policy.model_validate({"only": ["robustness"], "robustness": {"rows_per_group": 30}} | policy),
        seed=1,
    )
    return run_audit(request)


@pytest.fixture(scope="module")
def report(model: Path) -> Report:
    return audited(model)


def test_same_input_gives_the_same_answers_twice(model: Path, report: Report) -> None:
    assert audited(model).audits == report.audits


def test_recourse_alone_is_gated_and_fails_on_a_proof_only(report: Report) -> None:
    gates = {(finding.metric, finding.attribute): finding.gate for finding in report.findings}

    assert {key for key, gate in gates.items() if gate is Gate.PROOF} == {
        ("recourse", "sex"),
        ("recourse", "age_group"),
    }
    assert report.gate.exit_code in (0, 1)


def test_check_of_the_policy_gates_another_gap_at_its_tolerance(model: Path) -> None:
    check = {"audit": "robustness", "metric": "fragility", "within": 0.2, "attributes": ["sex"], "gate": "strict"}

    found = {(each.metric, each.attribute): each for each in audited(model, check=[check]).findings}

    assert found["fragility", "sex"].gate is Gate.STRICT
    assert found["fragility", "sex"].tolerance == 0.2
    assert found["recourse", "sex"].gate is Gate.OFF


def test_what_the_card_fixes_is_never_suggested(report: Report) -> None:
    changes = report.audits.robustness.changes

    fixed = [feature.feature for feature in changes.features if not feature.changes]
    assert set(fixed) == {"credit_history", "people_liable", "foreign_worker"}
    assert changes.examples
    assert not any(f"{name} were" in example.text for name in fixed for example in changes.examples)


def test_policy_limits_what_is_suggested(model: Path) -> None:
    only = {"duration": {"direction": "down", "unit": "months"}}
    everything = audited(model).audits.robustness.changes.features
    rules = {each.feature: {"immutable": True} for each in everything if each.feature != "duration"} | only

    changes = audited(model, robustness={"features": rules, "rows_per_group": 30}).audits.robustness.changes

    assert changes.examples
    assert all("duration were" in each.text and "months lower" in each.text for each in changes.examples)


def test_page_shows_groups_gaps_examples_and_assumptions(report: Report) -> None:
    page = standalone(report)

    assert "Recourse and fragility by group" in page
    assert "What may change, and what was assumed" in page
    assert report.audits.robustness.changes.examples[0].text.split(":")[0] in page
    assert "eps" not in page.split('id="robustness"')[1].split("</section>")[0].replace("steps", "")
