"""Confine the calling process, once and for good: limits, then files, then system calls.

Called by the child on itself while it has one thread. It can be called by any process that wants to give up its rights.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Iterable
from pathlib import Path

from evenhand.classifiers.confine import landlock, seccomp, toolchain

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
OPEN_FILES = 256


class NotSingleThreaded(OSError):
    """Landlock and the filter would bind one of several threads and leave the others free."""

    def __init__(self, threads: int) -> None:
        super().__init__(f"cannot confine a process that has {threads} threads; confine it before it starts any")


def die_with_parent(parent: int) -> None:
    """Have the kernel end this process when the thread that started it ends; end now if that has happened already."""
    _prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def confine(
    *, mode: str, memory_bytes: int, cpu_seconds: int, readable: Iterable[Path] = (), toolchain_readable: bool = True
) -> None:
    """Give up, for good: programs, processes, network, writing, and reading beyond the toolchain and `readable`.

    Args:
        mode: "landlock+seccomp"; in "bwrap" an outer layer, and in "weak" nothing, stands for Landlock.
        memory_bytes: address space of this process.
        cpu_seconds: processor time of this process.
        readable: files and folders that may still be read.
        toolchain_readable: whether Python and its libraries may still be read (and so imported).

    Raises:
        NotSingleThreaded: another thread is running.
        OSError: the kernel refused a part; the process must not go on with untrusted data.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise NotSingleThreaded(threads)
    paths = (*(toolchain.readable_paths() if toolchain_readable else ()), *readable)
    _limit(memory_bytes=memory_bytes, cpu_seconds=cpu_seconds)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    if mode == "landlock+seccomp":
        landlock.restrict(paths)
    seccomp.install()


def _limit(*, memory_bytes: int, cpu_seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")
