"""Pictures out of a folder or a .zip that holds them beside one table; a single array file is read by npz."""

import hashlib
import io
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from evenhand.datasets.archive import opened
from evenhand.datasets.errors import (
    BadImages,
    CorruptPicture,
    MissingPicture,
    TooLarge,
    UnsafeMember,
    WrongImageSize,
)
from evenhand.datasets.imageset import MAX_BYTES, MAX_SIDE, ImageSet
from evenhand.datasets.readers import read_table, sha256_of
from evenhand.datasets.table import Table

MAX_PICTURE_BYTES = 64 * 1024**2
"""Bytes of one picture file."""
_TABLES = (".csv", ".tsv", ".parquet")
_PICTURES = ("PNG", "JPEG", "WEBP", "BMP")

Fetch = Callable[[str], bytes]
"""The bytes of the picture of a checked name; KeyError where there is none."""


def read_folder(path: Path, name: str) -> ImageSet:
    """Pictures of a folder in the order of its table, whose column `file` names them relative to the folder.

    Raises:
        BadImages: no table, or several. What read_table raises. MissingPicture, CorruptPicture, WrongImageSize,
            UnsafeMember, TooLarge: what is wrong with a picture.
    """
    tables = sorted(file for file in path.iterdir() if file.suffix.lower() in _TABLES)
    table = read_table(path / _the_table([file.name for file in tables], name))
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

    images, digest = _pictures(table, name, fetch)
    return ImageSet(name, images, table, None, digest)


def read_zip(path: Path, name: str) -> ImageSet:
    """As read_folder, out of an archive, whose pictures are never written to disk.

    Raises:
        CorruptFile, TooLarge: no readable archive. As read_folder.
    """
    with opened(path, name, "zip") as archive:
        members = _members(archive, name)
        tables = [member for member in members if PurePosixPath(member).suffix.lower() in _TABLES]
        chosen = PurePosixPath(_the_table(tables, name))
        table = _table_of(archive, members[str(chosen)], name)

        def fetch(file: str) -> bytes:
            member = members[str(chosen.parent / file)]
            if member.file_size > MAX_PICTURE_BYTES:
                raise TooLarge(f"{name}: {file}", "bytes", member.file_size, MAX_PICTURE_BYTES)
            return archive.read(member)

        images, _ = _pictures(table, name, fetch)
    return ImageSet(name, images, table, None, sha256_of(path))


def _members(archive: zipfile.ZipFile, source: str) -> dict[str, zipfile.ZipInfo]:
    infos = [info for info in archive.infolist() if not info.is_dir() and not info.filename.startswith("__MACOSX/")]
    for info in infos:
        _refuse_escape(info.filename, source)
    return {str(PurePosixPath(info.filename)): info for info in infos}


def _table_of(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str) -> Table:
    inner = f"{source}: {member.filename}"
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder) / "table"
        unpacked.write_bytes(archive.read(member))
        return read_table(unpacked, inner)


def _the_table(found: list[str], source: str) -> str:
    if len(found) == 1:
        return found[0]
    what = f"it holds {len(found)} tables: {', '.join(found[:5])}" if found else "it holds no CSV or Parquet"
    raise BadImages(source, what, "Put one table beside the pictures, whose column 'file' names them.")


def _refuse_escape(file: str, source: str) -> None:
    if file.startswith("/") or "\\" in file or ":" in file or ".." in PurePosixPath(file).parts or "\0" in file:
        raise UnsafeMember(source, file)


def _pictures(table: Table, source: str, fetch: Fetch) -> tuple[NDArray[np.uint8], str]:
    """The pictures that the column `file` names, and a SHA-256 over the table's and theirs."""
    groups = table.classes("file")
    digest = hashlib.sha256(table.sha256.encode())
    arrays: list[NDArray[np.uint8]] = []
    first_file, first_size = "", (0, 0)
    for row, code in enumerate(groups.codes, start=1):
        file = groups.names[code]
        _refuse_escape(file, source)
        try:
            content = fetch(file)
        except KeyError:
            raise MissingPicture(source, file, row) from None
        digest.update(hashlib.sha256(content).digest())
        picture = _decoded(content, file, source)
        size = (picture.shape[1], picture.shape[0])
        if not arrays:
            first_file, first_size = file, size
            _refuse_large(source, table.rows, size)
        if size != first_size:
            raise WrongImageSize(source, file, size, first_file, first_size)
        arrays.append(picture)
    return _stacked(arrays), digest.hexdigest()


def _refuse_large(source: str, rows: int, size: tuple[int, int]) -> None:
    claimed = rows * size[0] * size[1] * 3
    if claimed > MAX_BYTES:
        raise TooLarge(source, "bytes of pixels", claimed, MAX_BYTES)


def _decoded(content: bytes, file: str, source: str) -> NDArray[np.uint8]:
    """One picture, (height, width, 1) where it is grey and (height, width, 3) else; over white where transparent."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, or sizes that the next lines refuse
            with Image.open(io.BytesIO(content), formats=_PICTURES) as picture:
                if max(picture.size) > MAX_SIDE:
                    raise TooLarge(f"{source}: {file}", "pixels on a side", max(picture.size), MAX_SIDE)
                upright = ImageOps.exif_transpose(picture)
                if upright.mode in ("L", "1"):
                    return np.asarray(upright.convert("L"))[..., None]
                if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                    layers = upright.convert("RGBA")
                    upright = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
                return np.asarray(upright.convert("RGB"))
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise CorruptPicture(source, file, str(error).partition(" <_io")[0]) from None


def _stacked(arrays: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Grey where every picture is grey, else in colour."""
    if any(array.shape[2] == 3 for array in arrays):
        arrays = [np.broadcast_to(array, (*array.shape[:2], 3)) for array in arrays]
    return np.stack(arrays)
