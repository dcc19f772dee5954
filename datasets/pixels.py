"""Where the pixels of many pictures lie: in memory, or beyond MAPPED_FROM in a temporary file that memory maps.

The system keeps as much of that file in memory as there is room for, and no more.
"""

import errno
import mmap
import os
import shutil
import tempfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.errors import TooLarge

MAPPED_FROM = 256 * 1024**2
"""Bytes from which pixels lie in a temporary file."""
Size = tuple[int, int]
"""Width and height in pixels."""
_STEP = 32 * 1024**2


def room_for(shape: tuple[int, ...], source: str) -> NDArray[np.uint8]:
    """A uint8 array of this shape to write into.

    Raises:
        TooLarge: the temporary folder has not room for it; TMPDIR names another.
    """
    size = int(np.prod(shape, dtype=object))
    if size < MAPPED_FROM:
        return np.zeros(shape, np.uint8)
    with tempfile.TemporaryFile(prefix="evenhand-") as file:
        _reserve(file, size, source)
        return np.frombuffer(mmap.mmap(file.fileno(), size), np.uint8).reshape(shape)


def _reserve(file: Any, size: int, source: str) -> None:
    """Take the room at once: a disk that fills up later would end the process without a word."""
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            folder = tempfile.gettempdir()
            what = f"bytes of pixels for the free room in {folder} (TMPDIR names another folder)"
            raise TooLarge(source, what, size, shutil.disk_usage(folder).free) from None
        file.truncate(size)  # a file system that cannot reserve
    except AttributeError:  # a system that cannot
        file.truncate(size)


def taken(images: NDArray[np.uint8], rows: NDArray[np.integer[Any]], source: str) -> NDArray[np.uint8]:
    """images[rows], in a few megabytes at a time.

    Raises:
        TooLarge: as room_for.
    """
    made = room_for((len(rows), *images.shape[1:]), source)
    step = max(1, _STEP // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(rows), step):
        made[start : start + step] = images[rows[start : start + step]]
    return made


class Growing:
    """Pictures of one size, written one after another; grey until the first one in colour comes."""

    def __init__(self, rows: int, source: str) -> None:
        self._rows, self._source = rows, source
        self._written = 0
        self.array: NDArray[np.uint8] = np.zeros((0, 0, 0, 0), np.uint8)

    def add(self, picture: NDArray[np.uint8]) -> None:
        """Write the next picture, uint8 (height, width, 1 or 3).

        Raises:
            TooLarge: as room_for.
        """
        if picture.shape[2] > self.array.shape[3]:
            before, self.array = self.array, room_for((self._rows, *picture.shape), self._source)
            for i in range(self._written):
                self.array[i] = before[i]
        self.array[self._written] = picture
        self._written += 1
