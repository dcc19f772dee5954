"""A source that is counted gives the report that reading its rows gives."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pv
import pytest
from click.testing import CliRunner
from pyarrow import feather, parquet

from evenhand.auditors.policy import Check, DataSection, Policy
from evenhand.auditors.report import Finding, Report
from evenhand.datasets.counting import chunks, score_tally, streaming
from evenhand.datasets.errors import MissingColumn, MissingValue, NotBinary
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.errors import NeedsRows, NoSensitiveColumn, NothingToAudit, ThresholdNeeded
from evenhand.service.audits.run import run_audit
from evenhand.service.audits.verification import verify_again, verify_alone
from evenhand.service.cli.audit import command
from tests.service import postgres
from tests.service.running import Client

ROWS = 3_000
COUNTED = "counted in chunks"


def people() -> dict[str, Any]:
    rng = np.random.default_rng(3)
    label = rng.random(ROWS) < 0.4
    score = np.round(rng.random(ROWS), 3)
    return {
        "sex": pa.array([None if i % 50 == 0 else ("f", "m")[i % 2] for i in range(ROWS)]),
        "age": pa.array(rng.integers(2, 5, ROWS) * 10.0),
        "region": pa.array(rng.choice(["north", "south"], ROWS)).dictionary_encode(),
        "y": pa.array(label.astype(np.int64)),
        "truth": pa.array(label),
        "yhat": pa.array((score < np.where(label, 0.7, 0.2)).astype(np.int64)),
        "score": pa.array(score),
        "w": pa.array(rng.integers(1, 5, ROWS) / 4),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people")
    data = pa.table(people())
    parquet.write_table(data, folder / "people.parquet", row_group_size=700)
    feather.write_feather(data, str(folder / "people.arrow"), chunksize=700)
    pv.write_csv(data, folder / "people.csv")
    return folder


def request(source: Path | str, **data: Any) -> AuditRequest:
    known = {"label": "y", "prediction": "yhat", "sensitive": ["sex", "age"]} | data
    section = DataSection(**{name: value for name, value in known.items() if value is not None})
    return AuditRequest(source=str(source), policy=Policy(data=section))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file counts as large, and is several chunks."""
    monkeypatch.setattr(streaming, "LARGE_ROWS", 0)
    monkeypatch.setattr(streaming, "LARGE_BYTES", 0)
    monkeypatch.setattr(chunks, "ROWS_A_CHUNK", 256)


def was_counted(report: Report) -> bool:
    return any(COUNTED in limit for limit in report.subject.data.limits)


CASES: dict[str, dict[str, Any]] = {
    "predictions": {},
    "three attributes, and so the worst subgroups": {"sensitive": ["sex", "age", "region"], "intersections": 3},
    "no labels": {"label": None},
    "boolean labels": {"label": "truth"},
    "weights": {"weight": "w"},
    "a stratum": {"stratum": "region"},
    "where": {"where": {"region": "north", "age": "30"}},
    "the label as an attribute": {"sensitive": ["sex", "y"]},
    "a favourable outcome": {"positive": "1", "favourable": "0"},
}


@pytest.mark.parametrize(
    ("case", "kind"), [*((case, "parquet") for case in CASES), ("boolean labels", "csv"), ("weights", "arrow")]
)
def test_report_is_that_of_the_rows(
    case: str, kind: str, folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights here are quarters, whose sums no order of adding changes."""
    asked = request(folder / f"people.{kind}", **CASES[case])

    counted = run_audit(asked)
    monkeypatch.undo()
    read = run_audit(asked)

    assert was_counted(counted)
    assert not was_counted(read)
    assert disparities(counted) == disparities(read)
    assert counted.gate.exit_code == read.gate.exit_code
    assert group_disparity(counted) == group_disparity(read)
    assert shares(counted) == shares(read)
    assert (counted.subject.data.rows, counted.subject.data.sha256) == (
        read.subject.data.rows,
        read.subject.data.sha256,
    )
    assert counted.subject.data.columns == read.subject.data.columns
    assert counted.subject.title == read.subject.title


def disparities(report: Report) -> list[Finding]:
    return [finding for finding in report.findings if finding.audit == "group_disparity"]


def group_disparity(report: Report) -> dict[str, Any]:
    """The whole document; notes of the search, which name what only rows can give, are another test's."""
    assert report.audits.group_disparity is not None
    document = report.audits.group_disparity.model_dump()
    if document["subgroups"] is not None:
        document["subgroups"].pop("notes")
    return document


def shares(report: Report) -> list[Any]:
    assert report.audits.representation is not None
    return [attribute.model_dump() for attribute in report.audits.representation.attributes]


def test_scores_count_by_their_threshold(folder: Path, large: None) -> None:
    asked = request(folder / "people.parquet", prediction=None, score="score", threshold=0.25)

    report = run_audit(asked)

    scores = np.asarray(people()["score"].to_pylist())
    audit = report.audits.group_disparity
    assert audit is not None
    assert audit.attributes[0].overall.counts.selected == (scores >= 0.25).sum()
    assert audit.prediction == "score >= 0.25"


def test_scores_outside_0_and_1_need_a_threshold(tmp_path: Path, large: None) -> None:
    path = tmp_path / "credit.parquet"
    parquet.write_table(pa.table({"sex": ["f", "m"] * 50, "score": [350.0, 720.0] * 50}), path)

    with pytest.raises(ThresholdNeeded, match="between 350 and 720"):
        run_audit(request(path, label=None, prediction=None, score="score", sensitive=["sex"]))


def test_missing_labels_are_refused_with_their_number(tmp_path: Path, large: None) -> None:
    path = tmp_path / "people.parquet"
    parquet.write_table(pa.table({"sex": ["f", "m"] * 50, "y": [1, None] * 50, "yhat": [1, 0] * 50}), path)

    with pytest.raises(MissingValue, match="50 values are missing"):
        run_audit(request(path, sensitive=["sex"]))


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"sensitive": ["gender"]}, MissingColumn),
        ({"prediction": None}, NothingToAudit),
        ({"sensitive": None}, NoSensitiveColumn),
        ({"label": "age"}, NotBinary),
    ],
)
def test_what_is_wrong_is_said_as_for_rows(
    data: dict[str, Any],
    problem: type[Exception],
    folder: Path,
    large: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = request(folder / "people.parquet", **data)

    with pytest.raises(problem) as counted:
        run_audit(asked)
    monkeypatch.undo()
    with pytest.raises(problem) as read:
        run_audit(asked)

    assert str(counted.value) == str(read.value)


@pytest.mark.parametrize(
    "more",
    [
        {"only": ["proxy"], "policy": {"data": {"features": ["age"]}}},
        {"policy": {"data": {"unit": "region"}}},
        {"policy": {"search": {"features": ["age"]}}},
    ],
)
def test_rows_are_read_where_something_needs_them(more: dict[str, Any], folder: Path, large: None) -> None:
    asked = request(folder / "people.parquet")
    policy = Policy.model_validate(
        asked.policy.model_dump(exclude_unset=True)
        | {k: v for k, v in more.get("policy", {}).items() if k != "data"}
        | {"data": asked.policy.data.model_dump(exclude_unset=True) | more.get("policy", {}).get("data", {})}
    )

    report = run_audit(asked.model_copy(update={**more, "policy": policy}))

    assert not was_counted(report)


def test_search_of_counts_says_what_it_could_not_look_at(folder: Path, large: None) -> None:
    asked = request(folder / "people.parquet", weight="w").model_copy(update={"thorough": True})

    audit = run_audit(asked).audits.group_disparity

    assert audit is not None
    assert audit.subgroups is not None
    notes = " ".join(audit.subgroups.notes)
    assert "Slices by ordinary features need rows" in notes
    assert "Weights were not used" in notes


def on_scores(source: Path | str, **data: Any) -> AuditRequest:
    """An audit of a score, with a check that decides on areas."""
    asked = request(source, prediction=None, score="score", **data)
    checks = [Check(metric="roc_auc", compare="difference", within=0.1), Check(metric="accuracy", within=0.1)]
    return asked.model_copy(update={"policy": asked.policy.model_copy(update={"check": checks})})


def close(found: Any, wanted: Any, *, within: float = 1e-9) -> bool:
    """Whether two documents are alike, numbers up to the order in which sums were added."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(close(found[key], wanted[key], within=within) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(
            close(*pair, within=within) for pair in zip(found, wanted, strict=True)
        )
    return found == pytest.approx(wanted, abs=within) if isinstance(wanted, float) else found == wanted


def scores_of(report: Report) -> list[dict[str, Any]]:
    assert report.audits.group_disparity is not None
    found = report.audits.group_disparity.scores
    assert found is not None
    return [attribute.model_dump(exclude={"notes"}) for attribute in found]


SCORED: list[dict[str, Any]] = [
    {},
    {"label": None},
    {"weight": "w"},
    {"where": {"region": "north"}},
    {"threshold": 0.25},
]


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "duckdb"])
def test_scores_of_few_values_are_audited_as_their_rows(
    kind: str, folder: Path, warehouse: str, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores in thousandths: no bin holds two, and nothing is in doubt."""
    for data in SCORED if kind in ("parquet", "duckdb") else [{"weight": "w"}]:
        here = folder / f"people.{kind}" if kind != "duckdb" else warehouse
        ask = on_scores if data.get("label", "y") else lambda at, **d: request(at, prediction=None, score="score", **d)
        counted = run_audit(ask(here, **data))
        with monkeypatch.context() as patch:
            patch.setattr(streaming, "LARGE_ROWS", 10**9)
            patch.setattr(streaming, "LARGE_BYTES", 10**12)
            read = run_audit(ask(folder / "people.parquet", **data))

        assert not was_counted(read)
        assert close(scores_of(counted), scores_of(read))
        assert close(group_metrics(counted), group_metrics(read))
        assert [finding.id for finding in disparities(counted)] == [finding.id for finding in disparities(read)]
        pairs = zip(disparities(counted), disparities(read), strict=True)
        assert all(
            close(one.model_dump(exclude={"message"}), other.model_dump(exclude={"message"})) for one, other in pairs
        )
        assert counted.gate.exit_code == read.gate.exit_code


def group_metrics(report: Report) -> list[Any]:
    assert report.audits.group_disparity is not None
    return [attribute.model_dump() for attribute in report.audits.group_disparity.attributes]


def test_scores_in_bins_come_with_a_bound_that_holds(
    tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row has a score of its own: areas are known within the bound, and the interval is wider by it."""
    rng = np.random.default_rng(2)
    label, sex = rng.integers(0, 2, 6_000), rng.integers(0, 2, 6_000)
    score = 1 / (1 + np.exp(-rng.normal(label + 0.3 * sex)))
    path = tmp_path / "people.parquet"
    parquet.write_table(pa.table({"y": label, "sex": sex, "score": score}), path)
    asked = on_scores(path, sensitive=["sex"])

    counted = run_audit(asked)
    monkeypatch.undo()
    read = run_audit(asked)

    (found,), (truth,) = scores_of(counted), scores_of(read)
    assert 0 < found["cross"]["bound"] < 0.001
    areas = [np.array(each["cross"]["area"], dtype=float) for each in (found, truth)]
    assert np.abs(areas[0] - areas[1]).max() <= found["cross"]["bound"]
    assert np.abs(areas[0] - areas[1]).max() > 0
    one, other = (
        next(finding for finding in disparities(each) if finding.metric == "roc_auc") for each in (counted, read)
    )
    assert one.verdict == other.verdict
    assert one.low is not None
    assert other.low is not None
    assert one.low < other.low
    audit = counted.audits.group_disparity
    assert audit is not None
    assert audit.scores is not None
    assert any("bins" in note and "areas under curves by ." in note for note in audit.scores[0].notes)


@pytest.mark.parametrize("shape", ["skewed", "logits", "with zeros", "tiny", "constant"])
def test_areas_of_counted_scores_of_any_shape_lie_within_their_bound(
    shape: str, tmp_path: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    label, sex = rng.integers(0, 2, 6_000), rng.integers(0, 3, 6_000)
    logit = rng.normal(label + 0.3 * sex)
    p = 1 / (1 + np.exp(-logit))
    score = {
        "skewed": p**40,
        "logits": logit,
        "with zeros": np.where(p < 0.3, 0.0, p),
        "tiny": p * 1e-200,
        "constant": np.full_like(p, -2.5),
    }[shape]
    path = tmp_path / "people.parquet"
    parquet.write_table(pa.table({"y": label, "sex": sex, "score": score}), path)
    asked = on_scores(path, sensitive=["sex"], threshold=float(np.median(score)))

    counted = run_audit(asked)
    monkeypatch.undo()
    read = run_audit(asked)

    (found,), (truth,) = scores_of(counted), scores_of(read)
    areas = [np.array(each["cross"]["area"], dtype=float) for each in (found, truth)]
    assert was_counted(counted)
    assert not was_counted(read)
    assert np.abs(areas[0] - areas[1]).max() <= found["cross"]["bound"] + 1e-9
    if shape in ("logits", "with zeros"):
        assert found["cross"]["bound"] < 0.001


def test_rows_are_read_for_a_check_on_scores_with_more_bins_than_there_is_room(
    folder: Path, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_tally, "MOST_SCORE_CELLS", 10)

    checked = run_audit(on_scores(folder / "people.parquet"))
    unchecked = run_audit(request(folder / "people.parquet", prediction=None, score="score"))

    assert not was_counted(checked)
    assert was_counted(unchecked)
    assert any("areas under curves and calibration are left out" in limit for limit in unchecked.subject.data.limits)


def test_a_check_on_scores_that_may_not_leave_the_warehouse_is_refused(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evenhand.datasets.warehouse.MOST_ROWS_OUT", 40)

    with pytest.raises(NeedsRows, match="check roc_auc"):
        run_audit(on_scores(warehouse))


def test_small_file_is_read(folder: Path) -> None:
    assert not was_counted(run_audit(request(folder / "people.parquet")))


# --- tables in a warehouse --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    import duckdb

    path = tmp_path_factory.mktemp("warehouse") / "people.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.register("rows_here", pa.table(people()))
        connection.execute("CREATE TABLE people AS SELECT * FROM rows_here").fetchall()
    return f"duckdb://{path}?table=people"


@pytest.mark.parametrize(
    "case", ["three attributes, and so the worst subgroups", "boolean labels", "weights", "a stratum", "where"]
)
def test_report_of_a_warehouse_is_that_of_the_rows(case: str, warehouse: str, folder: Path) -> None:
    counted = run_audit(request(warehouse, **CASES[case]))
    read = run_audit(request(folder / "people.parquet", **CASES[case]))

    assert disparities(counted) == disparities(read)
    assert group_disparity(counted) == group_disparity(read)
    assert shares(counted) == shares(read)
    assert counted.subject.data.rows == read.subject.data.rows


def test_report_of_a_warehouse_can_be_recomputed(warehouse: str) -> None:
    report = run_audit(request(warehouse))

    again = [*verify_alone(report), *verify_again(report, source=warehouse, model_path=None)]

    assert [test for test in again if test.problem is not None] == []
    assert report.subject.data.name == "people.duckdb/people"
    assert any("that of the counted table" in limit for limit in report.subject.data.limits)


@pytest.mark.parametrize(
    ("more", "setting"),
    [
        ({"only": ["proxy"]}, "the proxy audit needs its rows"),
        ({"model_path": "model.onnx"}, "`model` needs its rows"),
    ],
)
def test_what_needs_rows_is_refused_in_a_warehouse(more: dict[str, Any], setting: str, warehouse: str) -> None:
    asked = request(warehouse).model_copy(update=more)

    with pytest.raises(NeedsRows, match=setting):
        run_audit(asked)


@pytest.mark.postgres
def test_password_is_nowhere_in_the_report(postgres_server: str) -> None:
    import psycopg

    with postgres.database(postgres_server) as url:
        with psycopg.connect(url) as connection:
            rows = "SELECT i % 2 AS y, (i / 2) % 2 AS yhat, 'g' || i % 3 AS sex FROM generate_series(1, 900) AS s (i)"
            connection.execute(f"CREATE TABLE people AS {rows}")
        source = url.replace("root@", "root:s3cret@") + "/people"
        report = run_audit(request(source, sensitive=["sex"]))

    assert "s3cret" not in report.to_json()
    assert report.subject.data.name.endswith("/people")
    assert report.subject.data.rows == 900


def test_report_on_scores_of_a_warehouse_can_be_recomputed_to_the_last_digit(warehouse: str) -> None:
    """An engine answers in any order."""
    report = run_audit(on_scores(warehouse))

    again = [*verify_alone(report), *verify_again(report, source=warehouse, model_path=None)]

    assert [test for test in again if test.problem is not None] == []


def test_rows_of_a_histogram_may_come_in_any_order(folder: Path, large: None, monkeypatch: pytest.MonkeyPatch) -> None:
    one = run_audit(on_scores(folder / "people.parquet"))
    counting = streaming.count_file

    def turned(*arguments: Any, **named: Any) -> Any:
        counted = counting(*arguments, **named)
        found = counted.scores
        assert found is not None
        order = np.random.default_rng(0).permutation(found.table.rows)
        columns = {name: getattr(found, name)[order] for name in ("lowest", "highest")}
        return replace(counted, scores=replace(found, table=found.table.take(order), **columns))

    monkeypatch.setattr(streaming, "count_file", turned)
    other = run_audit(on_scores(folder / "people.parquet"))

    assert scores_of(one) == scores_of(other)
    assert disparities(one) == disparities(other)


def test_service_opens_no_url_that_a_user_names(client: Client, warehouse: str) -> None:
    """A server that connects where a stranger says would reach what only the server can."""
    policy = {"data": {"label": "y", "prediction": "yhat", "sensitive": ["sex"]}}

    for dataset in (warehouse, "postgresql://root@127.0.0.1:5432/postgres/pg_class"):
        answer = client.send("POST", "/api/v1/audits", {"dataset": dataset, "policy": policy})
        assert (answer.status, answer.json["type"]) == (422, "/problems/unknown-choice")
    answer = client.send("POST", "/api/v1/audits", {"dataset": "adult", "policy": {"data": {"source": warehouse}}})
    assert answer.status == 422


def test_command_line_takes_a_url(warehouse: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    options = ["--label", "y", "--prediction", "yhat", "--sensitive", "sex", "--quiet", "--json", str(path)]

    done = CliRunner().invoke(command, [warehouse, *options])

    report = Report.model_validate_json(path.read_text())
    assert done.exit_code == report.gate.exit_code
    assert report.subject.data.rows == ROWS
