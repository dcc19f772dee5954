"""Children of jobs: they answer, fail, and end when they must."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from evenhand.service.errors import ChildCrashed, FailedElsewhere, OutOfTime
from evenhand.service.jobs.process import Interrupted, Limits, run_child

LONG = Limits(seconds=60, told_seconds=60)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]  # a maker of modules
    """Write a child's work and return the name of its module."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(work: str) -> str:
        head = "import os, sys, time\nfrom evenhand.service.jobs.child import speak\n\n\ndef work(voice):\n"
        tail = "\n\n\nif __name__ == '__main__':\n    sys.exit(speak(work))\n"
        (tmp_path / "a_child.py").write_text(head + textwrap.indent(textwrap.dedent(work), "    ") + tail)
        return "a_child"

    return write


def test_a_child_tells_progress_and_its_result(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    heard = []
    name = module("print('noise')\nvoice.progress(0.5, 'count: half')\nvoice.result({'rows': 3})")

    found = run_child(name, [], limits=LONG, log=tmp_path / "log", hears=lambda *said: heard.append(said))

    assert found == {"rows": 3}
    assert heard == [(0.5, "count", "count: half")]
    assert "noise" in (tmp_path / "log").read_text()


def test_a_child_says_what_is_wrong(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name = module("from evenhand.service.errors import DatasetNotFound\nraise DatasetNotFound('ds_x')")

    with pytest.raises(FailedElsewhere) as raised:
        run_child(name, [], limits=LONG, log=tmp_path / "log")

    assert raised.value.problem.type == "/problems/dataset-not-found"


def test_a_child_that_is_killed_is_a_crash_with_its_last_words(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    name = module("print('about to die', flush=True)\nos.kill(os.getpid(), 9)")

    with pytest.raises(ChildCrashed, match=r"SIGKILL.*about to die"):
        run_child(name, [], limits=LONG, log=tmp_path / "log")


def test_a_child_past_its_limit_is_ended(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    started = time.monotonic()

    with pytest.raises(OutOfTime, match="3,600 seconds"):
        run_child(module("time.sleep(60)"), [], limits=Limits(seconds=0.1, told_seconds=3600), log=tmp_path / "log")

    assert time.monotonic() - started < 30


def test_a_child_is_ended_when_asked(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(Interrupted, match="cancelled"):
        run_child(module("time.sleep(60)"), [], limits=LONG, log=tmp_path / "log", interrupt=lambda: "cancelled")


def test_a_child_sees_nothing_of_the_database(module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("EVENHAND_DATABASE_URL", "postgresql://secret@host/db")

    found = run_child(module("voice.result(dict(os.environ))"), [], limits=LONG, log=tmp_path / "log")

    assert "secret" not in str(found)


def test_a_child_dies_with_its_parent(module, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    pid_file = tmp_path / "pid"
    name = module(f"open({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)")
    code = (
        "from pathlib import Path; from evenhand.service.jobs.process import Limits, run_child;"
        f"run_child({name!r}, [], limits=Limits(60, 60), log=Path({str(tmp_path / 'log')!r}))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    wait_for(lambda: pid_file.exists() and pid_file.read_text() != "")

    parent.kill()
    parent.wait()

    child = int(pid_file.read_text())
    wait_for(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def wait_for(condition, seconds: float = 30) -> None:  # type: ignore[no-untyped-def]  # any condition
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)
