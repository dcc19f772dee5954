"""`evenhand audit` as CI calls it: exit codes, files, and messages for what is wrong."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from evenhand.auditors.report import AUDIT_NAMES, Report
from evenhand.service.cli import cli
from evenhand.service.cli.audit import AUDITS

Audit = Callable[..., Result]


@pytest.fixture
def audit() -> Audit:
    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli, ["audit", *map(str, arguments)])

    return run


def predictions(folder: Path, groups: dict[str, tuple[int, int, int, int]], *, name: str = "predictions.csv") -> Path:
    """A CSV of y, yhat, sex from confusion counts tp, fp, fn, tn by group."""
    lines = ["y,yhat,sex"]
    for group, counts in groups.items():
        for (y, yhat), n in zip(((1, 1), (0, 1), (1, 0), (0, 0)), counts, strict=True):
            lines += [f"{y},{yhat},{group}"] * n
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


ROLES = ("--label", "y", "--prediction", "yhat", "--sensitive", "sex")
FAIR = {"F": (800, 200, 200, 800), "M": (800, 200, 200, 800)}
UNFAIR = {"F": (400, 100, 600, 900), "M": (800, 200, 200, 800)}
SMALL = {"F": (20, 5, 5, 20), "M": (20, 5, 5, 20)}


@pytest.mark.parametrize(("groups", "exit_code"), [(FAIR, 0), (UNFAIR, 1), (SMALL, 3)])
def test_exit_code_says_what_is_proven(audit: Audit, tmp_path: Path, groups: dict, exit_code: int) -> None:
    result = audit(predictions(tmp_path, groups), *ROLES)

    assert result.exit_code == exit_code
    assert result.output.strip().splitlines()[-1].startswith(f"Exit code {exit_code}:")


def test_allowing_inconclusive_exits_zero_with_a_warning(audit: Audit, tmp_path: Path) -> None:
    result = audit(predictions(tmp_path, SMALL), *ROLES, "--allow-inconclusive")

    assert result.exit_code == 0
    assert "inconclusive" in result.output.lower()


def test_all_files_are_written_and_the_report_is_valid(audit: Audit, tmp_path: Path) -> None:
    names = {"--json": "r.json", "--html": "r.html", "--junit-xml": "r.xml", "--sarif": "r.sarif", "--markdown": "r.md"}

    options = [part for option, name in names.items() for part in (option, tmp_path / name)]
    audit(predictions(tmp_path, UNFAIR), *ROLES, *options)

    report = Report.model_validate_json((tmp_path / "r.json").read_bytes())
    assert report.gate.exit_code == 1
    assert json.loads((tmp_path / "r.json").read_text())["schema"] == "evenhand-report/1"
    assert all((tmp_path / name).stat().st_size > 100 for name in names.values())
    assert not list(tmp_path.glob(".*"))  # no half-written file beside them


def test_same_seed_gives_the_same_report_but_id_and_time(audit: Audit, tmp_path: Path) -> None:
    source = predictions(tmp_path, UNFAIR)

    for name in ("one.json", "two.json"):
        audit(source, *ROLES, "--seed", 7, "--json", tmp_path / name)

    one, two = (json.loads((tmp_path / name).read_text()) for name in ("one.json", "two.json"))
    assert {key for key in one if one[key] != two[key]} <= {"id", "created", "signature"}
    assert one["id"] != two["id"]


def test_quiet_prints_the_last_line_only(audit: Audit, tmp_path: Path) -> None:
    result = audit(predictions(tmp_path, FAIR), *ROLES, "--quiet")

    assert len(result.output.strip().splitlines()) == 1


@pytest.mark.parametrize(("quiet", "annotations"), [([], 4), (["--quiet"], 0)])
def test_annotations_on_github_are_left_out_where_only_the_last_line_is_asked_for(
    audit: Audit, monkeypatch: pytest.MonkeyPatch, quiet: list[str], annotations: int
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    result = audit("compas", "--only", "group_disparity", *quiet)

    assert sum(line.startswith("::error") for line in result.output.splitlines()) == annotations


def test_compas_needs_no_options_and_an_option_overrides_only_what_it_names(audit: Audit, tmp_path: Path) -> None:
    audit("compas", "--only", "group_disparity", "--positive", "1", "--json", tmp_path / "r.json", "--quiet")

    document = json.loads((tmp_path / "r.json").read_text())["audits"]["group_disparity"]
    assert (document["positive"], document["favourable"], document["label"]) == ("1", "0", "two_year_recid")


def test_nobody_selected_is_a_finding_and_no_error(audit: Audit, tmp_path: Path) -> None:
    """METHODS 8.11b: the ratio is undefined."""
    result = audit(predictions(tmp_path, {"F": (0, 0, 50, 50), "M": (0, 0, 50, 50)}), *ROLES, "--positive", "1")

    assert result.exit_code == 3
    assert "no ratio" in result.output or "undefined" in result.output


def test_words_as_labels_need_a_positive_and_then_work(audit: Audit, tmp_path: Path) -> None:
    source = predictions(tmp_path, FAIR)
    source.write_text(source.read_text().replace("1,", "yes,").replace("0,", "no,"))

    assert audit(source, *ROLES).exit_code == 2
    assert audit(source, *ROLES, "--favourable", "yes").exit_code == 0
    assert audit(source, *ROLES, "--positive", "yes", "--favourable", "no").exit_code == 0


def test_missing_sensitive_value_is_listed_as_unknown(audit: Audit, tmp_path: Path) -> None:
    source = predictions(tmp_path, {**FAIR, "": (10, 10, 10, 10)})

    audit(source, *ROLES, "--json", tmp_path / "r.json")

    groups = json.loads((tmp_path / "r.json").read_text())["audits"]["group_disparity"]["attributes"][0]["groups"]
    assert {"sex": None} in [group["group"] for group in groups]


def test_weights_and_scores_are_taken(audit: Audit, tmp_path: Path) -> None:
    source = predictions(tmp_path, FAIR)
    rows = source.read_text().splitlines()
    source.write_text(
        "\n".join([rows[0] + ",w,p", *(f"{row},2,0.{9 if row.split(',')[1] == '1' else 1}" for row in rows[1:])])
    )

    result = audit(
        source, "--label", "y", "--score", "p", "--threshold", "0.5", "--sensitive", "sex", "--weight", "w",
        "--json", tmp_path / "r.json",
    )  # fmt: skip

    groups = json.loads((tmp_path / "r.json").read_text())["audits"]["group_disparity"]["attributes"][0]["groups"]
    assert result.exit_code == 0
    assert groups[0]["counts"]["tp"] == 1600.0
    assert groups[0]["n"] == 2000


class TestPolicyFile:
    POLICY = """
[data]
source = "predictions.csv"
label = "y"
prediction = "yhat"
sensitive = ["sex"]

[[check]]
metric = "selection_rate"
compare = "difference"
within = 0.3
"""

    def test_policy_file_is_a_source(self, audit: Audit, tmp_path: Path) -> None:
        predictions(tmp_path, UNFAIR)
        (tmp_path / "evenhand.toml").write_text(self.POLICY)

        result = audit(tmp_path / "evenhand.toml", "--json", tmp_path / "r.json")

        report = json.loads((tmp_path / "r.json").read_text())
        assert result.exit_code == 0
        assert [f["metric"] for f in report["findings"] if f["gate"] != "off"] == ["selection_rate"]

    def test_pyproject_of_the_folder_is_used_without_a_source(
        self, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        predictions(tmp_path, UNFAIR)
        table = self.POLICY.replace("[data]", "[tool.evenhand.data]").replace("[[check]]", "[[tool.evenhand.check]]")
        (tmp_path / "pyproject.toml").write_text(table)
        monkeypatch.chdir(tmp_path)

        assert audit().exit_code == 0

    def test_an_option_overrides_the_file(self, audit: Audit, tmp_path: Path) -> None:
        predictions(tmp_path, UNFAIR)
        (tmp_path / "evenhand.toml").write_text(self.POLICY)

        result = audit(tmp_path / "evenhand.toml", "--sensitive", "gender")

        assert result.exit_code == 2
        assert "column 'gender' is not in predictions.csv" in result.output

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ("within = 0.3\nwithn = 1", "check.0.withn: there is no such key"),
            ('within = "much"', "check.0.within"),
            ('within = 0.3\nattributes = ["sx"]', "Did you mean 'sex'"),
            ('within = 0.3\ngate = "loose"', "check.0.gate"),
            ("within = = 3", "no usable policy"),
            ('within = 0.3\n[check]\nmetric = "impact_ratio"', "write [[check]]"),
            (
                'within = 0.3\n[[check]]\nmetric = "equal_oportunity"\nwithin = 0.1',
                "mean 'equal_opportunity_difference'",
            ),
        ],
    )
    def test_wrong_policy_says_where(self, audit: Audit, tmp_path: Path, wrong: str, said: str) -> None:
        predictions(tmp_path, UNFAIR)
        (tmp_path / "evenhand.toml").write_text(self.POLICY.replace("within = 0.3", wrong))

        result = audit(tmp_path / "evenhand.toml")

        assert result.exit_code == 2
        assert said in result.output


class TestBadInput:
    """Exit 2, a message that says what to do, and nothing left behind."""

    def refused(self, audit: Audit, folder: Path, *arguments: object) -> str:
        result = audit(*arguments, "--json", folder / "never.json", "--html", folder / "never.html")

        assert result.exit_code == 2, result.output
        assert not list(folder.glob("*never*"))
        assert "Traceback" not in result.output
        return result.output

    def test_empty_file(self, audit: Audit, tmp_path: Path) -> None:
        (tmp_path / "empty.csv").write_text("")
        assert "empty" in self.refused(audit, tmp_path, tmp_path / "empty.csv", *ROLES)

    def test_missing_column_suggests_the_nearest(self, audit: Audit, tmp_path: Path) -> None:
        said = self.refused(audit, tmp_path, predictions(tmp_path, FAIR), *ROLES[:-1], "sx")
        assert "Did you mean 'sex'" in said
        assert "Use --sensitive sex." in said
        assert "evenhand.toml" not in said

    def test_missing_column_names_the_option_at_fault(self, audit: Audit, tmp_path: Path) -> None:
        said = self.refused(audit, tmp_path, "adult", "--prediction", "incom")
        assert "Did you mean 'income'? Use --prediction income." in said
        assert "--sensitive" not in said

    def test_one_group_only(self, audit: Audit, tmp_path: Path) -> None:
        said = self.refused(audit, tmp_path, predictions(tmp_path, {"F": FAIR["F"]}), *ROLES)
        assert "fewer than two groups" in said

    @pytest.mark.parametrize("column", ["y", "yhat"])
    def test_missing_label_or_prediction_names_the_row(self, audit: Audit, tmp_path: Path, column: str) -> None:
        source = predictions(tmp_path, FAIR)
        lines = source.read_text().splitlines()
        lines[3] = ",1,F" if column == "y" else "1,,F"
        source.write_text("\n".join(lines))

        said = self.refused(audit, tmp_path, source, *ROLES)

        assert f"'{column}'" in said
        assert "row 3" in said

    def test_three_valued_prediction_without_a_favourable_value(self, audit: Audit, tmp_path: Path) -> None:
        source = predictions(tmp_path, FAIR)
        source.write_text(source.read_text().replace("1,1,F", "1,2,F"))
        said = self.refused(audit, tmp_path, source, *ROLES)
        assert "--positive" in said or "--favourable" in said

    def test_unknown_format(self, audit: Audit, tmp_path: Path) -> None:
        (tmp_path / "rows.xlsx").write_bytes(b"PK\x03\x04 nothing we read")
        self.refused(audit, tmp_path, tmp_path / "rows.xlsx", *ROLES)

    def test_corrupt_parquet(self, audit: Audit, tmp_path: Path) -> None:
        (tmp_path / "rows.parquet").write_bytes(b"PAR1" + b"\x00" * 200 + b"PAR1")
        assert "rows.parquet" in self.refused(audit, tmp_path, tmp_path / "rows.parquet", *ROLES)

    def test_image_of_the_wrong_size(self, audit: Audit, tmp_path: Path, emoji_model: Path) -> None:
        images = np.zeros((40, 16, 16, 3), dtype=np.uint8)
        np.savez(
            tmp_path / "small.npz",
            images=images,
            gender=np.array(["man", "woman"] * 20),
            tone=np.array(["a", "b"] * 20),
        )
        said = self.refused(
            audit, tmp_path, tmp_path / "small.npz", "--label", "gender", "--sensitive", "tone", "--model", emoji_model
        )
        assert "32 × 32 × 3" in said
        assert "16 × 16 × 3" in said

    def test_hostile_pickle_named_onnx_is_refused_unrun(self, audit: Audit, tmp_path: Path) -> None:
        marker = tmp_path / "marker"

        class Hostile:
            def __reduce__(self) -> tuple:
                return open, (str(marker), "w")

        (tmp_path / "model.onnx").write_bytes(pickle.dumps(Hostile()))

        said = self.refused(audit, tmp_path, "adult", "--model", tmp_path / "model.onnx")

        assert not marker.exists()
        assert "pickle" in said

    def test_no_source_at_all(self, audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert audit().exit_code == 2

    def test_nothing_to_audit_names_the_columns(self, audit: Audit, tmp_path: Path) -> None:
        said = self.refused(audit, tmp_path, predictions(tmp_path, FAIR), "--label", "y", "--sensitive", "sex")
        assert "yhat" in said

    def test_folder_that_is_not_there_is_said_before_the_audit(self, audit: Audit, tmp_path: Path) -> None:
        result = audit(predictions(tmp_path, FAIR), *ROLES, "--json", tmp_path / "no" / "r.json")
        assert result.exit_code == 2
        assert "there is no folder" in result.output

    @pytest.mark.parametrize(
        "roles",
        [
            ("--label", "y", "--prediction", "y", "--sensitive", "sex"),
            ("--label", "y", "--prediction", "yhat", "--sensitive", "yhat"),
        ],
    )
    def test_column_compared_with_itself(self, audit: Audit, tmp_path: Path, roles: tuple[str, ...]) -> None:
        said = self.refused(audit, tmp_path, predictions(tmp_path, FAIR), *roles)
        assert "compared with itself" in said

    def test_sensitive_column_with_a_value_for_each_row(self, audit: Audit, tmp_path: Path) -> None:
        source = predictions(tmp_path, FAIR)
        rows = source.read_text().splitlines()
        source.write_text("\n".join([rows[0] + ",age", *(f"{row},{i / 7}" for i, row in enumerate(rows[1:]))]))
        said = self.refused(audit, tmp_path, source, *ROLES, "--sensitive", "age")
        assert "4,000 groups in 4,000 rows" in said

    def test_unknown_audit(self, audit: Audit, tmp_path: Path) -> None:
        assert "there is no such audit" in self.refused(audit, tmp_path, "compas", "--only", "magic")

    def test_audit_that_the_subject_does_not_allow(self, audit: Audit, tmp_path: Path) -> None:
        assert "pictures" in self.refused(audit, tmp_path, "compas", "--only", "perception")

    def test_robustness_without_a_model(self, audit: Audit, tmp_path: Path) -> None:
        assert "needs a model to ask" in self.refused(audit, tmp_path, "compas", "--only", "robustness")


@pytest.fixture(scope="module")
def emoji_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ConvNet of two classes on 32 × 32 colour pictures; how well it does is no matter here."""
    from evenhand.classifiers.saving import save
    from evenhand.classifiers.training import train_images

    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 255, (24, 32, 32, 3), dtype=np.uint8)
    trained = train_images("convnet4", pictures, np.array([0, 1] * 12), classes=("man", "woman"), seed=0, epochs=1)
    path = tmp_path_factory.mktemp("model") / "emoji.safetensors"
    save(trained, path)
    return path


def test_a_model_that_hangs_is_stopped_with_exit_four(tmp_path: Path, endless_model: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "evenhand", "audit", "adult", "--model", str(endless_model), "--features", "age",
         "--timeout", "8", "--only", "group_disparity"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert result.returncode == 4, result.stderr
    assert "--timeout" in result.stderr


@pytest.fixture
def endless_model(tmp_path: Path) -> Path:
    """An ONNX file whose loop runs 2^62 times."""
    import onnx
    from onnx import TensorProto, helper

    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Identity", ["sum"], ["sum_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [None, 1]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum_out", TensorProto.FLOAT, [None, 1]),
        ],
    )
    graph = helper.make_graph(
        [
            helper.make_node("Loop", ["times", "yes", "x"], ["score"], body=body),
        ],
        "endless",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])],
        [
            helper.make_tensor("times", TensorProto.INT64, [], [2**62]),
            helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        ],
    )
    path = tmp_path / "endless.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_names_of_audits_are_those_of_the_report() -> None:
    assert AUDITS == AUDIT_NAMES


def test_a_refusal_ends_in_order_whatever_threads_read_the_file(tmp_path: Path) -> None:
    """A reader's thread that outlives the interpreter once turned one refusal in ten into an abort."""
    source = predictions(tmp_path, {"F": (2000, 2000, 2000, 2000)})
    command = [sys.executable, "-m", "evenhand", "audit", str(source), *ROLES]

    codes = {subprocess.run(command, capture_output=True, check=False).returncode for _ in range(8)}

    assert codes == {2}


def test_help_imports_nothing_heavy() -> None:
    code = "import sys, evenhand.service.cli as c; c.cli(['--help'], standalone_mode=False); print(sorted(sys.modules))"

    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not any(f"'{name}'" in modules for name in ("numpy", "torch", "flask", "pandas", "pydantic", "rich"))


def test_predictions_are_audited_without_torch_flask_or_pandas(tmp_path: Path) -> None:
    source = predictions(tmp_path, FAIR)
    code = (
        "import sys; from evenhand.service.cli import cli\n"
        f"try: cli(['audit', {str(source)!r}, '--label', 'y', '--prediction', 'yhat', '--sensitive', 'sex'])\n"
        "except SystemExit: pass\nprint(sorted(sys.modules))"
    )

    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not any(
        f"'{name}'" in modules for name in ("torch", "flask", "pandas", "sqlalchemy", "onnxruntime", "sklearn")
    )
