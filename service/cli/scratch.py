"""A hidden folder beside a file that takes long to make; what a killed process left of one is cleared away."""

import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MADE_FOR_US = "evenhand-part"


@contextmanager
def scratch_beside(target: Path) -> Iterator[Path]:
    """A folder in that of `target`, so that moving a file from it to `target` is one step; removed at the end.

    A lock on the folder says that its process lives, since the system gives up a lock whose process is gone, however
    it went. Folders for the same target that nobody holds are removed first.
    """
    prefix = f".{target.name}.{MADE_FOR_US}."
    for left in target.parent.glob(f"{glob.escape(prefix)}*"):
        _remove_unless_held(left)
    folder, held = _made_and_held(target.parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _made_and_held(parent: Path, prefix: str) -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock; another process may clear it away before it is locked."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=prefix))
        held = _hold(folder)
        if held is not None and folder.is_dir():
            return folder, held
        if held is not None:
            os.close(held)


def _remove_unless_held(folder: Path) -> None:
    held = _hold(folder)
    if held is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _hold(folder: Path) -> int | None:
    """A descriptor with the only lock on the folder; None where another process has it, or the folder is gone."""
    import fcntl

    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(opened)
        return None
    return opened
