"""Errors carry what is at fault as data; it is put into words of who reads: options, keys, fields, arguments."""

import re
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import evenhand
from evenhand.auditors.errors import NothingToCompare, PolicyError
from evenhand.classifiers.errors import TrainingFailed, UnsupportedModel
from evenhand.datasets import errors as datasets
from evenhand.service.audits import errors as requests
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.cli import cli
from evenhand.service.cli.audit import command as audit_command
from evenhand.service.cli.train import command as train_command
from evenhand.service.errors import problem_of
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.wording import Fields, options_of, put_into, spoken

COMMAND_LINE = re.compile(r"--[a-z]|evenhand\.toml|\[data\]")
NAMING = [
    (datasets.MissingColumn("sexe", "people.csv", ["sex"], setting="sensitive"), ["sensitive"]),
    (datasets.NotBinary("y", ["bad", "good"]), ["positive", "favourable"]),
    (datasets.NotBinary("p", ["0.1", "0.2", "0.7"]), ["prediction", "score", "threshold", "positive", "favourable"]),
    (datasets.UnknownPositive("y", "goood", ["bad", "good"]), ["positive", "favourable"]),
    (datasets.WrongImageSize("a.zip", "b.png", (2, 2), "a.png", (1, 1)), ["picture_size"]),
    (requests.NothingToAudit("people.csv", ["age"]), ["prediction", "score", "threshold", "model"]),
    (requests.NoSensitiveColumn("people.csv", ["age"]), ["sensitive"]),
    (requests.ThresholdNeeded("p", 0, 1), ["threshold"]),
    (requests.NotAuditable("proxy", requests.NO_FEATURES), ["only", "features"]),
    (requests.NeedsRows("people", ("unit", None), "why"), ["unit"]),
    (NothingToCompare({"sex": ["F"]}), ["sensitive"]),
    (UnsupportedModel(name="m.onnx", problem="p", instead="Name them", setting="features"), ["features"]),
]


def said(error: Exception, words: object) -> str:
    put_into(error, words)  # type: ignore[arg-type]
    return str(error)


@pytest.mark.parametrize(("error", "named"), NAMING)
def test_over_rest_an_error_names_fields_and_points_at_the_first(error: Exception, named: list[str]) -> None:
    text = said(error, Fields("audit"))

    places = [name if name in ("model", "only") else f"policy.data.{name}" for name in named]
    assert not COMMAND_LINE.search(text)
    assert re.findall(r"`([a-z_.]+)`", text) == places
    assert problem_of(error).errors == [{"pointer": "/" + places[0].replace(".", "/"), "detail": text}]


@pytest.mark.parametrize(("error", "named"), NAMING)
def test_on_the_command_line_an_error_names_options(error: Exception, named: list[str]) -> None:
    text = said(error, options_of(audit_command, given={}))

    assert re.findall(r"--([a-z-]+)", text) == [name.replace("_", "-") for name in named]


@pytest.mark.parametrize(("error", "named"), NAMING)
def test_with_a_policy_file_an_error_names_its_keys_and_the_place_once(error: Exception, named: list[str]) -> None:
    text = said(error, options_of(audit_command, given={}, policy_path=Path("ci.toml")))

    keys = ["path" if name == "model" else name for name in named]
    assert re.findall(r"`([a-z_]+)`", text) == keys
    assert "--" not in text
    assert text.count("under [data] in ci.toml") <= 1


def test_an_option_that_was_given_beside_a_policy_is_named_as_one() -> None:
    error = datasets.MissingColumn("sexe", "people.csv", ["sex"], setting="sensitive")

    given = options_of(audit_command, given={"sensitive": ("sexe",), "label": None}, policy_path=Path("ci.toml"))

    assert said(error, given).endswith("Did you mean 'sex'? Use --sensitive sex.")


def test_columns_named_with_a_comma_are_named_one_by_one_and_none_is_dropped() -> None:
    error = datasets.MissingColumn("sex, race", "people.csv", ["age", "sex", "race"], setting="sensitive")
    half = datasets.MissingColumn("sex,rase", "people.csv", ["age", "sex", "race"], setting="sensitive")

    told = said(error, options_of(audit_command, given={}))

    assert told.endswith("Use --sensitive sex --sensitive race.")
    assert "Did you mean" not in told
    assert "stands by itself" not in said(half, options_of(audit_command, given={}))


def test_what_no_option_says_is_a_key_of_a_policy() -> None:
    error = PolicyError("no population. Name it: ", ("population", None), ".")

    assert said(error, options_of(audit_command, given={})).endswith(
        "`population` under [data] in a policy, evenhand.toml."
    )


def test_a_training_reads_no_policy() -> None:
    error = TrainingFailed(kind="mlp", problem="p", instead="Name one", setting="sensitive")
    assert said(error, options_of(train_command)).endswith("Name one: --sensitive COL.")

    assert "policy" not in said(PolicyError("Name ", ("model.classes", None), "."), options_of(train_command))


def test_over_rest_a_training_names_its_own_fields() -> None:
    error = datasets.MissingColumn("agee", "people.csv", ["age"], setting="features")

    assert said(error, Fields("training")).endswith("Use 'age' in `train.features`.")


@pytest.mark.parametrize("value", ["a b", "$HOME", "it's"])
def test_a_value_on_the_command_line_can_be_pasted_into_a_shell(value: str) -> None:
    import shlex

    error = datasets.MissingColumn(value + "x", "people.csv", [value], setting="label")

    option = said(error, options_of(audit_command, given={})).rpartition("Use ")[2].removesuffix(".")
    assert shlex.split(option) == ["--label", value]


def test_what_data_say_is_never_taken_for_a_setting() -> None:
    error = datasets.MissingColumn("--sensitive", "--label.csv", ["`x`"])

    assert said(error, Fields("audit")) == "column '--sensitive' is not in --label.csv. It has: `x`. Name one of these."


def test_a_call_from_python_names_arguments() -> None:
    rows = pd.DataFrame({"sex": ["a", "b"] * 40, "y": ["bad", "good"] * 40, "yhat": ["bad", "good"] * 40})

    with pytest.raises(datasets.MissingColumn, match=r"Did you mean 'sex'\? Use sensitive_features='sex'\.$"):
        evenhand.audit(data=rows, y_true="y", y_pred="yhat", sensitive_features=["sxe"])
    with pytest.raises(datasets.NotBinary, match=r"is the positive one: positive \(and favourable, where"):
        evenhand.audit(y_true=rows["y"], y_pred=rows["yhat"], sensitive_features=rows["sex"])


def test_a_call_from_python_names_keys_of_its_policy() -> None:
    rows = pd.DataFrame({"sex": ["a", "b"] * 40, "yhat": [0, 1] * 40})
    policy = {"data": {"prediction": "yhat", "sensitive": ["sex"], "where": {"regio": "north"}}}

    with pytest.raises(datasets.MissingColumn, match=r"Name one of these: `where` under \[data\] in the policy\.$"):
        evenhand.audit(data=rows, policy=policy)


def policy_file(folder: Path, data: str) -> list[str]:
    (folder / "people.csv").write_text("sex,yhat,region\n" + "F,1,north\nM,0,south\n" * 40)
    path = folder / "evenhand.toml"
    path.write_text(f'[data]\nsource = "people.csv"\nprediction = "yhat"\n{data}\n')
    return ["audit", str(path)]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ('sensitive = ["sx"]', "'sex' in `sensitive`"),
        ('sensitive = ["sex"]\nwhere = { regio = "north" }', "'region' in `where`"),
        ('sensitive = ["sex"]\nmembership = { race = { a = "regio", b = "yhat" } }', "'region' in `membership`"),
    ],
)
def test_a_column_that_a_policy_names_and_the_data_have_not(tmp_path: Path, data: str, key: str) -> None:
    ended = CliRunner().invoke(cli, policy_file(tmp_path, data))

    assert ended.exit_code == 2
    assert f"Use {key} under [data] in {tmp_path / 'evenhand.toml'}." in " ".join(ended.output.split())
    assert "--sensitive" not in ended.output


def test_a_column_that_a_warehouse_has_not_is_named_where_it_was(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "people.duckdb")) as connection:
        connection.execute("create table people as select 'F' as sex, 1 as yhat, 'north' as region")
    source = f"duckdb:///{tmp_path / 'people.duckdb'}?table=people"
    (tmp_path / "evenhand.toml").write_text(
        f'[data]\nsource = "{source}"\nprediction = "yhat"\nsensitive = ["sex"]\nwhere = {{ regio = "north" }}\n'
    )

    ended = CliRunner().invoke(cli, ["audit", str(tmp_path / "evenhand.toml")])

    assert ended.exit_code == 2
    assert "Use 'region' in `where` under [data] in " in ended.output


def test_what_names_no_setting_stays_as_it_is() -> None:
    error = ValueError("--unknown")

    with pytest.raises(ValueError, match=r"^--unknown$"), spoken(Fields("audit")):
        raise error


def test_every_option_is_a_setting_of_the_documents() -> None:
    data = type(AuditSubmission(dataset="x").policy.data)
    elsewhere = {"model", "only", "seed", "device", "thorough", "allow_inconclusive"}
    of_output = {"json", "html", "junit_xml", "sarif", "markdown", "timeout", "baseline", "quiet"}

    assert set(options_of(audit_command).placeholders) - of_output - elsewhere <= set(data.model_fields)
    assert set(options_of(train_command).placeholders) - {"data", "out", "record"} <= set(TrainingRequest.model_fields)
