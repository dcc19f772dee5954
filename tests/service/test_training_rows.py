"""A model's training and its audit: rows that were learned from, rows that leaked, splits by unit, resumed jobs."""

import json
from pathlib import Path

import numpy as np
import pytest

from evenhand.auditors.policy import DataSection, Policy
from evenhand.auditors.protocols import silent
from evenhand.auditors.report import Report
from evenhand.datasets.sources import open_source
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.holdout import by_rule, holdout
from evenhand.service.models.train import train
from evenhand.service.render import sentences


def people(path: Path, *, rows: int = 400, repeated: int = 0, seed: int = 0) -> Path:
    """Rows of 100 people, four each; the last `repeated` rows stand there twice."""
    chance = np.random.default_rng(seed)
    lines = [
        f"{x:.4f},{y:.4f},{'FM'[n % 2]},p{n % 100},{int(x + y > 0)}"
        for n, (x, y) in enumerate(chance.normal(size=(rows, 2)))
    ]
    lines += lines[rows - repeated :]
    path.write_text("x,y,sex,person,good\n" + "\n".join(lines) + "\n")
    return path


def trained(source: Path, folder: Path, **asked: object) -> tuple[Path, dict]:
    request = TrainingRequest.model_validate(
        {"kind": "logistic_regression", "dataset": str(source), "label": "good", "sensitive": ["sex"], **asked}
    )
    made = train(request, source=str(source), folder=folder, progress=silent)
    return folder / made["filename"], made["training"]


def audited(source: Path, model: Path, **data: object) -> Report:
    section = DataSection.model_validate({"label": "good", "sensitive": ["sex"], **data})
    request = AuditRequest(
        source=str(source), model_path=str(model), policy=Policy(data=section), only=["group_disparity"]
    )
    return run_audit(request, progress=silent)


@pytest.fixture(scope="module")
def leaked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict]:
    folder = tmp_path_factory.mktemp("leaked")
    source = people(folder / "people.csv", repeated=100)
    return source, *trained(source, folder)


def test_rows_on_both_sides_of_the_split_are_counted_and_said(leaked: tuple[Path, Path, dict]) -> None:
    """Of 100 pairs of twins about 42 (2 x .3 x .7) are torn apart; exactly those are counted."""
    source, _, record = leaked
    table = open_source(str(source))
    kept = ~holdout(table, seed=0, label="good").train
    twins = [(row, row + 100) for row in range(300, 400)]

    torn = sum(kept[first] != kept[second] for first, second in twins)

    assert record["leakage"]["identical"] == torn > 20
    assert any(f"{torn} identical" in note for note in record["notes"])


def test_an_audit_of_the_kept_rows_warns_of_the_leak_in_its_limits_and_on_the_terminal(
    leaked: tuple[Path, Path, dict], capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.console import Console

    from evenhand.service.render import screen

    source, model, _ = leaked
    report = audited(source, model)
    screen.show(report, console=Console(width=400))

    assert any(limit.startswith("Leakage: of 150 rows") for limit in sentences.limits(report))
    assert "Leakage: of 150 rows kept for the audit" in capsys.readouterr().out


def test_an_audit_of_rows_the_model_learned_from_warns(tmp_path: Path) -> None:
    source = people(tmp_path / "people.csv")
    model, _ = trained(source, tmp_path)
    other = tmp_path / "other.csv"
    header, *lines = source.read_text().splitlines()
    other.write_text("\n".join([header, *reversed(lines)]) + "\n")

    report = audited(other, model)

    assert report.subject.model is not None
    assert report.subject.model.warnings[0].startswith("The model learned from 70% of the rows audited.")
    assert "seen" not in (report.subject.model.training or {})


def test_an_audit_of_new_rows_does_not_warn(tmp_path: Path) -> None:
    model, _ = trained(people(tmp_path / "people.csv"), tmp_path)

    report = audited(people(tmp_path / "new.csv", seed=1), model)

    assert report.subject.model is not None
    assert report.subject.model.warnings == []


def test_the_rows_of_a_person_stay_together_and_the_audit_takes_the_same_rows(tmp_path: Path) -> None:
    source = people(tmp_path / "people.csv")
    model, record = trained(source, tmp_path, unit="person", seed=3)
    table = open_source(str(source))
    chosen = holdout(table, seed=3, label="good", unit="person")
    persons = table.groups("person").codes

    report = audited(source, model)

    assert set(persons[chosen.train]).isdisjoint(persons[~chosen.train])
    assert report.subject.data.rows == int((~chosen.train).sum()) == 120
    assert "held out by unit" in record["split"]


def test_every_class_keeps_its_share_of_rows(tmp_path: Path) -> None:
    table = open_source("german")
    label = table.groups("credit_risk").codes

    kept = ~holdout(table, seed=0, label="credit_risk").train

    assert [int(kept[label == code].sum()) for code in (0, 1)] == [
        round(0.3 * int((label == code).sum())) for code in (0, 1)
    ]


def test_the_rows_that_models_of_older_versions_kept_are_found_again() -> None:
    """Their records name no label; the draw without one is as it was, here by its first rows."""
    kept = np.flatnonzero(~by_rule(open_source("german"), "seed 0").train)

    assert (len(kept), kept[:6].tolist()) == (300, OLDER)


OLDER = [0, 1, 7, 8, 14, 16]


def test_watched_groups_are_those_of_the_card_where_none_are_named(tmp_path: Path) -> None:
    request = TrainingRequest(kind="logistic_regression", dataset="german")

    record = train(request, source="german", folder=tmp_path, progress=silent)["training"]

    assert {cell["attribute"] for cell in record["cells"]} == {None, "sex", "age_group"}
    assert json.dumps(record)
