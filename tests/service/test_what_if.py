"""Proxies left out by training anew: as the model was trained where that is recorded, by a stand-in where not."""

from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.protocols import silent
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.retraining import retraining_of
from evenhand.service.audits.run import run_audit
from evenhand.service.audits.subject import open_subject
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.train import train

ROWS = 3_000
FEATURES = ["merit", "street"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Past decisions favoured men; the street goes with the sex. Each person has two rows."""
    chance = np.random.default_rng(0)
    male = chance.integers(0, 2, ROWS // 2).repeat(2)
    merit, street = chance.standard_normal(ROWS), chance.standard_normal(ROWS) + 2.0 * male
    good = merit + 1.6 * male + 0.5 * chance.standard_normal(ROWS) > 0.8
    predicted = merit + 0.4 * street > 0.7
    path = tmp_path_factory.mktemp("people") / "people.csv"
    lines = [
        f"{merit[i]:.4f},{street[i]:.4f},{'FM'[male[i]]},p{i // 2},{int(good[i])},{int(predicted[i])}"
        for i in range(ROWS)
    ]
    path.write_text("\n".join(["merit,street,sex,person,good,predicted", *lines]) + "\n")
    return path


def asked(source: Path, *, model: Path | None = None, **data: object) -> AuditRequest:
    section = DataSection.model_validate({"label": "good", "sensitive": ["sex"], **data})
    return AuditRequest(
        source=str(source),
        model_path=None if model is None else str(model),
        policy=Policy(data=section),
        only=["proxy"],
    )


def trained(source: Path, folder: Path, **wanted: object) -> Path:
    request = TrainingRequest.model_validate(
        {"dataset": str(source), "label": "good", "features": FEATURES, "sensitive": ["sex"], "unit": "person"} | wanted
    )
    return folder / train(request, source=str(source), folder=folder, progress=silent)["filename"]


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "logistic_regression"},
        {"kind": "hist_gradient_boosting", "group_weight": "balanced", "seed": 3},
        {"kind": "neuron"},
    ],
    ids=lambda wanted: wanted["kind"],
)
def test_same_training_with_all_features_gives_the_audited_model_again(
    source: Path, tmp_path: Path, wanted: dict[str, object]
) -> None:
    """Kind, seed, weights, split and rows are those of the record, or the scores would differ."""
    request = asked(source, model=trained(source, tmp_path, **wanted), unit="person")

    with open_subject(request) as subject:
        found = retraining_of(subject, request)
        assert found is not None
        scores = found.retrain(FEATURES)(subject.table.features(FEATURES))

    assert (found.kind, found.stand_in, found.same_rows) == (wanted["kind"], False, True)
    assert found.unseen.all()
    assert scores == pytest.approx(subject.scores_of_positive, abs=1e-6)


def test_model_whose_training_rows_are_not_known_is_trained_anew_on_half_of_the_people(
    source: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.csv"
    other.write_text(source.read_text() + "0.5,0.5,F,new,1,1\n")
    request = asked(other, model=trained(source, tmp_path, kind="logistic_regression"), unit="person")

    with open_subject(request) as subject:
        found = retraining_of(subject, request)
        people = subject.table.groups("person").codes

    assert found is not None
    assert (found.kind, found.stand_in, found.same_rows) == ("logistic_regression", False, False)
    assert found.rows + found.unseen.sum() == ROWS + 1
    assert not set(people[found.unseen]) & set(people[~found.unseen])


@pytest.mark.parametrize("missing", ["labels", "rows"])
def test_without_labels_or_rows_nothing_is_trained(source: Path, tmp_path: Path, missing: str) -> None:
    few = tmp_path / "few.csv"
    few.write_text("\n".join(source.read_text().splitlines()[:300]) + "\n")
    request = asked(few, prediction="predicted", features=FEATURES, label=None if missing == "labels" else "good")

    with open_subject(request) as subject:
        assert retraining_of(subject, request) is None


def test_audit_leaves_the_street_out_and_says_what_that_does(source: Path, tmp_path: Path) -> None:
    request = asked(source, model=trained(source, tmp_path, kind="logistic_regression"), unit="person")

    found = run_audit(request, progress=silent).audits.proxy

    assert found is not None
    row = next(row for row in found.what_if if row.action == "retrain")
    changes = {each.metric: each.change for each in row.changes}
    assert (row.features, row.classifier, row.rows) == (["street"], "logistic_regression", found.rows_used)
    assert {each.against for each in row.changes} == {"model"}
    assert (changes["demographic_parity_difference"].high or 0) < 0
    assert (changes["accuracy"].estimate or 0) < 0
    assert any("decides as the audited classifier does" in note for note in found.notes)
