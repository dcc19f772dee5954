"""A zip archive from a stranger: its claims are checked first, and all that can go wrong in it is one named error."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evenhand.datasets.errors import CorruptFile, TooLarge
from evenhand.datasets.imageset import MAX_BYTES

MAX_MEMBERS = 1_000_000
"""Files in one archive."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@contextmanager
def opened(path: Path, name: str, kind: str) -> Iterator[zipfile.ZipFile]:
    """The archive, for reading.

    Args:
        path: of the archive.
        name: what messages call it.
        kind: what the file should be, "zip" or "npz".

    Raises (also from within the block):
        CorruptFile: it is damaged, encrypted or compressed in an unusual way.
        TooLarge: it claims to unpack to more than MAX_BYTES or MAX_MEMBERS. zipfile reads no more than is claimed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, name)
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, RuntimeError) as error:
        # RuntimeError: encrypted; NotImplementedError, a kind of it: unknown method; OSError: an offset out of the file
        raise CorruptFile(name, kind, str(error) or type(error).__name__) from None


def _check(archive: zipfile.ZipFile, name: str) -> None:
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise TooLarge(name, "files", len(members), MAX_MEMBERS)
    claimed = sum(member.file_size for member in members)
    if claimed > MAX_BYTES:
        raise TooLarge(name, "bytes when unpacked", claimed, MAX_BYTES)
    for member in members:
        if member.compress_type not in _METHODS:  # the others reserve memory as the file says
            raise NotImplementedError(f"'{member.filename}' is compressed by another method than deflate")
