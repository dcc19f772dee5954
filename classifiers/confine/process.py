"""The parent's side of a confined child: starting it, asking it, and making sure that it ends.

What a worker does with a request is the worker's business; see child.py for the other side.
"""

import json
import os
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from evenhand.classifiers.confine import message
from evenhand.classifiers.confine.command import command, environment
from evenhand.classifiers.confine.message import BadFrame, Message
from evenhand.classifiers.confine.mode import confinement
from evenhand.classifiers.confine.pipes import Ended, Pipes, TooLate
from evenhand.classifiers.confine.spawner import spawn
from evenhand.classifiers.errors import FROM_CHILD, ChildFailed, ClassifierError, ConfinementUnavailable, rebuild
from evenhand.classifiers.limits import Limits

LONGEST_FACT = 2000


class ConfinedProcess:
    """A child process that runs one worker, confined before it imports anything that could be turned against us.

    Args:
        worker: "evenhand.module:Class"; the class takes no arguments and has `answer(Message) -> Message`.
        name: what messages call it, for instance the file it works on.
        limits: memory and time.
        readable: files and folders it may read beyond Python and its libraries.
        mode: as in `confinement()`, which is asked when this is None.

    Raises:
        ConfinementUnavailable: this system cannot confine it.
        ChildFailed: it did not start.

    Use it as a context manager, or `close` it; it also ends with the object, with the interpreter, and with the parent.
    """

    def __init__(
        self,
        worker: str,
        *,
        name: str,
        limits: Limits | None = None,
        readable: Sequence[Path] = (),
        mode: str | None = None,
    ) -> None:
        found = confinement()
        self.mode = mode or found.mode
        if self.mode == "none":
            raise ConfinementUnavailable(missing=found.detail)
        self.name, self.limits = name, limits or Limits()
        self._lock = threading.Lock()
        self._child = spawn(command(self.mode, readable), environment(self.limits.threads))
        self._end = weakref.finalize(self, _end, self._child)
        self._pipes = Pipes(self._child)
        order = {
            "worker": worker,
            "mode": self.mode,
            "memory_bytes": self.limits.memory_bytes,
            "cpu_seconds": self.limits.cpu_seconds,
            "readable": [str(path) for path in readable],
            # Inside bubblewrap's own process space the parent has no number; --die-with-parent does this there.
            "parent": None if self.mode == "bwrap" else os.getpid(),
        }
        self._exchange(json.dumps(order).encode() + b"\n", self.limits.start_seconds)

    def ask(self, request: Message) -> Message:
        """Send a request and wait for its answer; requests of several threads take turns.

        Raises:
            ChildFailed: no answer within `limits.request_seconds`, out of memory, crashed, or closed.
            RefusedFormat, UnsupportedModel, CorruptModel, WrongInput, WrongOutput: what the worker found.
        """
        return self._exchange(request.to_bytes(), self.limits.request_seconds)

    def close(self) -> None:
        """End the child now, also while it works for another thread. Closing twice is allowed."""
        self._child.kill()
        with self._lock:
            self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process number of the child, also after it has ended."""
        return self._child.pid

    def _exchange(self, request: bytes, seconds: float) -> Message:
        with self._lock:
            if not self._end.alive:
                raise ChildFailed(name=self.name, reason="closed", detail="load the model again")
            try:
                answer = self._exchange_frames(request, time.monotonic() + seconds)
            except TooLate:
                self._end()
                raise ChildFailed(name=self.name, reason="time", detail=f"{seconds:g} seconds") from None
            except Ended:
                raise self._why_it_ended() from None
            except BadFrame as problem:
                self._end()
                raise ChildFailed(name=self.name, reason="crash", detail=f"it sent {problem}") from None
            except BaseException:  # interrupted between request and answer: the two would no longer match
                self._end()
                raise
        return self._checked(answer)

    def _exchange_frames(self, request: bytes, deadline: float) -> Message:
        lengths = self._pipes.exchange(request, message.LENGTHS.size, deadline)
        length = message.body_length(lengths, most=self.limits.answer_bytes)
        return message.parse(lengths, self._pipes.exchange(b"", length, deadline))

    def _checked(self, answer: Message) -> Message:
        if "failed" in answer.head:
            reason = "memory" if answer.head["failed"] == "memory" else "error"
            raise ChildFailed(name=self.name, reason=reason, detail=_short(answer.head.get("detail")))
        if "error" in answer.head:
            raise self._error_from(answer)
        return answer

    def _error_from(self, answer: Message) -> ClassifierError:
        facts = answer.head.get("facts")
        try:
            return rebuild(FROM_CHILD[answer.head["error"]], {key: _short(value) for key, value in dict(facts).items()})  # type: ignore[arg-type]  # a child that is not trusted may send anything; the except below answers
        except (KeyError, TypeError, ValueError):
            return ChildFailed(name=self.name, reason="error", detail=_short(answer.head.get("error")))

    def _why_it_ended(self) -> ChildFailed:
        try:
            code = self._child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            code = None
        said = self._pipes.last_words()
        self._end()
        if code in (-signal.SIGXCPU, 128 + signal.SIGXCPU):  # the latter from bubblewrap
            return ChildFailed(name=self.name, reason="time", detail=f"{self.limits.cpu_seconds} processor seconds")
        if "MemoryError" in said or "bad_alloc" in said or "annot allocate memory" in said:
            return ChildFailed(name=self.name, reason="memory", detail=f"{self.limits.memory_bytes:,} bytes")
        how = f"exit code {code}" if code is None or code >= 0 else signal.Signals(-code).name
        last_line = said.splitlines()[-1][:LONGEST_FACT] if said else ""
        return ChildFailed(name=self.name, reason="crash", detail=f"{how}: {last_line}" if said else how)


def _short(value: object) -> str:
    return str(value)[:LONGEST_FACT]


def _end(child: "subprocess.Popen[bytes]") -> None:
    """Kill and reap. It holds no reference to the ConfinedProcess, so that that can be collected."""
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
