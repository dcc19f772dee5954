"""`evenhand compare` as CI runs it: real reports, real exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evenhand.service.cli import cli


def audited(folder: Path, name: str, selected: dict[str, float]) -> Path:
    """The report on three groups of 3,000 rows selected at these rates."""
    rows = [f"{group},{int(row < rate * 3000)}" for group, rate in selected.items() for row in range(3000)]
    data, report = folder / f"{name}.csv", folder / f"{name}.json"
    data.write_text("\n".join(["race,yhat", *rows]) + "\n")
    CliRunner().invoke(
        cli, ["audit", str(data), "--prediction", "yhat", "--sensitive", "race", "--json", str(report), "--quiet"]
    )
    return report


def compared(before: Path, after: Path) -> Result:
    return CliRunner().invoke(cli, ["compare", str(before), str(after)])


@pytest.fixture
def fair(tmp_path: Path) -> Path:
    return audited(tmp_path, "before", {"A": 0.5, "B": 0.5, "C": 0.5})


def test_a_gated_check_that_got_worse_exits_one_and_is_listed(fair: Path, tmp_path: Path) -> None:
    found = compared(fair, audited(tmp_path, "after", {"A": 0.6, "B": 0.35, "C": 0.55}))

    assert found.exit_code == 1
    assert "impact ratio, race: 1.000 → .583, proven within → proven disparity" in found.output
    assert found.output.splitlines()[-1].startswith("Exit code 1")


def test_the_same_data_again_exits_zero(fair: Path, tmp_path: Path) -> None:
    found = compared(fair, audited(tmp_path, "after", {"A": 0.5, "B": 0.5, "C": 0.5}))

    assert found.exit_code == 0
    assert "no gated finding changed" in found.output


def test_a_check_that_lost_its_gate_exits_one(fair: Path, tmp_path: Path) -> None:
    report = json.loads(fair.read_text())
    for finding in report["findings"]:
        finding["gate"] = "off"
    released = tmp_path / "released.json"
    released.write_text(json.dumps(report))

    found = compared(fair, released)

    assert found.exit_code == 1
    assert "policy: gate of impact ratio (race): strict → off (looser)" in found.output
