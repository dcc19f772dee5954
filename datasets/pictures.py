"""Pictures out of a folder or a .zip, described by one table or by one sub-folder a class; a single array file is npz's.

How one picture is read is said in decoding, where the pixels lie in pixels.
"""

import hashlib
import stat
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.archive import opened
from evenhand.datasets.class_folders import is_furniture, table_of_classes
from evenhand.datasets.decoding import decoded
from evenhand.datasets.errors import BadImages, MissingPicture, TooLarge, UnsafeMember, WrongImageSize
from evenhand.datasets.imageset import MAX_BYTES, MAX_FOLDER_BYTES, ImageSet
from evenhand.datasets.pixels import Growing, Size
from evenhand.datasets.readers import read_table, sha256_of
from evenhand.datasets.table import Table

MAX_PICTURE_BYTES = 64 * 1024**2
"""Bytes of one picture file."""
_TABLES = (".csv", ".tsv", ".parquet")
_ARCHIVES = (".zip", ".tar", ".gz", ".7z", ".rar")
_HINT = (
    "Put one table beside the pictures, whose column 'file' names them, or the pictures of each class into a folder of"
    " its own, named as the class."
)

Fetch = Callable[[str], bytes]
"""The bytes of the picture of a checked name; KeyError where there is none."""


def read_folder(path: Path, name: str, *, size: Size | None = None) -> ImageSet:
    """Pictures of a folder in the order of its table, whose column `file` names them relative to the folder.

    Without a table there is one sub-folder a class; the columns are then `file` and `label`.

    Args:
        size: width and height that every picture is brought to; without it all must have one size.

    Raises:
        BadImages: neither a table nor folders of classes, or several tables. What read_table raises. MissingPicture,
            CorruptPicture, WrongImageSize, UnsafeMember, TooLarge: what is wrong with a picture.
    """
    tables = sorted(file.name for file in path.iterdir() if file.suffix.lower() in _TABLES and file.is_file())
    table = read_table(path / _the_table(tables, [], name)) if tables else _classes_of(path, name)
    inside = path.resolve()

    def fetch(file: str) -> bytes:
        picture = (path / file).resolve()
        if not picture.is_relative_to(inside):  # a link may lead out where the name does not
            raise UnsafeMember(name, file)
        if not picture.is_file():
            raise KeyError(file)
        if picture.stat().st_size > MAX_PICTURE_BYTES:
            raise TooLarge(f"{name}: {file}", "bytes", picture.stat().st_size, MAX_PICTURE_BYTES)
        return picture.read_bytes()

    images, digest = _pictures(table, name, fetch, size=size, limit=MAX_FOLDER_BYTES)
    return ImageSet(name, images, table, None, digest)


def read_zip(path: Path, name: str, *, size: Size | None = None) -> ImageSet:
    """As read_folder, out of an archive, whose pictures are never written to disk one by one.

    Raises:
        CorruptFile, TooLarge: no readable archive. As read_folder.
    """
    with opened(path, name, "zip") as archive:
        members = _members(archive, name)
        tables = [member for member in members if PurePosixPath(member).suffix.lower() in _TABLES]
        if tables:
            chosen = PurePosixPath(_the_table(tables, list(members), name))
            table, root = _table_of(archive, members[str(chosen)], name), chosen.parent
        else:
            table, root = _classes_in(archive, list(members), name)

        def fetch(file: str) -> bytes:
            member = members[str(root / file)]
            if member.file_size > MAX_PICTURE_BYTES:
                raise TooLarge(f"{name}: {file}", "bytes", member.file_size, MAX_PICTURE_BYTES)
            return archive.read(member)

        images, _ = _pictures(table, name, fetch, size=size, limit=MAX_BYTES)
    return ImageSet(name, images, table, None, sha256_of(path))


def _classes_of(path: Path, source: str) -> Table:
    files: list[str] = []
    for folder in sorted(path.iterdir()):
        if not folder.is_dir() or is_furniture(folder.name):
            files.append(folder.name)
            continue
        inside = [f"{folder.name}/{file.name}{'/' if file.is_dir() else ''}" for file in folder.iterdir()]
        files += [file for file in inside if not is_furniture(file)] or [f"{folder.name}/"]
    return table_of_classes(files, source, hint=_hint(files))


def _classes_in(archive: zipfile.ZipFile, members: Iterable[str], source: str) -> tuple[Table, PurePosixPath]:
    """The table, and the folder in the archive that its names are relative to."""
    files = [member for member in members if not is_furniture(member)]
    root = _common_folder(files)
    holding = {str(parent) for file in files for parent in PurePosixPath(file).parents}
    folders = {info.filename.rstrip("/") for info in archive.infolist() if info.is_dir()}
    inner = [str(PurePosixPath(file).relative_to(root)) for file in files]
    inner += [
        f"{PurePosixPath(folder).relative_to(root)}/"
        for folder in sorted(folders - holding)
        if PurePosixPath(folder).is_relative_to(root) and not is_furniture(folder)
    ]
    return table_of_classes(inner, source, hint=_hint(list(members))), root


def _members(archive: zipfile.ZipFile, source: str) -> dict[str, zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    for info in infos:
        _refuse_escape(info.filename, source)
        if stat.S_ISLNK(info.external_attr >> 16):
            raise BadImages(source, f"'{info.filename}' is a link", "Put the picture itself into the archive.")
    _refuse_collisions([info.filename for info in infos], source)
    return {str(PurePosixPath(info.filename)): info for info in infos}


def _common_folder(files: Iterable[str]) -> PurePosixPath:
    """The folder that holds the folders of the classes: many archives have one folder around everything."""
    shown = [PurePosixPath(file).parts for file in files]
    if shown and len({parts[0] for parts in shown}) == 1 and all(len(parts) > 2 for parts in shown):
        return PurePosixPath(shown[0][0])
    return PurePosixPath()


def _table_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str) -> Table:
    inner = f"{source}: {member.filename}"
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "table"
        unpacked.write_bytes(archive.read(member))
        return read_table(unpacked, inner)


def _the_table(found: list[str], members: list[str], source: str) -> str:
    if len(found) == 1:
        return found[0]
    raise BadImages(source, f"it holds {len(found)} tables: {', '.join(found[:5])}", _hint(members))


def _hint(members: list[str]) -> str:
    inner = next((member for member in members if PurePosixPath(member).suffix.lower() in _ARCHIVES), None)
    return _HINT if inner is None else f"{_HINT} Archives within it are not opened: unpack '{inner}' first."


def _refuse_escape(file: str, source: str) -> None:
    if file.startswith("/") or "\\" in file or ":" in file or ".." in PurePosixPath(file).parts or "\0" in file:
        raise UnsafeMember(source, file)


def _refuse_collisions(files: Iterable[str], source: str) -> None:
    """Two names that are one on another system: which picture is meant would depend on where the audit runs."""
    seen: dict[str, str] = {}
    for file in files:
        first = seen.setdefault(unicodedata.normalize("NFC", file).casefold(), file)
        if first is not file:
            how = "twice" if first == file else f"and '{first}', which many systems take for one name"
            raise BadImages(source, f"it holds '{file}' {how}", "Rename one of the two.")


def _pictures(
    table: Table, source: str, fetch: Fetch, *, size: Size | None, limit: int
) -> tuple[NDArray[np.uint8], str]:
    """The pictures that the column `file` names, and a SHA-256 over the table's and theirs."""
    groups = table.classes("file")
    names = groups.names
    for file in names:
        _refuse_escape(file, source)
    _refuse_collisions(names, source)
    digest = hashlib.sha256(table.sha256.encode())
    made = Growing(table.rows, source)
    first_file, first_size = "", (0, 0)
    for row, code in enumerate(groups.codes, start=1):
        file = names[code]
        try:
            content = fetch(file)
        except KeyError:
            raise MissingPicture(source, file, row) from None
        digest.update(hashlib.sha256(content).digest())
        picture = decoded(content, file, source, size=size)
        found = (picture.shape[1], picture.shape[0])
        if row == 1:
            first_file, first_size = file, found
            _refuse_large(source, table.rows, found, limit)
        if found != first_size:
            raise WrongImageSize(source, file, found, first_file, first_size)
        made.add(picture)
    return made.array, digest.hexdigest()


def _refuse_large(source: str, rows: int, size: Size, limit: int) -> None:
    claimed = rows * size[0] * size[1] * 3
    if claimed > limit:
        raise TooLarge(source, "bytes of pixels", claimed, limit)
