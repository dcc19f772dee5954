"""Pictures out of an .npz of plain arrays; nothing in it is unpickled."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evenhand.datasets.archive import opened
from evenhand.datasets.errors import BadImages, WrongLength
from evenhand.datasets.imageset import ImageSet, check_images
from evenhand.datasets.readers import sha256_of
from evenhand.datasets.table import Table


def read_npz(path: Path, name: str) -> ImageSet:
    """The array `images`, and a column from each other array; the empty text and NaN are missing.

    Raises:
        BadImages: no `images`, or of another shape or type, or an array of Python objects. WrongLength: a column that
            has not one value a picture. CorruptFile, TooLarge: no readable archive.
    """
    with opened(path, name, "npz") as archive:
        arrays = _arrays(archive, name)
    if "images" not in arrays:
        found = ", ".join(arrays) or "none"
        raise BadImages(name, f"it has no array 'images' (it has: {found})", "Save the pictures under that name.")
    images = arrays.pop("images")
    check_images(images, name)
    columns = {column: _column(values, column, len(images), name) for column, values in arrays.items()}
    # a table without columns would have no rows
    data = pa.table(columns) if columns else pa.table({"picture": np.arange(len(images))})
    sha256 = sha256_of(path)
    return ImageSet(name, images, Table(name, data, None, sha256), None, sha256)


def _arrays(archive: zipfile.ZipFile, source: str) -> dict[str, NDArray[Any]]:
    members = [info for info in archive.infolist() if info.filename.endswith(".npy")]
    return {info.filename.removesuffix(".npy"): _array(archive, info, source) for info in members}


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: str) -> NDArray[Any]:
    """One member, after its header is known to agree with its size: numpy reserves what a header claims."""
    with archive.open(info) as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            hint = "Such arrays hold pickled code and are refused. Save text as array.astype('U'), numbers as numbers."
            raise BadImages(source, f"the array '{info.filename.removesuffix('.npy')}' holds Python objects", hint)
        claimed = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if claimed != info.file_size - file.tell():
            raise ValueError(f"'{info.filename}' claims {claimed:,} bytes and has {info.file_size - file.tell():,}")
    with archive.open(info) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _column(values: NDArray[Any], column: str, rows: int, source: str) -> Any:
    if values.ndim != 1 or len(values) != rows:
        if values.ndim == 1:
            raise WrongLength(column, len(values), rows, source=source)
        hint = f"A column is one array of length {rows:,}: one value a picture."
        raise BadImages(source, f"the array '{column}' has shape {values.shape}", hint)
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.dtype.kind == "U":
        return pa.array([text or None for text in values.tolist()], pa.string())
    if values.dtype.kind not in "biufM":
        hint = "Columns hold text, numbers, booleans or dates."
        raise BadImages(source, f"the array '{column}' is {values.dtype}", hint)
    return pa.array(values)
