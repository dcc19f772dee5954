"""The files that Python and the numeric libraries read: all that a confined process may see."""

import sys
import sysconfig
from pathlib import Path

SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/dev/null",
    "/dev/zero",
    "/dev/urandom",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/sys/devices/system/cpu",
    "/sys/devices/system/node",
)
PACKAGES = ("site-packages", "dist-packages")


def readable_paths() -> tuple[Path, ...]:
    """Folders and files of the interpreter, the installed packages, evenhand itself and the system libraries.

    An editable install adds a folder to the path that may hold anything; of that only evenhand's own code is listed.
    """
    import evenhand

    package = Path(next(iter(evenhand.__path__)))
    own = {package, package.resolve(), (package / "classifiers").resolve()}
    installed = {Path(entry) for entry in sys.path if Path(entry).name in PACKAGES}
    standard = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")}
    interpreter = {Path(sys.executable), Path(sys.base_prefix) / "lib", Path(sys.prefix) / "pyvenv.cfg"}
    return tuple(sorted(own | installed | standard | interpreter | {Path(entry) for entry in SYSTEM}))
