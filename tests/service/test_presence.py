"""Representation over whole audits: what is missing, what is there twice, and what stands in the training data."""

import json
from pathlib import Path

from evenhand.auditors.report import Representation
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.policy_file import read_policy
from evenhand.service.audits.run import run_audit

ROWS = """sex,age,income,split,hired
F,30,10.5,train,1
F,30,10.5,test,0
M,40,,test,1
M,40,,test,1
,50,11.5,test,0
"""


def audited(folder: Path, *, toml: str = "") -> Representation:
    (folder / "people.csv").write_text(ROWS)
    (folder / "evenhand.toml").write_text(
        'only = ["representation"]\n[data]\nsource = "people.csv"\nprediction = "hired"\nsensitive = "sex"\n' + toml
    )
    policy = read_policy(folder / "evenhand.toml")
    report = run_audit(AuditRequest(source=str(policy.data.source), policy=policy))
    assert report.audits.representation is not None
    return report.audits.representation


def test_empty_cells_are_counted_by_group(tmp_path: Path) -> None:
    found = audited(tmp_path).missing_by_group

    assert found is not None
    assert [(one.column, one.attribute) for one in found] == [("income", "sex")]
    assert [(row.group["sex"], row.missing, row.n) for row in found[0].groups] == [
        ("F", 0, 2),
        ("M", 2, 2),
        (None, 0, 1),
    ]


def test_rows_repeat_an_earlier_one_where_all_columns_are_equal(tmp_path: Path) -> None:
    """Two people alike of whom the model thinks otherwise are no repetition."""
    duplicates = audited(tmp_path).duplicates

    assert duplicates is not None
    assert duplicates.columns == ["sex", "age", "income", "split", "hired"]
    assert (duplicates.repeated, duplicates.distinct) == (1, 4)


def test_rows_of_the_test_part_that_stand_in_the_training_part_are_counted(tmp_path: Path) -> None:
    shared = audited(tmp_path).shared

    assert shared is not None
    assert [(one.train, one.test, one.shared, one.test_rows) for one in shared] == [
        ("split = train", "split = test", 1, 4)
    ]
    assert shared[0].columns == ["sex", "age", "income"]


def test_training_rows_of_another_file_are_looked_for(tmp_path: Path) -> None:
    (tmp_path / "seen.csv").write_text("age,sex,income\n50,,11.5\n99,F,1\n")

    shared = audited(tmp_path, toml='train_source = "seen.csv"\n').shared

    assert shared is not None
    assert (shared[-1].train, shared[-1].train_rows, shared[-1].shared) == ("seen.csv", 2, 1)


def test_population_of_the_policy_is_compared(tmp_path: Path) -> None:
    found = audited(tmp_path, toml="population = { sex = { F = 0.5, M = 0.5 } }\n").attributes[0].population

    assert found is not None
    assert found.rows == 4


def test_equal_pictures_are_told_by_their_pixels() -> None:
    report = run_audit(
        AuditRequest(
            source="emoji-people",
            only=["representation"],
            policy={"data": {"prediction": "skin_tone", "positive": "dark", "sensitive": ["gender"]}},  # type: ignore[arg-type]
        )
    )

    assert report.audits.representation is not None
    assert report.audits.representation.duplicates is not None
    assert report.audits.representation.duplicates.columns == ["picture"]
    assert json.loads(report.to_json())["audits"]["representation"]["rows"] == 700
