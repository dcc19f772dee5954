"""The child's side of a job: it dies with its parent, and says in JSON lines how far it is and how it ended.

Lines on standard output: {"fraction": .., "stage": .., "message": ..}, {"result": {..}}, {"error": {a problem}}.
Whatever libraries print goes to standard error. The parent's side is in `process`.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from evenhand.service.errors import problem_of

PARENT_VARIABLE = "EVENHAND_PARENT_PID"
FAILED_EXIT = 1

PR_SET_PDEATHSIG = 1


class Voice:
    """How the child speaks to its parent."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def progress(self, fraction: float, message: str, *, stage: str | None = None) -> None:
        """How far the work is, in [0, 1], and what is being done. Without a stage, it is the message up to a colon."""
        self._say({"fraction": fraction, "stage": stage or message.partition(":")[0], "message": message})

    def result(self, result: dict[str, Any]) -> None:
        self._say({"result": result})

    def error(self, error: BaseException) -> None:
        self._say({"error": problem_of(error).document()})

    def _say(self, line: dict[str, Any]) -> None:
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()


def speak(work: Callable[[Voice], None]) -> int:
    """Run a child's work; returns its exit code.

    Args:
        work: what the child does; whatever it raises becomes the final error line.
    """
    die_with_parent()
    # a print of some library must not end up between our lines
    voice = Voice(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)
    try:
        work(voice)
    except Exception as error:  # the edge of a job
        traceback.print_exc()
        voice.error(error)
        return FAILED_EXIT
    return 0


def die_with_parent(expected_parent: int | None = None, *, by: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel to end this process when the thread that started it ends. Only Linux can."""
    if sys.platform != "linux":
        return
    parent = expected_parent or int(os.environ.get(PARENT_VARIABLE, "0"))
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if parent and os.getppid() != parent:
        # it died before the kernel was asked
        os.kill(os.getpid(), by)
