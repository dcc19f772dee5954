"""Which format a file has, by its first bytes before its extension; reading it belongs to the readers."""

import zipfile
from pathlib import Path
from typing import Literal

from evenhand.datasets.archive import opened
from evenhand.datasets.errors import BadName, CorruptFile, EmptySource, UnknownFormat

Format = Literal["csv", "tsv", "parquet", "arrow", "npz", "zip", "folder"]

TABLES = (".csv", ".tsv", ".parquet", ".arrow", ".feather")
IMAGES = (".npz", ".zip", "a folder of pictures")
KNOWN = (*TABLES, *IMAGES)

_NAMED: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".npz": "npz",
    ".zip": "zip",
}
_CALLED = {"parquet": "Parquet", "arrow": "Arrow", "npz": "npz", "zip": "zip"}


def format_of(path: Path, name: str) -> Format:
    """The format of an existing file or folder.

    Content goes first: Parquet under the name x.csv is read as Parquet. A file that is plain text is told apart by its
    extension, so that text needs .csv or .tsv.

    Args:
        path: the file or folder.
        name: what messages call it; its extension counts, so that an upload kept under another path keeps its format.

    Raises:
        EmptySource: no bytes. CorruptFile: the extension promises a binary format and the content is another thing.
        UnknownFormat: neither content nor extension is known. BadName: the path is no UTF-8.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise BadName(str(path)) from None
    if path.is_dir():
        return "folder"
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip(b" \t\r\n\xef\xbb\xbf") and path.stat().st_size <= len(head):
        raise EmptySource(name, "no bytes" if not head else "nothing but blanks")
    by_content = _by_content(path, head, name)
    if by_content is not None:
        return by_content
    extension = Path(name).suffix.lower()
    by_name = _NAMED.get(extension)
    if by_name in ("csv", "tsv"):
        if b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UnknownFormat(name, f"no text, though it is named '{extension}'", KNOWN)
        return by_name
    if by_name is not None:
        raise CorruptFile(name, _CALLED[by_name], f"it begins with {head[:8]!r}, as no file of that format does")
    raise UnknownFormat(name, f"a file of the kind '{extension}'" if extension else "a file without extension", KNOWN)


def _by_content(path: Path, head: bytes, name: str) -> Format | None:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"ARROW1"):
        return "arrow"
    if head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        with opened(path, name, "zip") as archive:
            members = archive.namelist()
        if any(member.endswith(".npy") for member in members):
            return "npz"
        if not any(member == "[Content_Types].xml" for member in members):  # that is a spreadsheet
            return "zip"
    return None
