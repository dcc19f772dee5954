"""The last line of a command that failed says what was not done, in that command's words."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from evenhand.auditors.gate import EXIT_FAILURE
from evenhand.service.cli import cli
from evenhand.service.cli.failing import TRAINING, failing_clearly


def test_a_report_that_cannot_be_read_was_not_verified(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")

    ended = CliRunner().invoke(cli, ["verify", str(tmp_path / "report.json")])

    assert ended.exit_code == 2
    assert "exit 2: the input or the configuration is wrong; nothing was verified" in ended.output


def test_a_training_that_breaks_is_not_called_an_audit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, failing_clearly(TRAINING):
        raise RuntimeError("broken")

    assert left.value.code == EXIT_FAILURE
    assert "exit 4: the training itself failed\n" in capsys.readouterr().err
