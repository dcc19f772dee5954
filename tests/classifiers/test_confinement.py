"""What a confined process can no longer do, and that it never outlives its parent."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from evenhand.classifiers.confine import landlock
from evenhand.classifiers.confine.message import BadFrame, Message, body_length, pack_columns, parse, unpack_columns
from evenhand.classifiers.confine.mode import _why_no_bwrap, confinement
from evenhand.classifiers.confine.process import ConfinedProcess
from evenhand.classifiers.errors import ChildFailed, ConfinementUnavailable, CorruptModel
from evenhand.classifiers.limits import Limits
from evenhand.classifiers.loading import load_classifier

from .build import linear, written
from .hostile.make import an_endless_loop

ONNX = "evenhand.classifiers.runtimes.onnx_worker:OnnxWorker"

needs_landlock = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")

PROBE = """
import os, socket, sys, threading
from evenhand.classifiers.confine.lock import confine
confine(mode={mode!r}, memory_bytes=2 << 30, cpu_seconds=20)
def attempt():
    {attempt}
try:
    attempt()
except (OSError, MemoryError, ValueError):
    sys.exit("refused")
print("done")
"""

FORBIDDEN_ALWAYS = {
    "open a TCP socket": "socket.socket()",
    "open a UDP socket": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
    "open a Unix socket": "socket.socket(socket.AF_UNIX)",
    "fork": "os.fork()",
    "run a program": "os.execv('/bin/true', ['true'])",
    "signal its parent": "os.kill(os.getppid(), 0)",
    "have its parent signalled": "import fcntl; fcntl.fcntl(0, fcntl.F_SETOWN, os.getppid())",
    "write a file": "open('/tmp/evenhand-marker', 'w')",
    "write a device": "open('/dev/null', 'w')",
    "delete a file": "os.unlink('/tmp/evenhand-marker')",
    "make a folder": "os.mkdir('/tmp/evenhand-folder')",
    "take more memory": "bytearray(4 << 30)",
    "raise its limits": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (30, 30))",
}
FORBIDDEN_BY_LANDLOCK = {
    "read the passwords": "open('/etc/passwd').read()",
    "list a home": "os.listdir('/root')",
    "list the root": "os.listdir('/')",
    "read the parent's environment": "open(f'/proc/{os.getppid()}/environ', 'rb').read()",
}
ALLOWED = {
    "read the standard library": "open(os.__file__).read()",
    "start a thread": "t = threading.Thread(target=len, args=('',)); t.start(); t.join()",
    "import numpy": "import numpy; numpy.ones((300, 300)) @ numpy.ones((300, 300))",
}


def probe(attempt: str, mode: str) -> str:
    code = PROBE.format(mode=mode, attempt=attempt)
    ran = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False)
    return (ran.stdout + ran.stderr).strip()


@pytest.mark.parametrize("what", FORBIDDEN_ALWAYS)
def test_even_weakly_confined_it_cannot(what):
    assert probe(FORBIDDEN_ALWAYS[what], "weak") == "refused"


@needs_landlock
@pytest.mark.parametrize("what", FORBIDDEN_BY_LANDLOCK)
def test_under_landlock_it_cannot(what):
    assert probe(FORBIDDEN_BY_LANDLOCK[what], "landlock+seccomp") == "refused"


@needs_landlock
@pytest.mark.parametrize("what", ALLOWED)
def test_under_landlock_it_can(what):
    assert probe(ALLOWED[what], "landlock+seccomp") == "done"


@needs_landlock
def test_a_process_with_threads_is_not_confined():
    code = PROBE.replace(
        "confine(mode", "threading.Thread(target=threading.Event().wait, daemon=True).start()\nconfine(mode"
    )

    ran = subprocess.run(
        [sys.executable, "-I", "-c", code.format(mode="landlock+seccomp", attempt="pass")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "cannot confine a process that has 2 threads" in ran.stderr


def test_the_environment_of_a_child_holds_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/db")

    with ConfinedProcess(ONNX, name="m") as process:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()

    assert b"ORT_DISABLE_TELEMETRY=1" in environment
    assert b"secret" not in environment


def test_a_child_ends_when_it_is_closed_or_forgotten():
    closed, forgotten = ConfinedProcess(ONNX, name="m"), ConfinedProcess(ONNX, name="m")
    pids = closed.pid, forgotten.pid

    closed.close()
    closed.close()
    del forgotten

    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    with pytest.raises(ChildFailed, match="is closed"):
        closed.ask(Message({"do": "open"}))


def test_a_child_ends_with_a_parent_that_is_killed():
    code = f"""
import time
from evenhand.classifiers.confine.process import ConfinedProcess
process = ConfinedProcess({ONNX!r}, name="m")
print(process.pid, flush=True)
time.sleep(60)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())

    parent.kill()
    parent.wait()
    parent.stdout.close()

    deadline = time.monotonic() + 10
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_child_outlives_the_thread_that_asked_for_it():
    """The kernel ties a child to the thread that started it; jobs run in threads that come and go."""
    started: list[ConfinedProcess] = []
    thread = threading.Thread(target=lambda: started.append(ConfinedProcess(ONNX, name="m")))
    thread.start()
    thread.join()

    with started[0] as process, pytest.raises(CorruptModel):
        process.ask(Message({"do": "open", "name": "m", "threads": 1}, {"model": np.zeros(1, dtype=np.uint8)}))


def test_a_child_that_crashes_is_reported_with_its_signal():
    with ConfinedProcess(ONNX, name="m") as process:
        os.kill(process.pid, signal.SIGSEGV)

        with pytest.raises(ChildFailed, match=r"of m crashed \(SIGSEGV"):
            process.ask(Message({"do": "open"}))


def test_an_error_of_the_worker_is_reported_and_the_child_lives_on():
    with ConfinedProcess(ONNX, name="m") as process:
        for _ in range(2):
            with pytest.raises(ChildFailed, match=r"could not do what was asked .*KeyError"):
                process.ask(Message({}))


def test_a_child_that_cannot_start_is_reported():
    with pytest.raises(ChildFailed, match=r"crashed .*ModuleNotFoundError"):
        ConfinedProcess("evenhand.nothing:Here", name="m")


def test_workers_come_from_evenhand_alone():
    with pytest.raises(ChildFailed, match="subprocess:Popen is no worker of evenhand"):
        ConfinedProcess("subprocess:Popen", name="m")


def test_too_large_an_answer_is_refused():
    with pytest.raises(ChildFailed, match=r"a message of .* bytes; 4 are accepted"):
        ConfinedProcess(ONNX, name="m", limits=Limits(answer_bytes=4))


def test_without_landlock_uploads_are_refused_unless_the_weak_way_is_allowed(monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr("evenhand.classifiers.confine.mode._why_no_bwrap", lambda: "bubblewrap is not installed")
    monkeypatch.delenv("EVENHAND_SANDBOX", raising=False)

    refused = confinement()
    with pytest.raises(ConfinementUnavailable, match="EVENHAND_SANDBOX=weak"):
        ConfinedProcess(ONNX, name="m")
    monkeypatch.setenv("EVENHAND_SANDBOX", "weak")

    assert (refused.mode, refused.is_enough) == ("none", False)
    assert confinement().mode == "weak"
    with ConfinedProcess(ONNX, name="m") as process:
        assert process.mode == "weak"


def test_bubblewrap_stands_for_landlock_where_it_works(monkeypatch):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    monkeypatch.setattr("evenhand.classifiers.confine.mode._why_no_bwrap", lambda: None)

    assert confinement().mode == "bwrap"


@pytest.mark.skipif(_why_no_bwrap() is not None, reason="bubblewrap is not there or does not work")
def test_in_bubblewrap_a_model_scores_and_its_processor_time_is_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    good = written(linear(np.eye(2, dtype=np.float32)), tmp_path / "good.onnx")
    endless = written(an_endless_loop(), tmp_path / "endless.onnx")

    with load_classifier(good, features=["a", "b"]) as loaded:
        assert loaded.card.confined == "bwrap"
        assert loaded.classifier.predict_proba({"a": np.ones(2), "b": np.ones(2)}).tolist() == [[0.5, 0.5]] * 2
    with pytest.raises(ChildFailed, match="2 processor seconds"):
        load_classifier(endless, features=["a", "b"], limits=Limits(cpu_seconds=2))


def test_a_processor_without_a_table_cannot_confine(monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    assert confinement().mode == "none"
    assert "riscv64" in confinement().detail


def test_columns_travel_unchanged():
    columns = {
        "number": np.array([1.5, np.nan]),
        "text": np.array(["naïve 👩🏽‍⚕️", None], dtype=object),
        "empty": np.array(["", "\x00"], dtype=object),
    }

    frame = Message({"columns": list(columns)}, pack_columns(columns)).to_bytes()
    message = parse(frame[:16], frame[16:])
    again = unpack_columns(message.arrays, message.head["columns"])

    assert again["text"].tolist() == columns["text"].tolist()
    assert again["empty"].tolist() == columns["empty"].tolist()
    assert np.array_equal(again["number"], columns["number"], equal_nan=True)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"\xff\xff"])
def test_a_damaged_message_is_refused(damage):
    lengths = Message({}).to_bytes()[:0] + len(damage).to_bytes(8, "little") + bytes(8)

    with pytest.raises(BadFrame):
        parse(lengths, damage)


def test_a_message_that_claims_to_be_huge_is_refused_before_it_is_read():
    with pytest.raises(BadFrame):
        body_length(b"\xff" * 16, most=1000)
