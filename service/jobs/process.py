"""The parent's side of a job: starts the child, hears it, ends it when it must end. Its side is in `child`."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evenhand.service.errors import ChildCrashed, FailedElsewhere, OutOfTime
from evenhand.service.jobs.child import PARENT_VARIABLE

POLL_SECONDS = 0.2
MAX_LINE_BYTES = 4 * 1024 * 1024
LAST_WORDS_CHARACTERS = 300

_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TMPDIR",
    "TZ",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "EVENHAND_SANDBOX",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
_PASSED_ON_STARTS = (
    "LC_",
    "PYTHON",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "CUDA_",
    "NVIDIA_",
    "EVENHAND_CHILD_",
    "EVENHAND_ENDPOINT_",
)

Hears = Callable[[float, str, str], None]
"""Called with fraction, stage and message."""


class Interrupted(Exception):
    """The child was ended because somebody asked for it; `reason` says who."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Limits:
    """How long a child may run."""

    seconds: float
    """From now."""
    told_seconds: float
    """The limit as the user knows it, for the message."""


def run_child(
    module: str,
    arguments: list[str],
    *,
    limits: Limits,
    log: Path,
    hears: Hears = lambda fraction, stage, message: None,
    interrupt: Callable[[], str | None] = lambda: None,
) -> dict[str, Any]:
    """Run `python -m module arguments` to its end, in this thread.

    Args:
        module: its `main` is a `child.speak`.
        log: file that its standard error is appended to.
        hears: told of progress.
        interrupt: asked every 0.2 seconds; a reason ends the child.

    Returns:
        What the child gave as its result; empty where it gave none.

    Raises:
        FailedElsewhere: the child said what is wrong.
        OutOfTime: it ran past its limit, and was ended.
        ChildCrashed: it ended without an answer.
        Interrupted: `interrupt` gave a reason.
    """
    started = time.monotonic()
    result: dict[str, Any] = {}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors, _started(module, arguments, errors) as child:
        for line in _lines(child):
            if line is None:
                _check(interrupt, started, limits)
            elif "error" in line:
                child.wait()
                raise FailedElsewhere(line["error"])
            elif "result" in line:
                result = line["result"]
            elif "fraction" in line:
                hears(float(line["fraction"]), str(line.get("stage", "")), str(line.get("message", "")))
                _check(interrupt, started, limits)
        code = _ended(child, interrupt, started, limits)
    if code != 0:
        raise ChildCrashed(_how(code), _last_words(log))
    return result


@contextlib.contextmanager
def _started(module: str, arguments: list[str], errors: IO[bytes]) -> Iterator["subprocess.Popen[bytes]"]:
    child = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env=_environment(),
        start_new_session=True,
    )
    try:
        yield child
    finally:
        # it leads a group of its own, so whatever it started goes with it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _environment() -> dict[str, str]:
    """What a child needs to know: not the database, no keys."""
    passed = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_STARTS)
    }
    # anybody who may upload can describe an endpoint, so the service asks listed hosts alone
    passed.setdefault("EVENHAND_ENDPOINT_HOSTS", "")
    return {**passed, PARENT_VARIABLE: str(os.getpid()), "ORT_DISABLE_TELEMETRY": "1"}


def _lines(child: "subprocess.Popen[bytes]") -> Iterator[dict[str, Any] | None]:
    """Every line the child says, decoded; None each time it has said nothing for a moment."""
    if child.stdout is None:
        return
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(POLL_SECONDS):
                yield None
                continue
            chunk = os.read(child.stdout.fileno(), 65536)
            if not chunk:
                return
            *complete, pending = (pending + chunk).split(b"\n")
            yield from filter(None, map(_decode, complete))
            if len(pending) > MAX_LINE_BYTES:
                raise ChildCrashed("said a line without end", "")


def _decode(line: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _check(interrupt: Callable[[], str | None], started: float, limits: Limits) -> None:
    reason = interrupt()
    if reason is not None:
        raise Interrupted(reason)
    if time.monotonic() - started > limits.seconds:
        raise OutOfTime(limits.told_seconds)


def _ended(
    child: "subprocess.Popen[bytes]", interrupt: Callable[[], str | None], started: float, limits: Limits
) -> int:
    while True:
        try:
            return child.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            _check(interrupt, started, limits)


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    name = signal.Signals(-code).name
    return f"was killed ({name})" + (", often for want of memory" if name == "SIGKILL" else "")


def _last_words(log: Path) -> str:
    lines = log.read_bytes()[-4096:].decode(errors="replace").strip().splitlines()
    return lines[-1][:LAST_WORDS_CHARACTERS] if lines else ""
