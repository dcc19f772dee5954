"""The last line of a command that failed says what was not done, in that command's words."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from evenhand.auditors.gate import EXIT_FAILURE
from evenhand.service.cli import COMMANDS, cli
from evenhand.service.cli.failing import Work, failing_clearly

WRONG = {
    "audit": (["nothing.csv"], "nothing was audited"),
    "train": (["neuron", "--data", "nothing.csv", "--out", "model.skops"], "nothing was trained"),
    "verify": (["report.json"], "nothing was verified"),
    "compare": (["report.json", "report.json"], "nothing was compared"),
    "plan": (["--base", "0.5", "--gap", "0.6"], "nothing was planned"),
    "import": (["clarify", "report.json"], "no policy was made"),
    "serve": ([], "the service was not started"),
    "worker": ([], "no worker was started"),
    "datasets": (["describe", "nothing.csv"], "no datasheet was made"),
    "metrics": (["nothing"], "nothing was explained"),
    "token": (["create", "me"], "no token was made"),
    "db": (["current"], "nothing was read"),
}
"""Of each command: arguments that cannot be, where every setting of the environment is wrong, and what it says."""


@pytest.mark.parametrize("command", WRONG)
def test_wrong_input_says_what_did_not_happen(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENHAND_PORT", "many")
    (tmp_path / "report.json").write_text("{}")
    arguments, undone = WRONG[command]

    ended = CliRunner().invoke(cli, [command, *arguments])

    assert ended.exit_code == 2, ended.output
    assert ended.output.endswith(f"exit 2: the input or the configuration is wrong; {undone}\n")
    assert "Traceback" not in ended.output


def test_every_command_is_among_those_tried() -> None:
    assert set(COMMANDS) - set(WRONG) == {"demo", "doctor"}  # which take nothing that is wrong, and report what is


@pytest.mark.parametrize(("work", "noun"), [(Work("the training", "nothing was trained"), "training")])
def test_what_breaks_is_called_by_its_name(work: Work, noun: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, failing_clearly(work):
        raise RuntimeError("broken")

    assert left.value.code == EXIT_FAILURE
    assert f"exit 4: the {noun} itself failed\n" in capsys.readouterr().err


def test_what_is_stopped_says_what_did_not_happen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left, failing_clearly(Work("the training", "nothing was trained")):
        raise KeyboardInterrupt

    assert left.value.code == 130
    assert "stopped by the keyboard; nothing was trained\n" in capsys.readouterr().err
