"""How a confined child is started: its environment and its command line, bubblewrap in place of Landlock included."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from evenhand.classifiers.confine import toolchain

CHILD = "evenhand.classifiers.confine.child"
PASSED_ON = ("LD_LIBRARY_PATH",)  # some Python installations need it to start


def command(mode: str, readable: Sequence[Path]) -> list[str]:
    """The command line of a child.

    -I keeps the working directory and PYTHON* variables out of the import path; -B keeps it from writing.
    """
    python = [sys.executable, "-I", "-B", "-m", CHILD]
    return [*_wrapper(readable), *python] if mode == "bwrap" else python


def environment(threads: int) -> dict[str, str]:
    """The whole environment of a child; nothing of the parent's, which may hold passwords."""
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    return {
        **passed,
        **counts,
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "ORT_DISABLE_TELEMETRY": "1",
        "JOBLIB_MULTIPROCESSING": "0",
    }


def _wrapper(readable: Sequence[Path]) -> list[str]:
    shown = [path for path in (*toolchain.readable_paths(), *readable) if not str(path).startswith(("/dev/", "/proc/"))]
    binds = [part for path in shown for part in ("--ro-bind-try", str(path), str(path))]
    apart = ["--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    return [shutil.which("bwrap") or "bwrap", *apart, *binds, "--dev", "/dev", "--proc", "/proc", "--chdir", "/", "--"]
