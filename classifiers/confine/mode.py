"""How well this system can confine a child process, and whether that is enough to run an uploaded model."""

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from evenhand.classifiers.confine import landlock, syscalls

SETTING = "EVENHAND_SANDBOX"
NO_LANDLOCK = "this kernel has no Landlock"


@dataclass(frozen=True, kw_only=True)
class Confinement:
    """What stands between an uploaded model and this computer.

    Args:
        mode: "landlock+seccomp", "bwrap", "weak" or "none"; with "none", uploaded models are refused.
        detail: one sentence for people.
        landlock_abi: version of Landlock in this kernel; 0 where there is none.
        seccomp: whether there is a system call filter for this system.
        bwrap: whether bubblewrap works; None where it was not tried, since nothing depends on it.
        reason: why it is less than Landlock and the filter; None where it is not.
    """

    mode: str
    detail: str
    landlock_abi: int = 0
    seccomp: bool = False
    bwrap: bool | None = None
    reason: str | None = None

    @property
    def is_enough(self) -> bool:
        """Whether uploaded models are run at all."""
        return self.mode != "none"


def confinement() -> Confinement:
    """The strongest confinement that works here; `EVENHAND_SANDBOX=weak` allows the weak one where none else does."""
    filter_missing = _filter_missing()
    if filter_missing:
        return Confinement(mode="none", detail=filter_missing, landlock_abi=landlock.abi(), reason=filter_missing)
    version = landlock.abi()
    if version:
        detail = f"Landlock {version}, system call filter and limits"
        return Confinement(mode="landlock+seccomp", detail=detail, landlock_abi=version, seccomp=True)
    bwrap_fails = _why_no_bwrap()
    if bwrap_fails is None:
        detail = f"bubblewrap, system call filter and limits; {NO_LANDLOCK}"
        return Confinement(mode="bwrap", detail=detail, seccomp=True, bwrap=True, reason=NO_LANDLOCK)
    reason = f"{NO_LANDLOCK}, and {bwrap_fails}"
    if os.environ.get(SETTING) == "weak":
        detail = f"system call filter and limits alone, as {SETTING}=weak allows: files can be read; {reason}"
        return Confinement(mode="weak", detail=detail, seccomp=True, bwrap=False, reason=reason)
    return Confinement(mode="none", detail=reason, seccomp=True, bwrap=False, reason=reason)


def _filter_missing() -> str | None:
    if sys.platform != "linux":
        return f"{sys.platform} has no system call filter"
    try:
        syscalls.architecture()
    except syscalls.UnknownArchitecture as unknown:
        return str(unknown)
    return None


@functools.cache
def _why_no_bwrap() -> str | None:
    """Why bubblewrap cannot stand for Landlock; None where it can. It is tried as it will be used."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed"
    trial = [program, "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", sys.executable, "-V"]
    try:
        ran = subprocess.run(trial, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"bubblewrap does not start ({type(problem).__name__})"
    if ran.returncode == 0:
        return None
    said = ran.stderr.decode(errors="replace").strip().splitlines()
    return f"bubblewrap does not work ({said[-1][:200] if said else f'exit code {ran.returncode}'})"
