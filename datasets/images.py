"""Pictures out of a file of any known format; the set itself is ImageSet."""

from pathlib import Path

from evenhand.datasets.errors import UnknownFormat
from evenhand.datasets.formats import IMAGES, format_of
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.npz import read_npz
from evenhand.datasets.pictures import read_folder, read_zip
from evenhand.datasets.pixels import Size

__all__ = ["ImageSet", "read_images"]


def read_images(path: str | Path, name: str | None = None, *, size: Size | None = None) -> ImageSet:
    """Pictures from an .npz, or from a folder or .zip of pictures with one table or one sub-folder a class.

    An .npz holds `images` (n, height, width, channels; uint8) and one array of length n for each column. A folder or
    .zip holds pictures (PNG, JPEG, WebP, BMP) and one CSV or Parquet whose column `file` names them, or without a table
    one sub-folder a class, whose name becomes the column `label`.

    Args:
        path: of a file or folder that exists.
        name: what messages call it, with its extension; the file's own name by default.
        size: width and height that every picture is brought to (see resize); without it all must have one size.

    Raises:
        ImageError, SourceError or ColumnError: what is wrong, and in which file or row.
    """
    path = Path(path)
    name = path.name if name is None else name
    kind = format_of(path, name)
    if kind == "npz":
        found = read_npz(path, name)
        return found if size is None else found.resized(size)
    if kind == "folder":
        return read_folder(path, name, size=size)
    if kind == "zip":
        return read_zip(path, name, size=size)
    raise UnknownFormat(name, f"{kind}, not a set of pictures", IMAGES)
