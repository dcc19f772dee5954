"""`evenhand.audit`: the same verdict as the command line, from whatever Python holds."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner

import evenhand
from evenhand.auditors.errors import LengthMismatch, NothingToCompare
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Report
from evenhand.datasets.errors import MissingColumn
from evenhand.service.audits.errors import BadArgument, BadPolicy, NoSensitiveColumn, NothingToAudit
from evenhand.service.cli import cli


def people(rows: int = 4000) -> pd.DataFrame:
    """Predictions that favour men, with a weight, a missing race now and then, and a score."""
    rng = np.random.default_rng(5)
    sex, race = rng.choice(["F", "M"], rows), rng.choice(["a", "b", "c"], rows).astype(object)
    race[rng.random(rows) < 0.02] = None
    y = rng.integers(0, 2, rows)
    score = np.round(np.clip(0.25 + 0.4 * y + 0.15 * (sex == "M") + rng.normal(0, 0.15, rows), 0, 1), 4)
    return pd.DataFrame(
        {
            "y": y,
            "yhat": (score >= 0.5).astype(int),
            "score": score,
            "sex": sex,
            "race": race,
            "w": rng.integers(1, 4, rows),
        }
    )


ROLES: dict[str, Any] = {"y_true": "y", "y_pred": "yhat", "sensitive_features": ["sex", "race"]}


def without_identity(report: Report) -> dict[str, Any]:
    document = report.model_dump(mode="json", by_alias=True)
    for key in ("id", "created", "signature"):
        document.pop(key)
    document["subject"]["data"].pop("name")
    document["subject"]["data"].pop("sha256")
    document["subject"].pop("title")
    return document


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--label", "y", "--prediction", "yhat"], {"y_true": "y", "y_pred": "yhat"}),
        (
            ["--label", "y", "--score", "score", "--threshold", "0.6"],
            {"y_true": "y", "y_score": "score", "threshold": 0.6},
        ),
        (["--prediction", "yhat", "--weight", "w"], {"y_pred": "yhat", "sample_weight": "w"}),
        (
            ["--label", "y", "--prediction", "yhat", "--positive", "0", "--favourable", "1", "--seed", "3"],
            {"y_true": "y", "y_pred": "yhat", "positive": 0, "favourable": 1, "seed": 3},
        ),
    ],
    ids=["prediction", "score", "weight", "positive"],
)
def test_same_input_same_report_as_the_command_line(
    tmp_path: Path, options: list[str], arguments: dict[str, Any]
) -> None:
    people().to_csv(tmp_path / "people.csv", index=False)
    out = tmp_path / "report.json"

    done = CliRunner().invoke(
        cli,
        [
            "audit",
            str(tmp_path / "people.csv"),
            "--sensitive",
            "sex",
            "--sensitive",
            "race",
            *options,
            "--json",
            str(out),
        ],
    )
    said = Report.model_validate_json(out.read_bytes())
    result = evenhand.audit(data=pd.read_csv(tmp_path / "people.csv"), sensitive_features=["sex", "race"], **arguments)

    assert result.exit_code == done.exit_code
    assert result.findings == said.findings
    assert without_identity(result.report) == without_identity(said)


class ArrowOnly:
    """A frame that is known by the Arrow PyCapsule interface alone, as polars' is: text as string views."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self.columns = table.column_names

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def as_views(frame: pd.DataFrame) -> ArrowOnly:
    """As polars exports: text as string views, and sex as a category of them."""
    views = {name: pa.array(frame[name].tolist(), from_pandas=True) for name in frame}
    views |= {name: views[name].cast(pa.string_view()) for name in ("sex", "race")}
    codes = pa.array([0 if sex == "M" else 1 for sex in frame.sex], pa.uint32())
    views["sex"] = pa.DictionaryArray.from_arrays(codes, pa.array(["M", "F", "unused"], pa.string_view()))
    return ArrowOnly(pa.table(views))


@pytest.mark.parametrize(
    "held",
    [
        lambda f: {"data": f.astype({"sex": "category", "race": "category"}), **ROLES},
        lambda f: {"data": f.assign(yhat=f.yhat.astype(bool)), **ROLES},
        lambda f: {"data": pa.Table.from_pandas(f), **ROLES},
        lambda f: {"data": as_views(f), **ROLES},
        lambda f: {"data": {name: f[name].tolist() for name in f}, **ROLES},
        lambda f: {"y_true": f.y, "y_pred": f.yhat, "sensitive_features": f[["sex", "race"]]},
        lambda f: {
            "y_true": f.y.to_numpy(),
            "y_pred": f.yhat.tolist(),
            "sensitive_features": {"sex": f.sex, "race": f.race},
        },
        lambda f: {"data": f[["sex", "race"]], "y_true": f.y, "y_pred": f.yhat, "sensitive_features": ["sex", "race"]},
    ],
    ids=["categories", "booleans", "arrow", "capsule", "dict", "series", "arrays", "mixed"],
)
def test_every_way_to_hold_the_rows_gives_the_same_findings(held: Any) -> None:
    frame = people(1500)

    result = evenhand.audit(**held(frame), only="group_disparity")

    assert result.findings == evenhand.audit(data=frame, **ROLES, only="group_disparity").findings


def test_unnamed_columns_are_called_as_fairlearn_calls_them() -> None:
    frame = people(300)

    result = evenhand.audit(
        y_true=frame.y.tolist(), y_pred=frame.yhat.tolist(), sensitive_features=frame[["sex", "race"]].to_numpy()
    )

    assert result.report.subject.data.columns == ["y_true", "y_pred", "sensitive_feature_0", "sensitive_feature_1"]


def test_numbers_in_fairlearns_words_are_those_of_the_report() -> None:
    result = evenhand.audit(data=people(), **ROLES)

    document = result.report.audits.group_disparity
    assert document is not None
    groups = next(a for a in document.attributes if a.attribute == "sex × race").groups
    for group in groups:
        if not group.unknown:
            row = result.by_group.loc[group.group["sex"], group.group["race"]]
            assert row["true_positive_rate"] == group.metrics["true_positive_rate"].estimate
    by_sex = result.metric_frame("sex")
    finding = next(f for f in result.findings if f.id == "group_disparity/demographic_parity_difference/difference/sex")
    assert by_sex.difference()["selection_rate"] == pytest.approx(finding.estimate, abs=1e-12)
    ratio = next(f for f in result.findings if f.id == "group_disparity/impact_ratio/ratio/sex")
    assert by_sex.ratio()["favourable_rate"] == pytest.approx(ratio.estimate, abs=1e-12)
    assert result.overall["accuracy"] == pytest.approx((people().y == people().yhat).mean())


def test_control_features_are_the_stratum_and_condition_the_frames() -> None:
    frame = people(1500).assign(site=lambda f: np.arange(len(f)) % 2, shift=lambda f: np.arange(len(f)) % 3)

    one = evenhand.audit(data=frame, **ROLES, control_features="site")
    two = evenhand.audit(data=frame, **ROLES, control_features=["site", "shift"])

    assert one.difference().index.tolist() == ["0", "1"]
    assert one.difference().index.name == "site"
    assert two.overall.index.tolist() == [f"site={a}, shift={b}" for a in range(2) for b in range(3)]


def test_a_built_in_set_and_a_path_are_data_too(tmp_path: Path) -> None:
    people(300).to_csv(tmp_path / "people.csv", index=False)

    assert evenhand.audit(data="compas", only="group_disparity").report.subject.data.rows > 6000
    assert evenhand.audit(data=tmp_path / "people.csv", **ROLES).report.subject.data.name == "people.csv"


def test_a_file_that_is_counted_in_chunks_gives_the_numbers_of_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = people(900)
    frame.to_csv(tmp_path / "people.csv", index=False)
    monkeypatch.setattr("evenhand.datasets.counting.streaming.LARGE_BYTES", 1000)

    counted = evenhand.audit(data=tmp_path / "people.csv", **ROLES, only="group_disparity")
    read = evenhand.audit(data=frame, **ROLES, only="group_disparity")

    pd.testing.assert_frame_equal(counted.by_group, read.by_group)
    assert counted.findings == read.findings


def test_a_policy_is_taken_as_object_dict_or_path(tmp_path: Path) -> None:
    frame = people(300)
    (tmp_path / "evenhand.toml").write_text('[[check]]\nmetric = "accuracy"\nwithin = 0.2\n')

    found = [
        evenhand.audit(data=frame, **ROLES, policy=policy).report.subject.policy["check"]
        for policy in (
            Policy(check=[Check(metric="accuracy", within=0.2)]),
            {"check": [{"metric": "accuracy", "within": 0.2}]},
            tmp_path / "evenhand.toml",
        )
    ]

    assert found[0] == found[1] == found[2]
    assert found[0][0]["metric"] == "accuracy"


def test_columns_that_the_policy_names_need_no_argument() -> None:
    data = {"label": "y", "prediction": "yhat", "sensitive": ["sex"]}

    result = evenhand.audit(data=people(300), policy={"data": data}, title="Loans")

    assert result.report.subject.title == "Loans"
    assert result.report.subject.policy["data"]["sensitive"] == ["sex"]


def test_report_is_written_and_can_be_read_again(tmp_path: Path) -> None:
    result = evenhand.audit(data=people(300), **ROLES)

    result.to_json(tmp_path / "r.json")
    result.to_html(tmp_path / "r.html")

    assert Report.model_validate_json((tmp_path / "r.json").read_bytes()) == result.report
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert result.to_markdown() == (result.to_markdown(tmp_path / "r.md"))


def test_it_shows_itself_in_a_notebook_with_names_escaped() -> None:
    frame = people(300).rename(columns={"sex": "<script>"})

    result = evenhand.audit(data=frame, y_true="y", y_pred="yhat", sensitive_features="<script>")

    assert repr(result).startswith(f"<AuditResult: {result.verdict.value}, exit code {result.exit_code}; 300 rows, ")
    html = result._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "<table>" in html


def test_a_model_that_is_no_path_says_what_to_pass() -> None:
    with pytest.raises(BadArgument, match=r"y_pred=model.predict\(X\)"):
        evenhand.audit(data=people(100), sensitive_features="sex", y_true="y", model=object())  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_trained_model_scores_the_frame(tmp_path: Path) -> None:
    from evenhand.service.models.documents import TrainingRequest
    from evenhand.service.models.train import train

    people(600).drop(columns=["yhat", "score", "w"]).to_csv(tmp_path / "people.csv", index=False)
    request = TrainingRequest(
        kind="logistic_regression", dataset="people", label="y", features=["sex"], sensitive=["sex"]
    )
    made = train(request, source=str(tmp_path / "people.csv"), folder=tmp_path, progress=lambda fraction, message: None)
    path = tmp_path / made["filename"]

    result = evenhand.audit(
        data=people(600), model=path, y_true="y", sensitive_features="sex", positive=1, only="group_disparity"
    )

    assert result.report.subject.model is not None
    assert result.report.subject.model.name == path.name
    assert set(result.by_group.index) == {"F", "M"}


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"sensitive_features": "sex", "y_true": "y"}, NothingToAudit, "prediction"),
        ({"y_pred": "yhat"}, NoSensitiveColumn, "sensitive"),
        ({"y_pred": "yhat", "sensitive_features": "gender"}, MissingColumn, "gender"),
        ({"y_pred": "yhat", "sensitive_features": ["sex", "gender"]}, MissingColumn, "gender"),
        ({"y_pred": [1, 0], "sensitive_features": "sex"}, LengthMismatch, "y_pred"),
        ({"y_pred": "yhat", "y_score": "score", "sensitive_features": "sex"}, BadPolicy, "both named"),
        ({"y_pred": "yhat", "sensitive_features": "sex", "only": "fairness"}, BadArgument, "group_disparity"),
        ({"y_pred": "yhat", "sensitive_features": "sex", "policy": {"chek": []}}, BadPolicy, "chek"),
        ({"y_pred": "yhat", "sensitive_features": "one"}, NothingToCompare, "fewer than two groups"),
        ({"data": None, "y_pred": "yhat", "sensitive_features": "sex"}, BadArgument, "there is no `data`"),
        ({"data": 3, "y_pred": "yhat", "sensitive_features": "sex"}, BadArgument, "pandas, polars or pyarrow"),
        ({"data": "compas", "y_pred": [1, 0]}, BadArgument, "beside a path"),
    ],
)
def test_what_is_wrong_is_said_in_the_callers_words(
    arguments: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        evenhand.audit(**({"data": people(100).assign(one=1)} | arguments))


def test_two_columns_of_one_name_are_refused() -> None:
    frame = people(100)
    frame.columns = pd.Index(["y", "yhat", "score", "sex", "sex", "w"])

    with pytest.raises(BadArgument, match="two columns are called 'sex'"):
        evenhand.audit(data=frame, y_pred="yhat", sensitive_features="sex")


def test_values_of_several_types_are_groups_by_their_text() -> None:
    frame = people(300)
    mixed = [1 if sex == "M" else "one" for sex in frame.sex]
    mixed[0] = None

    result = evenhand.audit(y_pred=frame.yhat, sensitive_features=pd.Series(mixed, dtype=object, name="mixed"))

    assert result.by_group.index[:2].tolist() == ["1", "one"]
    assert result.by_group.index.isna().sum() == 1


def test_the_same_rows_have_the_same_digest_and_others_another() -> None:
    def digest(frame: pd.DataFrame) -> str:
        return evenhand.audit(data=frame, **ROLES, only="group_disparity").report.subject.data.sha256

    frame = people(300)
    halves = pa.concat_tables([pa.Table.from_pandas(frame[:150]), pa.Table.from_pandas(frame[150:])])

    assert digest(frame) == digest(frame.copy())
    assert digest(halves) == digest(pa.Table.from_pandas(frame))
    assert digest(frame) != digest(frame.assign(w=1))


# --- what an import costs ---


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_import_evenhand_imports_no_library_and_takes_no_time() -> None:
    code = (
        "import sys, time; began = time.perf_counter(); import evenhand; took = time.perf_counter() - began\n"
        "print(took, sorted({'numpy', 'scipy', 'pandas', 'pydantic', 'pyarrow', 'click'} & set(sys.modules)))"
    )

    took, loaded = min(run(code).split(" ", 1) for _ in range(3))

    assert float(took) < 0.05
    assert loaded == "[]"


def test_an_audit_of_a_dict_imports_neither_flask_nor_torch_nor_scikit_learn() -> None:
    code = (
        "import sys, evenhand\n"
        "evenhand.audit(data={'p': [0, 1] * 50, 'g': ['a', 'a', 'b', 'b'] * 25}, y_pred='p', sensitive_features='g')\n"
        "print(sorted({'flask', 'torch', 'sklearn', 'sqlalchemy', 'jinja2'} & set(sys.modules)))"
    )

    assert run(code) == "[]"


def test_everything_offered_is_there_and_the_rest_is_not() -> None:
    for name in ("audit", "AuditResult", "MetricFrame", "Policy", "audit_aequitas", "importers"):
        assert getattr(evenhand, name) is not None
        assert name in dir(evenhand)
    with pytest.raises(AttributeError, match="no attribute 'fair'"):
        evenhand.fair  # noqa: B018


@pytest.mark.slow
def test_a_million_rows_are_audited_in_seconds() -> None:
    frame = pd.concat([people(100_000)] * 10)

    began = time.perf_counter()
    evenhand.audit(data=frame, **ROLES, only="group_disparity")

    assert time.perf_counter() - began < 10


def test_json_of_a_result_is_the_json_of_the_command_line(tmp_path: Path) -> None:
    people(300).to_csv(tmp_path / "p.csv", index=False)
    roles = ["--label", "y", "--prediction", "yhat", "--sensitive", "sex"]
    CliRunner().invoke(cli, ["audit", str(tmp_path / "p.csv"), *roles, "--json", str(tmp_path / "cli.json")])

    evenhand.audit(data=tmp_path / "p.csv", y_true="y", y_pred="yhat", sensitive_features="sex").to_json(
        tmp_path / "python.json"
    )

    one, two = (json.loads((tmp_path / name).read_text()) for name in ("cli.json", "python.json"))
    for document in (one, two):
        for key in ("id", "created"):
            document.pop(key)
    assert one == two
