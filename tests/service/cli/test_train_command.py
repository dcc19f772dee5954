"""`evenhand train` on the terminal."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from evenhand.classifiers.loading import load_classifier
from evenhand.service.cli import cli
from evenhand.service.cli.scratch import scratch_beside


def test_a_neuron_ends_with_the_sum_of_one_row_and_the_record_is_written(tmp_path: Path) -> None:
    """The printed products and the bias add up to the printed sum."""
    model, record = tmp_path / "credit", tmp_path / "learning.json"
    wanted = ["--out", str(model), "--record", str(record), "--class-weight", "balanced", "--patience", "2"]

    ended = CliRunner().invoke(cli, ["train", "neuron", "--data", "german", *wanted])
    lines = ended.output.splitlines()
    products = [float(line.rpartition(" = ")[2]) for line in lines if " x " in line and " = " in line]
    bias = float(next(line for line in lines if line.startswith("  bias ")).split()[1])
    total = float(next(line for line in lines if line.startswith("  sum ")).split()[1])

    assert ended.exit_code == 0, ended.output
    assert abs(sum(products) + bias - total) < 0.02
    kept = json.loads(record.read_text())
    assert kept["settings"]["class_weight"] == "balanced"
    assert {cell["attribute"] for cell in kept["cells"]} == {None, "sex", "age_group"}
    large = {cell["n"] >= 30 for cell in kept["cells"] if cell["part"] == "valid" and cell["attribute"] is not None}
    assert large == {True, False}, "some cells are named, and some are too small"
    assert "least accurate of the cells with 30 or more held-out rows: " in ended.output
    assert "too small to name, with fewer than 30 held-out rows: " in ended.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["credit.safetensors", "learning.json"]


FOREST = ["train", "random_forest", "--data", "german"]


def test_trees_saved_as_onnx_are_audited_and_the_report_says_why_they_have_no_gradients(tmp_path: Path) -> None:
    model, report = tmp_path / "trees.onnx", tmp_path / "report.json"
    trained = CliRunner().invoke(cli, [*FOREST, "--out", str(model)])

    audit = ["audit", "german", "--model", str(model), "--only", "group_disparity", "--json", str(report)]
    audited = CliRunner().invoke(cli, audit)
    subject = json.loads(report.read_text())["subject"]

    assert trained.exit_code == 0, trained.output
    assert audited.exit_code in (0, 1, 3), audited.output
    assert b"TreeEnsembleClassifier" in model.read_bytes()
    assert not subject["model"]["gradients"]
    assert subject["model"]["no_gradients"] == "it reads a table, and audits of tables ask for none"
    assert subject["data"]["rows"] == 300, "the rows that were kept, as the record inside the file says"


@pytest.mark.parametrize("ending", ["safetensors", "pkl"])
def test_format_that_a_kind_cannot_have_is_refused_with_those_it_can(ending: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(cli, [*FOREST, "--out", str(tmp_path / f"trees.{ending}")])

    assert ended.exit_code == 2
    assert f"it cannot be saved as {ending}. Choose skops or onnx" in ended.output
    assert "exit 2: the input or the configuration is wrong; nothing was trained" in ended.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", ["label", "features", "sensitive", "unit"])
def test_a_column_that_is_not_there_is_refused_by_the_option_that_named_it(option: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(cli, [*FOREST, "--out", str(tmp_path / "trees.skops"), f"--{option}", "age_grup"])

    assert ended.exit_code == 2
    assert f"Did you mean 'age_group'? Use --{option} age_group." in ended.output
    assert "evenhand.toml" not in ended.output


def test_pictures_are_brought_to_one_size_before_a_network_learns(tmp_path: Path) -> None:
    model, record = tmp_path / "small.safetensors", tmp_path / "learning.json"
    wanted = ["--picture-size", "8", "6", "--epochs", "1", "--out", str(model), "--record", str(record)]

    ended = CliRunner().invoke(cli, ["train", "mlp", "--data", "emoji-people", *wanted])

    assert ended.exit_code == 0, ended.output
    assert len(json.loads(record.read_text())["epochs"]) == 1
    with load_classifier(model) as loaded:
        assert loaded.card.image_shape is not None
        assert loaded.card.image_shape[:2] == (6, 8)


def test_folder_left_by_a_killed_training_goes_at_the_next_and_one_in_use_stays(tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    program = (
        "import os, signal, sys, pathlib; from evenhand.service.cli.scratch import scratch_beside\n"
        "with scratch_beside(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(target)], check=False)
    left = list(tmp_path.iterdir())

    with scratch_beside(target) as held, scratch_beside(target) as other:
        during = set(tmp_path.iterdir())

    assert len(left) == 1
    assert during == {held, other}
    assert list(tmp_path.iterdir()) == []


def test_a_categorical_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        cli, ["train", "logistic_regression", "--data", "german", "--categorical", "nope", "--out", str(tmp_path / "m")]
    )

    assert done.exit_code == 2
    assert "'nope'" in done.output
    assert "--categorical" in done.output
    assert list(tmp_path.iterdir()) == []
