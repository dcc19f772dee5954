"""Errors of jobs: said in fields of the document that was sent, never in options of a command."""

import re

import pytest

from evenhand.auditors.errors import PolicyError
from evenhand.datasets import errors as datasets
from evenhand.service.audits import errors as requests
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.errors import problem_of
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.wording import AUDIT, TRAINING, in_words_of_rest, problem_in_words_of_rest

COMMAND_LINE = re.compile(r"--[a-z]|evenhand\.toml|\[data\]")


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (datasets.NotBinary("y", ["bad", "good"]), ["positive", "favourable"]),
        (datasets.NotBinary("p", ["0.1", "0.2", "0.7"]), ["score", "threshold", "prediction", "positive"]),
        (datasets.UnknownPositive("y", "goood", ["bad", "good"]), ["positive", "favourable"]),
        (requests.NothingToAudit("people.csv", ["age"]), ["prediction", "score", "threshold"]),
        (requests.NoSensitiveColumn("people.csv", ["age"]), ["sensitive"]),
        (requests.ThresholdNeeded("p", 0, 1), ["threshold"]),
        (requests.NotAuditable("proxy", "no features are named (--features COL,COL)"), ["features"]),
        (PolicyError("check 'x' needs labels. Pass --label, or remove the check."), ["label"]),
    ],
)
def test_an_error_of_an_audit_names_fields_of_the_policy(error: Exception, named: list[str]) -> None:
    text = in_words_of_rest(str(error), "audit")

    assert not COMMAND_LINE.search(text)
    assert [name for name in named if f"`policy.data.{name}`" not in text] == []


def test_what_follows_an_option_goes_with_it() -> None:
    assert in_words_of_rest(str(requests.NoSensitiveColumn("a.csv", ["x"])), "audit").endswith(
        "It has: x. Pass `policy.data.sensitive`, a list of columns."
    )
    assert in_words_of_rest(str(datasets.NotBinary("y", ["bad", "good"])), "audit").endswith(
        "Say which value is the positive one: `policy.data.positive` (and `policy.data.favourable` where another "
        "outcome helps the person)."
    )


def test_an_audit_is_left_out_of_the_list_it_was_named_in() -> None:
    text = in_words_of_rest(str(requests.NotAuditable("proxy", "why")), "audit")

    assert "Leave 'proxy' out of `only`" in text


@pytest.mark.parametrize(("columns", "to_do"), [(["sex"], "Name that one instead."), (["age"], "Name one of these.")])
def test_a_column_that_is_missing_is_named_where_it_was(columns: list[str], to_do: str) -> None:
    error = datasets.MissingColumn("sexe", "people.csv", columns)

    assert in_words_of_rest(str(error), "audit").endswith(to_do)


def test_a_training_names_its_own_fields() -> None:
    assert in_words_of_rest("Name a sensitive column: --sensitive COL.", "training") == (
        "Name a sensitive column: `train.sensitive`."
    )


def test_what_names_no_option_stays_as_it_is() -> None:
    text = "the process that did the work ended with code 3 -- it last said: --unknown"

    assert in_words_of_rest(text, "audit") == text


def test_the_errors_of_a_problem_are_reworded_with_it() -> None:
    problem = problem_of(PolicyError("Pass --label.")).document()
    problem["errors"] = [{"pointer": "/policy", "detail": "Pass --label."}]

    said = problem_in_words_of_rest(problem, "audit")

    assert said["detail"] == said["errors"][0]["detail"] == "Pass `policy.data.label`."
    assert (said["type"], said["status"]) == (problem["type"], problem["status"])


def test_every_field_that_is_named_is_one_of_the_document() -> None:
    data = AuditSubmission(dataset="x").policy.data
    for name, place in AUDIT.items():
        assert name in (AuditSubmission.model_fields if place == "{}" else type(data).model_fields)
    assert set(TRAINING) <= set(TrainingRequest.model_fields)
