"""The system calls a confined process may make, for x86_64 and aarch64. How they are enforced is in seccomp.py."""

import platform

# Linux names, with their numbers on x86_64 and aarch64; None where the architecture has no such call.
ALLOWED: dict[str, tuple[int | None, int | None]] = {
    # reading and answering through what is already open
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "close": (3, 57),
    "lseek": (8, 62),
    "dup": (32, 23),
    "poll": (7, None),
    "ppoll": (271, 73),
    # looking at files; which files, Landlock decides
    "stat": (4, None),
    "lstat": (6, None),
    "fstat": (5, 80),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "access": (21, None),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "getdents": (78, None),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "fadvise64": (221, 223),
    # memory
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "mincore": (27, 232),
    "brk": (12, 214),
    "membarrier": (324, 283),
    # threads, signals to oneself, time
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "set_tid_address": (218, 96),
    "rseq": (334, 293),
    "gettid": (186, 178),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "sched_setaffinity": (203, 122),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "getcpu": (309, 168),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "nanosleep": (35, 101),
    "clock_nanosleep": (230, 115),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "gettimeofday": (96, 169),
    "times": (100, 153),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # who and where one is
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getrusage": (98, 165),
    "getrlimit": (97, 163),
    "getrandom": (318, 278),
    "arch_prctl": (158, None),
}

# Allowed only with certain arguments; seccomp.py says which.
CONDITIONAL: dict[str, tuple[int | None, int | None]] = {
    "open": (2, None),
    "openat": (257, 56),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fcntl": (72, 25),
    "ioctl": (16, 29),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "tgkill": (234, 131),
}

ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class UnknownArchitecture(OSError):
    """There is no table of system calls for this processor."""

    def __init__(self, machine: str) -> None:
        super().__init__(f"no system call table for {machine}; there is one for {' and '.join(ARCHITECTURES)}")


def architecture(machine: str | None = None) -> tuple[str, int, int]:
    """Name, column in the tables above, and audit number of a processor; None: of the running one.

    Raises:
        UnknownArchitecture: neither x86_64 nor aarch64.
    """
    found = machine or platform.machine()
    found = {"AMD64": "x86_64", "arm64": "aarch64"}.get(found, found)
    if found not in ARCHITECTURES:
        raise UnknownArchitecture(found)
    return found, *ARCHITECTURES[found]
