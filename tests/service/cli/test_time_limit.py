"""`--timeout`: an audit that hangs, wherever it does, ends with code 4, says why, and leaves no process behind."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.classifiers.build import written
from tests.classifiers.endpoint_server import Reply, served
from tests.classifiers.hostile.make import an_endless_loop

ROWS = "a,b,y,sex\n" + "".join(f"{i % 5},{i % 7},{i % 2},{'FM'[i % 3 == 0]}\n" for i in range(200))
ROLES = ("--label", "y", "--sensitive", "sex", "--features", "a,b", "--only", "group_disparity")
SECONDS = 6


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path / "rows.csv"


def children(of: int) -> set[int]:
    """Processes below this one, read from /proc."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found, below = set(), {of}
    while below:
        below = {pid for pid, parent in parents.items() if parent in below} - found
        found |= below
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def watched(*arguments: str, **environment: str) -> tuple[int, str, set[int]]:
    """Exit code, what was said, and the children that were seen while it ran."""
    command = [sys.executable, "-m", "evenhand", "audit", *arguments, "--timeout", str(SECONDS)]
    running = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    seen: set[int] = set()
    started = time.monotonic()
    while running.poll() is None:
        assert time.monotonic() - started < 10 * SECONDS
        seen |= children(running.pid)
        time.sleep(0.1)
    said = running.communicate()[0]
    return running.returncode, said, seen


def test_a_model_that_never_answers_ends_with_its_process(rows: Path) -> None:
    model = written(an_endless_loop(), rows.with_name("endless.onnx"))
    report = rows.with_name("report.json")

    code, said, seen = watched(str(rows), *ROLES, "--model", str(model), "--json", str(report))

    assert code == 4, said
    assert f"did not end within {SECONDS} seconds and was stopped. Raise --timeout" in said
    assert "exit 4: the audit itself failed" in said
    assert "Traceback" not in said
    assert not report.exists()
    assert seen  # there was a confined child
    assert not any(map(is_alive, seen))


def test_an_endpoint_that_never_answers_ends_too(rows: Path) -> None:
    with served(lambda instances, number: Reply(pieces=[b" "] * 2, pause=60)) as server:
        code, said, _ = watched(str(rows), *ROLES, "--model", server.url, EVENHAND_ENDPOINT_LOOPBACK="1")

    assert code == 4, said
    assert "did not end within" in said


def test_code_that_does_not_return_ends_a_little_later() -> None:
    """Python's own signal handlers run between its instructions; a library that computes for ever has none."""
    script = """
import signal
from evenhand.service.cli import failing
failing.GRACE_SECONDS = 0.5
with failing.failing_clearly(failing.AUDIT), failing.time_limit(0.5):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    import time; time.sleep(60)
"""
    started = time.monotonic()

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=50, check=False)

    assert ran.returncode == 4
    assert "did not end within 0.5 seconds" in ran.stderr
    assert time.monotonic() - started < 30


def test_no_handler_of_exceptions_takes_the_end_of_time_for_something_else() -> None:
    from evenhand.service.cli.failing import TimedOut

    assert not issubclass(TimedOut, Exception)
