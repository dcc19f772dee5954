"""The confined child: confines itself, then imports the worker it was told to run, and answers its requests.

Started by process.py as `python -I -m`. What it is to do arrives on standard input, one JSON line first. Nothing beyond
the standard library is imported before it is confined, since libraries start threads that would stay free.
"""

import importlib
import json
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from evenhand.classifiers.confine import lock

if TYPE_CHECKING:
    from evenhand.classifiers.confine.message import Message

MOST_REQUEST_BYTES = 2**33
WORKERS = "evenhand."


def main() -> None:
    """Serve until the parent closes standard input."""
    requests, answers = _take_pipes()
    order = json.loads(requests.readline())
    if order["parent"] is not None:
        lock.die_with_parent(order["parent"])
    lock.confine(
        mode=order["mode"],
        memory_bytes=order["memory_bytes"],
        cpu_seconds=order["cpu_seconds"],
        readable=[Path(path) for path in order["readable"]],
    )
    from evenhand.classifiers.confine.message import Message

    worker = _worker(order["worker"])
    _send(answers, Message({"ready": True}))
    while (request := _receive(requests)) is not None:
        _send(answers, _answer(worker, request))


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the parent; what libraries print goes to standard error instead of among the answers."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return requests, answers


def _worker(name: str) -> Any:
    module, _, attribute = name.partition(":")
    if not module.startswith(WORKERS):
        raise ValueError(f"{name} is no worker of evenhand")
    return getattr(importlib.import_module(module), attribute)()


def _receive(requests: IO[bytes]) -> "Message | None":
    from evenhand.classifiers.confine import message

    lengths = requests.read(message.LENGTHS.size)
    if len(lengths) < message.LENGTHS.size:
        return None
    return message.parse(lengths, requests.read(message.body_length(lengths, most=MOST_REQUEST_BYTES)))


def _send(answers: IO[bytes], answer: "Message") -> None:
    answers.write(answer.to_bytes())
    answers.flush()


def _answer(worker: Any, request: "Message") -> "Message":
    from evenhand.classifiers.confine.message import Message
    from evenhand.classifiers.errors import ClassifierError

    try:
        answer: Message = worker.answer(request)
    except ClassifierError as error:
        return Message({"error": type(error).__name__, "facts": error.facts})
    except MemoryError:
        return Message({"failed": "memory", "detail": "an allocation was refused"})
    except Exception as error:  # the edge of the child: whatever a library raises is an answer, not a crash
        detail = f"{type(error).__name__}: {error}"[:1000]
        return Message({"failed": "memory" if "bad_alloc" in detail else "error", "detail": detail})
    return answer


if __name__ == "__main__":
    main()
