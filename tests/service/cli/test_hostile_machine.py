"""Full disks, closed pipes, files without permission, names of no encoding: one clear message, and nothing half-written."""

import ctypes
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from evenhand.service.cli import cli

EVENHAND = [sys.executable, "-m", "evenhand"]
ROLES = ["--label", "y", "--prediction", "yhat", "--sensitive", "sex"]
PLAN = ["plan", "--base", "0.5", "--gap", "0.1", "--json"]
INCONCLUSIVE = 3


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text("sex,y,yhat\n" + "F,1,1\nM,1,1\nF,0,0\nM,0,0\n" * 10)
    return path


def run(*arguments: object, **more: object) -> "subprocess.CompletedProcess[str]":
    given = {"capture_output": True} if "stdout" not in more else {"stderr": subprocess.PIPE}
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*EVENHAND, *map(str, arguments)], **given, **more, text=True, timeout=100, check=False
    )


def refused(ended: Result) -> str:
    assert ended.exit_code == 2, ended.output
    assert "Traceback" not in ended.output
    return ended.output


def small_files(most_bytes: int) -> Callable[[], None]:
    """What a process may write into one file, as a disk that is nearly full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))


def test_full_disk_leaves_no_part_of_a_report(rows: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())

    ended = run("audit", rows, *ROLES, "--json", tmp_path / "a.json", preexec_fn=small_files(4096))

    assert ended.returncode == 2
    assert f"{tmp_path / 'a.json'} cannot be written: File too large. Nothing was written" in ended.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_full_disk_leaves_no_part_of_a_model(tmp_path: Path) -> None:
    model = tmp_path / "model"

    arguments = ["train", "neuron", "--data", "compas", "--epochs", "2", "--out", model]
    ended = run(*arguments, preexec_fn=small_files(4096))

    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [])
    assert f"{model} cannot be written: File too large." in ended.stderr


def test_full_disk_leaves_no_part_of_a_datasheet(rows: Path, tmp_path: Path) -> None:
    ended = run("datasets", "describe", rows, "--out", tmp_path / "sheet.md", preexec_fn=small_files(512))

    assert (ended.returncode, list(tmp_path.iterdir())) == (2, [rows])


@pytest.mark.parametrize("place", ["missing/plan.json", "."])
def test_plan_says_where_it_cannot_be_written(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert f"{Path(place)} cannot be written: " in refused(CliRunner().invoke(cli, [*PLAN, place]))


def test_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE, text=True)

    ended = run(*PLAN, pipe)

    assert ended.returncode == 0
    assert reader.communicate(timeout=30)[0].startswith('{\n  "metric"')
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output_named_as_a_file_stays_what_it_is(tmp_path: Path) -> None:
    before = Path("/dev/stdout").readlink()

    with (tmp_path / "plan.json").open("w") as file:
        run(*PLAN, "/dev/stdout", stdout=file)

    assert Path("/dev/stdout").readlink() == before
    assert (tmp_path / "plan.json").read_text().startswith('{\n  "metric"')


def closed_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def test_audit_whose_reader_has_left_keeps_its_exit_code(rows: Path, tmp_path: Path) -> None:
    pipe = closed_pipe()

    ended = run("audit", rows, *ROLES, "--json", tmp_path / "a.json", stdout=pipe)

    os.close(pipe)
    assert (ended.returncode, ended.stderr) == (INCONCLUSIVE, "")
    assert (tmp_path / "a.json").is_file()


def test_other_commands_whose_reader_has_left_end_as_shells_say_it(rows: Path, tmp_path: Path) -> None:
    """1 would say that a gated check got worse."""
    run("audit", rows, *ROLES, "--json", tmp_path / "a.json")
    pipe = closed_pipe()

    ended = run("compare", tmp_path / "a.json", tmp_path / "a.json", stdout=pipe)

    os.close(pipe)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_audit_that_cannot_be_printed_keeps_its_exit_code_and_says_so(rows: Path) -> None:
    with Path("/dev/full").open("w") as stdout:
        ended = run("audit", rows, *ROLES, stdout=stdout)

    assert ended.returncode == INCONCLUSIVE
    assert ended.stderr == "warning: the report could not be printed (No space left on device)\n"


def test_audit_without_standard_output_writes_its_files(rows: Path, tmp_path: Path) -> None:
    def closed() -> None:
        os.close(1)

    ended = run("audit", rows, *ROLES, "--json", tmp_path / "a.json", preexec_fn=closed)

    assert ended.returncode == INCONCLUSIVE, ended.stderr
    assert (tmp_path / "a.json").read_text().startswith('{\n  "schema"')


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_name_that_is_no_utf_8_is_refused(rows: Path, tmp_path: Path) -> None:
    broken = tmp_path / os.fsdecode(b"br\xffken.csv")
    broken.write_bytes(rows.read_bytes())

    ended = run("audit", broken, *ROLES)

    assert ended.returncode == 2
    assert r"br\udcffken.csv' is not UTF-8. Rename the file or folder." in ended.stderr


def as_a_user() -> None:
    """Give up what lets root read and write whatever it likes."""
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, out of what the next program may have
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_file_without_permission_is_named(rows: Path) -> None:
    rows.chmod(0)

    ended = run("audit", rows, *ROLES, preexec_fn=as_a_user)

    assert ended.returncode == 2
    assert f"error: {rows}: Permission denied. Check that the path is right, that it may be read" in ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
def test_folder_that_may_not_be_written_to_is_named_before_the_audit(rows: Path, tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(0o555)

    ended = run("audit", rows, *ROLES, "--json", folder / "a.json", preexec_fn=as_a_user)

    assert ended.returncode == 2
    assert f"{folder / 'a.json'} cannot be written: the folder {folder} is not writable." in ended.stderr


def test_name_that_is_too_long_is_refused() -> None:
    assert "File name too long." in refused(CliRunner().invoke(cli, ["audit", "x" * 300 + ".csv", *ROLES]))


def test_home_that_is_a_file_is_refused(rows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_HOME", str(rows))

    assert f"{rows}: File exists." in refused(CliRunner().invoke(cli, ["token", "create", "me"]))


def test_database_that_does_not_answer_is_no_failure_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_HOME", str(tmp_path))
    monkeypatch.setenv("EVENHAND_DATABASE_URL", "postgresql://me@127.0.0.1:1/none")

    said = refused(CliRunner().invoke(cli, ["db", "current"]))

    assert "error: the database cannot be used: " in said
    assert "EVENHAND_DATABASE_URL" in said


def test_baseline_that_is_no_report_is_refused_before_anything_is_audited(rows: Path, tmp_path: Path) -> None:
    arguments = ["audit", str(rows), *ROLES, "--baseline", str(rows), "--json", str(tmp_path / "a.json")]

    assert "is no evenhand report" in refused(CliRunner().invoke(cli, arguments))
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[data]\nlable = "y"', "data.lable: there is no such key (did you mean 'label'?)"),
        ("sead = 3", "sead: there is no such key (did you mean 'seed'?)"),
        (
            '[[check]]\nmetric = "x"\nwithin = 0.1\ngates = "off"',
            "check.0.gates: there is no such key (did you mean 'gate'?)",
        ),
        ("[robustness.features.age]\nimutable = true", "robustness.features.age.imutable: there is no such key (did"),
        ('[model]\nzzz = "m"', "model.zzz: there is no such key (known are: batch, classes, "),
    ],
)
def test_key_that_a_policy_has_not_names_the_nearest(text: str, said: str, tmp_path: Path) -> None:
    policy = tmp_path / "evenhand.toml"
    policy.write_text(text)

    assert said in refused(CliRunner().invoke(cli, ["audit", str(policy)]))


@pytest.mark.parametrize("value", ["inf", "-Infinity"])
def test_infinite_score_is_named_by_its_row(value: str, tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    source.write_text("sex,y,s\n" + "F,1,0.5\nM,0,0.2\n" * 20 + f"F,1,{value}\n")
    arguments = ["audit", str(source), "--label", "y", "--score", "s", "--threshold", "0.5", "--sensitive", "sex"]

    said = refused(CliRunner().invoke(cli, arguments))

    assert "column 's' of people.csv is not numeric: " in said
    assert "in row 41 (line 42)" in said


def test_what_is_read_is_not_overwritten(rows: Path, tmp_path: Path) -> None:
    before = rows.read_text()
    other_name = tmp_path / "missing" / ".." / "people.csv"
    (tmp_path / "missing").mkdir()

    said = refused(CliRunner().invoke(cli, ["audit", str(rows), *ROLES, "--json", str(other_name)]))

    assert "cannot be written: it is read, and would be overwritten" in said
    trained = ["train", "neuron", "--data", str(rows), "--label", "y", "--out", str(rows)]
    assert "it is read" in refused(CliRunner().invoke(cli, trained))
    assert rows.read_text() == before


def test_two_reports_do_not_go_into_one_file(rows: Path, tmp_path: Path) -> None:
    both = ["--json", str(tmp_path / "a.out"), "--html", str(tmp_path / "a.out")]

    assert "it is named twice" in refused(CliRunner().invoke(cli, ["audit", str(rows), *ROLES, *both]))


@pytest.mark.parametrize(
    ("option", "value"), [("--timeout", "nan"), ("--timeout", "inf"), ("--timeout", "1e12"), ("--threshold", "nan")]
)
def test_what_is_no_number_is_refused(option: str, value: str, rows: Path) -> None:
    said = refused(CliRunner().invoke(cli, ["audit", str(rows), *ROLES, option, value]))

    assert option.removeprefix("--") in said


def test_seed_that_no_generator_takes_is_refused(rows: Path, tmp_path: Path) -> None:
    arguments = [
        "train",
        "neuron",
        "--data",
        str(rows),
        "--label",
        "y",
        "--out",
        str(tmp_path / "m"),
        "--seed",
        str(2**40),
    ]

    assert "--seed" in refused(CliRunner().invoke(cli, arguments))


def test_stopped_by_the_keyboard_ends_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "slow.csv"
    os.mkfifo(pipe)
    command = [*EVENHAND, "audit", pipe, *ROLES, "--json", tmp_path / "a.json"]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    with pipe.open("w"):  # until it reads, which is where it waits
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)

    assert (started.returncode, list(tmp_path.iterdir())) == (130, [pipe])
    assert said == "error: stopped by the keyboard; nothing was audited\n"


def test_stopped_before_a_command_is_there_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    from evenhand.service import cli as module

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["evenhand", "metrics"])
    monkeypatch.setattr(module.LazyGroup, "get_command", stopped)

    with pytest.raises(SystemExit) as left:
        module.main()

    assert left.value.code == 130
