"""The filter of system calls, run by a small interpreter of classic BPF, for both processors and every call of Linux."""

import errno
import os
import struct
from pathlib import Path

import pytest

from evenhand.classifiers.confine import syscalls
from evenhand.classifiers.confine.seccomp import program

TABLE = Path(__file__).with_name("system_calls.txt")
MACHINES = ("x86_64", "aarch64")
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028, "riscv64": 0xC00000F3}
"""AUDIT_ARCH_… of linux/audit.h: the ELF machine, and bits for little-endian and 64 bits."""

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS


def numbers() -> dict[str, dict[str, int]]:
    """Number of each call, by machine and name, as the kernel's headers have them."""
    found: dict[str, dict[str, int]] = {machine: {} for machine in MACHINES}
    for line in TABLE.read_text().splitlines():
        if not line.startswith("#"):
            name, *columns = line.split()
            for machine, number in zip(MACHINES, columns, strict=True):
                if number != "-":
                    found[machine][name] = int(number)
    return found


KERNEL = numbers()


def run(steps: list[tuple[int, int, int, int]], data: bytes) -> int:
    """What the program answers about one call. Source: linux/filter.h, linux/bpf_common.h; struct seccomp_data."""
    accumulator, at = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x06:  # BPF_RET | BPF_K
            return value
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("<I", data, value)
        elif code in (0x15, 0x25, 0x35, 0x45):  # BPF_JMP with JEQ, JGT, JGE, JSET and BPF_K
            holds = {
                0x15: accumulator == value,
                0x25: accumulator > value,
                0x35: accumulator >= value,
                0x45: bool(accumulator & value),
            }[code]
            at += if_true if holds else if_false
        else:
            raise AssertionError(f"instruction {code:#x} is not one that the filter should use")


def answer(machine: str, call: str | int, *arguments: int, audit: int | None = None) -> int:
    number = KERNEL[machine][call] if isinstance(call, str) else call
    filled = [argument & (2**64 - 1) for argument in arguments] + [0] * (6 - len(arguments))
    return run(program(machine), struct.pack("<IIQ6Q", number, audit or AUDIT[machine], 0, *filled))


@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_in_the_tables_is_that_of_the_kernel(machine: str) -> None:
    column = MACHINES.index(machine)
    tables = syscalls.ALLOWED | syscalls.CONDITIONAL

    ours = {name: numbers[column] for name, numbers in tables.items()}

    assert ours == {name: KERNEL[machine].get(name) for name in tables}
    assert syscalls.ARCHITECTURES[machine] == (column, AUDIT[machine])


@pytest.mark.parametrize("machine", MACHINES)
def test_of_all_calls_of_linux_those_listed_are_allowed_and_no_other(machine: str) -> None:
    for name in KERNEL[machine]:
        expected = ALLOW if name in syscalls.ALLOWED else None if name in syscalls.CONDITIONAL else EPERM
        if expected is not None:
            assert answer(machine, name) == expected, name


@pytest.mark.parametrize("machine", MACHINES)
def test_a_number_that_is_no_call_fails(machine: str) -> None:
    taken = set(KERNEL[machine].values())

    assert {answer(machine, number) for number in range(1200) if number not in taken} == {EPERM}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("foreign", AUDIT)
def test_calls_of_another_architecture_kill(machine: str, foreign: str) -> None:
    """Their numbers mean other things: 59 is execve on x86_64 and pipe2 on aarch64."""
    expected = ALLOW if foreign == machine else KILL

    assert answer(machine, "read", audit=AUDIT[foreign]) == expected


def test_the_x32_calls_of_x86_64_kill() -> None:
    """They come with the architecture of x86_64 and bit 30 set."""
    assert {answer("x86_64", 0x40000000 + number) for number in (0, 1, 59, 520, 547)} == {KILL}
    assert answer("x86_64", 0xFFFFFFFF) == KILL


READ, WRITE, READ_WRITE, CREATE, TRUNCATE, APPEND = 0, 1, 2, 0o100, 0o1000, 0o2000
PR_SET_NAME, PR_GET_NAME, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MM = 15, 16, 38, 22, 35
THREAD = 0x3D0F00
"""What libc passes to clone for a thread: it shares memory, files, signal handlers and the group of threads."""
NEW_USER, NEW_NET, NEW_NS, NEW_TIME = 0x10000000, 0x40000000, 0x00020000, 0x80
F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY, F_ADD_SEALS = 8, 10, 15, 1026, 1033
FIONREAD, TCGETS, TIOCSTI = 0x541B, 0x5401, 0x5412

CONDITIONS = [
    ("openat", (0, 0, READ | 0o2000000), ALLOW),
    ("openat", (0, 0, WRITE), EPERM),
    ("openat", (0, 0, READ_WRITE), EPERM),
    ("openat", (0, 0, CREATE), EPERM),
    ("openat", (0, 0, TRUNCATE), EPERM),
    ("openat", (0, 0, APPEND), EPERM),
    ("clone", (THREAD,), ALLOW),
    ("clone", (17,), EPERM),  # fork: SIGCHLD alone
    ("clone", (0x4111,), EPERM),  # vfork
    *(("clone", (THREAD | space,), EPERM) for space in (NEW_USER, NEW_NET, NEW_NS, NEW_TIME)),
    ("clone3", (0, 88), ENOSYS),
    *(("fcntl", (3, command), ALLOW) for command in (0, 1, 2, 3, 4, 1030)),
    *(("fcntl", (3, command), EPERM) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX, F_NOTIFY, F_ADD_SEALS)),
    ("ioctl", (1, TCGETS), ALLOW),
    ("ioctl", (1, FIONREAD), ALLOW),
    ("ioctl", (1, TIOCSTI), EPERM),
    ("ioctl", (1, 0), EPERM),
    ("prctl", (PR_SET_NAME,), ALLOW),
    ("prctl", (PR_GET_NAME,), ALLOW),
    *(("prctl", (option,), EPERM) for option in (PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MM)),
    ("prlimit64", (0, 7, 0), ALLOW),  # read a limit
    ("prlimit64", (0, 7, 0x7FFF00000000), EPERM),  # set one; the low half of the pointer is 0
    ("prlimit64", (0, 7, 0x1000), EPERM),
    ("tgkill", (os.getpid(), 1, 6), ALLOW),
    ("tgkill", (os.getppid(), 1, 6), EPERM),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("call", "arguments", "expected"), CONDITIONS)
def test_conditional_calls_depend_on_their_arguments(
    machine: str, call: str, arguments: tuple[int, ...], expected: int
) -> None:
    assert answer(machine, call, *arguments) == expected


def test_the_older_open_of_x86_64_is_for_reading_too() -> None:
    assert (answer("x86_64", "open", 0, READ), answer("x86_64", "open", 0, CREATE | WRITE)) == (ALLOW, EPERM)
    assert "open" not in KERNEL["aarch64"]


DANGEROUS = (
    *("socket", "connect", "bind", "sendto", "execve", "execveat", "ptrace", "process_vm_writev", "kill", "tkill"),
    *("pidfd_open", "pidfd_send_signal", "io_uring_setup", "bpf", "perf_event_open", "userfaultfd", "memfd_create"),
    *("unshare", "setns", "mount", "umount2", "chroot", "pivot_root", "open_by_handle_at", "keyctl", "add_key"),
    *(
        "unlinkat",
        "renameat2",
        "linkat",
        "symlinkat",
        "mkdirat",
        "mknodat",
        "ftruncate",
        "fchmod",
        "fchmodat",
        "utimensat",
    ),
    *(
        "setuid",
        "setgid",
        "capset",
        "seccomp",
        "personality",
        "init_module",
        "kexec_load",
        "reboot",
        "openat2",
        "shmget",
    ),
)


@pytest.mark.parametrize("machine", MACHINES)
def test_what_reaches_beyond_the_process_is_refused_by_name(machine: str) -> None:
    """So that a new entry in the list of what is allowed cannot bring one of these unnoticed."""
    assert {name: answer(machine, name) for name in DANGEROUS if name in KERNEL[machine]} == {
        name: EPERM for name in DANGEROUS if name in KERNEL[machine]
    }
    assert set(DANGEROUS) <= set(KERNEL["x86_64"])


@pytest.mark.parametrize("machine", MACHINES)
def test_jumps_stay_within_the_program_and_it_ends(machine: str) -> None:
    steps = program(machine)

    assert len(steps) <= 4096  # BPF_MAXINSNS
    assert steps[-1][0] == 0x06
    for at, (code, if_true, if_false, _) in enumerate(steps):
        assert 0 <= min(if_true, if_false) <= max(if_true, if_false) < 256
        if code & 0x07 == 0x05:
            assert at + 1 + max(if_true, if_false) < len(steps)


def test_a_program_that_allows_all_would_be_noticed() -> None:
    """The law above can fail: this program lets sockets through."""
    assert run([(0x06, 0, 0, ALLOW)], bytes(64)) == ALLOW != answer("x86_64", "socket")
