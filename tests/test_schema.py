"""The published schema of the report: current, valid, and fitting every report there is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from evenhand.auditors.report import Report
from evenhand.service import reference
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit
from tests.service.render import examples

COMMITTED = Path(__file__).parents[1] / reference.FOLDER / "report.schema.json"

EXAMPLES = (examples.everything, examples.hostile, examples.undefined, examples.without_labels, examples.nothing)

TOP_LEVEL = (
    *("schema", "id", "created", "tool", "seed", "subject", "verdict", "gate", "audits", "findings"),
    *("environment", "signature"),
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(COMMITTED.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def compas() -> dict[str, Any]:
    report = run_audit(AuditRequest(source="compas", only=["group_disparity", "representation"]))
    return dict(json.loads(report.to_json()))


def test_the_committed_schema_is_what_the_report_says() -> None:
    current = COMMITTED.read_text(encoding="utf-8") == reference.report_schema()

    assert current, f"{COMMITTED.name} is not up to date; run: {reference.COMMAND}"


def test_the_schema_is_valid(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)


def test_a_report_of_real_data_fits_the_schema(schema: dict[str, Any], compas: dict[str, Any]) -> None:
    Draft202012Validator(schema).validate(compas)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.__name__)
def test_a_report_with_every_part_or_none_fits_the_schema(
    schema: dict[str, Any], example: Callable[[], Report]
) -> None:
    document = json.loads(example().to_json())

    Draft202012Validator(schema).validate(document)


def test_the_top_level_is_in_the_promised_order(compas: dict[str, Any]) -> None:
    assert tuple(compas) == TOP_LEVEL


def test_an_unknown_key_does_not_fit(schema: dict[str, Any], compas: dict[str, Any]) -> None:
    """The law can fail."""
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate(compas | {"fair": True})


def test_a_report_comes_back_from_its_json_unchanged(compas: dict[str, Any]) -> None:
    again = Report.model_validate(compas)

    assert json.loads(again.to_json()) == compas
