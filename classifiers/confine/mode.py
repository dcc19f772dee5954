"""How well this system can confine a child process, and whether that is enough to run an uploaded model."""

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from evenhand.classifiers.confine import landlock, syscalls

SETTING = "EVENHAND_SANDBOX"


@dataclass(frozen=True)
class Confinement:
    """What stands between an uploaded model and this computer.

    Args:
        mode: "landlock+seccomp", "bwrap", "weak" or "none"; with "none", uploaded models are refused.
        detail: one sentence for people.
    """

    mode: str
    detail: str

    @property
    def is_enough(self) -> bool:
        """Whether uploaded models are run at all."""
        return self.mode != "none"


def confinement() -> Confinement:
    """The strongest confinement that works here; `EVENHAND_SANDBOX=weak` allows the weak one where none else does."""
    filter_missing = _filter_missing()
    if filter_missing:
        return Confinement("none", filter_missing)
    version = landlock.abi()
    if version:
        return Confinement("landlock+seccomp", f"Landlock {version}, system call filter and limits")
    if _bwrap_works():
        return Confinement("bwrap", "bubblewrap, system call filter and limits; this kernel has no Landlock")
    if os.environ.get(SETTING) == "weak":
        return Confinement("weak", f"system call filter and limits alone, as {SETTING}=weak allows: files can be read")
    return Confinement("none", "this kernel has no Landlock, and bubblewrap is not there or does not work")


def _filter_missing() -> str | None:
    if sys.platform != "linux":
        return f"{sys.platform} has no system call filter"
    try:
        syscalls.architecture()
    except syscalls.UnknownArchitecture as unknown:
        return str(unknown)
    return None


@functools.cache
def _bwrap_works() -> bool:
    program = shutil.which("bwrap")
    if program is None:
        return False
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", sys.executable, "-V"]
    try:
        return subprocess.run(trial, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
