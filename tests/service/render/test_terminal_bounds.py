"""What rows without an attribute could turn is said where the verdict is read, not on the page alone."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from evenhand.service.cli import cli


@pytest.fixture
def half_unknown(tmp_path: Path) -> Path:
    """Two equal groups of 600, and 600 rows without one, of which any could belong to either."""
    rows = [f"{row % 2},{group}" for group in ("F", "M", "") for row in range(600)]
    path = tmp_path / "people.csv"
    path.write_text("\n".join(["yhat,sex", *rows]) + "\n")
    return path


def test_terminal_and_markdown_say_which_checks_unknown_rows_could_turn(half_unknown: Path, tmp_path: Path) -> None:
    markdown = tmp_path / "report.md"

    done = CliRunner().invoke(
        cli, ["audit", str(half_unknown), "--prediction", "yhat", "--sensitive", "sex", "--markdown", str(markdown)]
    )

    said = "600 rows have no sex: who they are could turn impact ratio"
    assert said in " ".join(done.output.split())
    assert said in markdown.read_text()


def test_nothing_is_said_where_every_row_is_known(half_unknown: Path) -> None:
    half_unknown.write_text("\n".join(line for line in half_unknown.read_text().splitlines() if not line.endswith(",")))

    done = CliRunner().invoke(cli, ["audit", str(half_unknown), "--prediction", "yhat", "--sensitive", "sex"])

    assert "could turn" not in done.output
