"""The system call filter: a Berkeley packet filter program that lets through what syscalls.py lists.

Everything else fails with EPERM, and another architecture's calls kill the process: their numbers mean other things.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Sequence

from evenhand.classifiers.confine import syscalls

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
X32_CALLS = 0x40000000

CLONE_THREAD = 0x00010000
NEW_NAMESPACES = 0x7E020080
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
TERMINAL_REQUESTS = (0x5401, 0x5451, 0x5450, 0x541B)  # is it a terminal, close on exec or not, bytes waiting
THREAD_NAME_REQUESTS = (15, 16)
DESCRIPTOR_REQUESTS = (0, 1, 2, 3, 4, 1030)  # duplicate, flags; not F_SETOWN, which has signals sent to others

PR_SET_SECCOMP, MODE_FILTER = 22, 2

Instruction = tuple[int, int, int, int]


def _return(value: int) -> Instruction:
    return RETURN, 0, 0, value


def _low(argument: int) -> Instruction:
    """Load the low half of an argument (both architectures are little-endian)."""
    return LOAD, 0, 0, ARGUMENTS + 8 * argument


def _unless(code: int, value: int) -> Instruction:
    """Skip the next instruction unless the comparison holds."""
    return code, 0, 1, value


def _only_without(argument: int, bits: int) -> list[Instruction]:
    return [_low(argument), _unless(ANY_BIT, bits), _return(FAIL | errno.EPERM), _return(ALLOW)]


def _only_among(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    allowed = [step for value in values for step in (_unless(EQUAL, value), _return(ALLOW))]
    return [_low(argument), *allowed, _return(FAIL | errno.EPERM)]


def _conditions() -> dict[str, list[Instruction]]:
    """What a conditional call must look like: read-only files, threads but no processes, signals to oneself."""
    thread_only = [
        _low(0),
        _unless(ANY_BIT, NEW_NAMESPACES),
        _return(FAIL | errno.EPERM),
        _unless(ANY_BIT, CLONE_THREAD),
        _return(ALLOW),
        _return(FAIL | errno.EPERM),
    ]
    reading_limits = [
        _low(2),
        (EQUAL, 1, 0, 0),
        _return(FAIL | errno.EPERM),
        (LOAD, 0, 0, ARGUMENTS + 8 * 2 + 4),
        (EQUAL, 1, 0, 0),
        _return(FAIL | errno.EPERM),
        _return(ALLOW),
    ]
    return {
        "open": _only_without(1, WRITING),
        "openat": _only_without(2, WRITING),
        "clone": thread_only,
        # Its flags lie behind a pointer that a filter cannot follow; with ENOSYS, libc uses clone.
        "clone3": [_return(FAIL | errno.ENOSYS)],
        "fcntl": _only_among(1, DESCRIPTOR_REQUESTS),
        "ioctl": _only_among(1, TERMINAL_REQUESTS),
        "prctl": _only_among(0, THREAD_NAME_REQUESTS),
        "prlimit64": reading_limits,
        "tgkill": _only_among(0, (os.getpid(),)),  # abort() signals its own process
    }


def program(machine: str | None = None) -> list[Instruction]:
    """The filter for the calling process.

    Args:
        machine: "x86_64" or "aarch64"; None: this processor.

    Raises:
        UnknownArchitecture: neither of them.
    """
    machine, column, audit_number = syscalls.architecture(machine)
    steps: list[Instruction] = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, audit_number), _return(KILL)]
    steps.append((LOAD, 0, 0, NUMBER))
    if machine == "x86_64":
        steps += [_unless(AT_LEAST, X32_CALLS), _return(KILL)]
    for numbers in syscalls.ALLOWED.values():
        number = numbers[column]
        if number is not None:
            steps += [_unless(EQUAL, number), _return(ALLOW)]
    for name, block in _conditions().items():
        number = syscalls.CONDITIONAL[name][column]
        if number is not None:
            steps += [(EQUAL, 0, len(block), number), *block]
    return [*steps, _return(FAIL | errno.EPERM)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install(steps: Sequence[Instruction] | None = None) -> None:
    """Bind the calling thread, and all that it will start, to the filter; it cannot be taken off again.

    Args:
        steps: another filter than `program()`.

    Raises:
        OSError: the kernel has no system call filters, or no_new_privs is not set.
    """
    steps = program() if steps is None else steps
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    described = _Program(len(steps), ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(described), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the system call filter was not accepted")
