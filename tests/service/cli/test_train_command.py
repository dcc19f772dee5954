"""`evenhand train` on the terminal."""

import json
from pathlib import Path

from click.testing import CliRunner

from evenhand.service.cli import cli


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
    assert "least accurate: " in ended.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["credit.safetensors", "learning.json"]
