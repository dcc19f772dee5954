"""Input files of the build scripts, which are used only where they are the expected ones, byte by byte."""

import hashlib
import zipfile
from pathlib import Path


def member_bytes(archive: zipfile.ZipFile, member: str, sha256: str) -> bytes:
    """The bytes of a member of an archive, which must have this SHA-256."""
    return checked(archive.read(member), member, sha256)


def file_bytes(path: Path, sha256: str) -> bytes:
    """The bytes of a file, which must have this SHA-256."""
    return checked(path.read_bytes(), path.name, sha256)


def checked(content: bytes, name: str, sha256: str) -> bytes:
    """The content, where it has this SHA-256; else the build stops."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{name} has SHA-256 {found}, expected is {sha256}: it is another version of the file.")
    return content
