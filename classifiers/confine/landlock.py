"""Landlock: which files a process may still read. It binds the calling thread alone, so it comes before any other.

Source: Documentation/userspace-api/landlock.rst of the Linux kernel.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION_FLAG, PATH_BENEATH = 1, 1
READ_FILE, READ_DIR = 1 << 2, 1 << 3

FIRST_ACCESSES = (1 << 13) - 1
ACCESSES_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # refer, truncate, ioctl on devices
BIND_AND_CONNECT_TCP, ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3


def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def abi() -> int:
    """The Landlock version of the running kernel; 0 where there is none."""
    try:
        version = _libc().syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(VERSION_FLAG))
    except (OSError, AttributeError, TypeError):  # not Linux
        return 0
    return max(0, int(version))


def restrict(readable: Iterable[Path]) -> None:
    """Leave the calling thread able to read `readable` (files, and folders with all beneath) and no other file.

    Paths that do not exist are passed over.

    Raises:
        OSError: the kernel has no Landlock, or no_new_privs is not set.
    """
    version = abi()
    if version == 0:
        raise OSError(errno.ENOSYS, "the kernel has no Landlock")
    accesses = FIRST_ACCESSES | sum(bit for since, bit in ACCESSES_SINCE.items() if version >= since)
    ruleset = struct.pack(
        "=QQQ",
        accesses,
        BIND_AND_CONNECT_TCP if version >= 4 else 0,
        ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    libc = _libc()
    descriptor = _checked(libc.syscall(CREATE_RULESET, ruleset, ctypes.c_size_t(size), ctypes.c_uint(0)))
    try:
        for path in readable:
            _allow(libc, descriptor, path)
        _checked(libc.syscall(RESTRICT_SELF, ctypes.c_int(descriptor), ctypes.c_uint(0)))
    finally:
        os.close(descriptor)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        rule = struct.pack("=Qi", READ_FILE | READ_DIR if is_folder else READ_FILE, opened)
        _checked(libc.syscall(ADD_RULE, ctypes.c_int(ruleset), PATH_BENEATH, rule, ctypes.c_uint(0)))
    finally:
        os.close(opened)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock: " + os.strerror(ctypes.get_errno()))
    return int(result)
