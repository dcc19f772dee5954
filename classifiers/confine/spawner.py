"""The one thread that starts confined children.

The kernel ends a child when the THREAD that started it ends (PR_SET_PDEATHSIG). Jobs and requests run in threads that
come and go, so all children are started by one that stays as long as the process.
"""

import os
import subprocess
import threading
from concurrent.futures import Future
from queue import SimpleQueue

Order = tuple[list[str], dict[str, str], "Future[subprocess.Popen[bytes]]"]

_orders: SimpleQueue[Order] = SimpleQueue()
_thread: threading.Thread | None = None
_lock = threading.Lock()


def spawn(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start a program with pipes on its standard streams, no other open file, and exactly that environment."""
    started: Future[subprocess.Popen[bytes]] = Future()
    with _lock:
        _ensure_thread()
        _orders.put((command, environment, started))
    return started.result()


def _ensure_thread() -> None:
    global _thread
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_work, args=(_orders,), name="evenhand-spawner", daemon=True)
        _thread.start()


def _work(orders: "SimpleQueue[Order]") -> None:
    while True:
        command, environment, started = orders.get()
        try:
            started.set_result(_start(command, environment))
        except Exception as problem:  # belongs to whoever waits
            started.set_exception(problem)


def _start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/", start_new_session=True, bufsize=0
    )


def _forget_after_fork() -> None:
    """A forked process has none of its parent's threads, and perhaps a lock that nobody will release."""
    global _thread, _lock, _orders
    _thread, _lock, _orders = None, threading.Lock(), SimpleQueue()


os.register_at_fork(after_in_child=_forget_after_fork)
