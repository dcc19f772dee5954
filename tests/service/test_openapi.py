import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from evenhand.service import openapi

COMMITTED = Path(__file__).parents[2] / openapi.COMMITTED


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi.generate())
    return found


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    validate(document)

    assert document["openapi"].startswith("3.1")


def test_the_committed_document_is_what_the_routes_say() -> None:
    """After an intended change: python -m evenhand.service.openapi --write"""
    assert COMMITTED.read_text() == openapi.generate()


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    answers = [
        answer
        for path, item in document["paths"].items()
        if path.startswith("/api/")
        for operation in item.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    ]

    assert {content for answer in answers for content in answer["content"]} == {"application/problem+json"}


def test_everything_under_the_api_needs_a_token(document: dict[str, Any]) -> None:
    operations = [
        operation for path, item in document["paths"].items() if path.startswith("/api/") for operation in item.values()
    ]

    assert all(operation["security"] == [{"BearerAuth": []}] for operation in operations)
