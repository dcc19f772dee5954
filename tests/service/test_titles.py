"""Titles of audits: what differs between two of the same data stands in them."""

from typing import Any

import pytest

from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.audits.titles import title_of
from evenhand.service.datasets.lookup import DatasetChoice, builtin_choice

PEOPLE = DatasetChoice("ds_1", "people.csv", "table", ("y", "yhat", "p", "sex", "race"))


def title(data: DatasetChoice = PEOPLE, model: str | None = None, **asked: Any) -> str:
    return title_of(AuditSubmission.model_validate({"dataset": data.name, **asked}), data, model)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"data": {"prediction": "yhat", "sensitive": ["sex"]}}, "people.csv: yhat, by sex"),
        ({"data": {"score": "p", "sensitive": ["sex", "race"]}}, "people.csv: p >= 0.5, by sex, race"),
        ({"data": {"score": "p", "threshold": 0.25, "sensitive": ["sex"]}}, "people.csv: p >= 0.25, by sex"),
        (
            {"data": {"prediction": "yhat", "sensitive": ["sex"], "where": {"race": "b"}}},
            "people.csv: yhat, by sex, where race = b",
        ),
        (
            {"data": {"prediction": "yhat", "sensitive": ["sex"]}, "check": [{"metric": "precision", "within": 0.1}]},
            "people.csv: yhat, by sex; precision",
        ),
    ],
)
def test_title_says_the_data_the_decisions_the_attributes_and_the_checks(policy: dict[str, Any], said: str) -> None:
    assert title(policy=policy) == said


def test_model_and_audits_asked_for_stand_in_the_title() -> None:
    found = title(model="hire.onnx", only=["proxy", "robustness"], policy={"data": {"sensitive": ["sex"]}})

    assert found == "people.csv: hire.onnx, by sex; only proxies, robustness"


def test_what_a_built_in_set_brings_need_not_be_named() -> None:
    assert title(builtin_choice("compas")) == "compas: decile_score >= 5, by sex, race"
    assert title(builtin_choice("german"), model="credit") == "german: credit, by sex, age_group"


def test_data_that_the_name_of_the_model_says_are_not_said_again() -> None:
    assert title(builtin_choice("german"), model="logistic_regression on german") == (
        "logistic_regression on german, by sex, age_group"
    )


def test_many_attributes_are_counted() -> None:
    found = title(policy={"data": {"prediction": "yhat", "sensitive": ["a", "b", "c", "d", "e"]}})

    assert found == "people.csv: yhat, by a, b, c and 2 more"
