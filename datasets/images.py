"""Pictures out of a file of any known format; the set itself is ImageSet."""

from pathlib import Path

from evenhand.datasets.errors import UnknownFormat
from evenhand.datasets.formats import IMAGES, format_of
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.npz import read_npz
from evenhand.datasets.pictures import read_folder, read_zip

__all__ = ["ImageSet", "read_images"]


def read_images(path: str | Path, name: str | None = None) -> ImageSet:
    """Pictures from an .npz, or from a folder or .zip with pictures and one table.

    An .npz holds `images` (n, height, width, channels; uint8) and one array of length n for each column. A folder or
    .zip holds pictures (PNG, JPEG, WebP, BMP) and one CSV or Parquet whose column `file` names them; all have one size.

    Args:
        path: of a file or folder that exists.
        name: what messages call it, with its extension; the file's own name by default.

    Raises:
        ImageError, SourceError or ColumnError: what is wrong, and in which file or row.
    """
    path = Path(path)
    name = path.name if name is None else name
    kind = format_of(path, name)
    if kind == "npz":
        return read_npz(path, name)
    if kind == "folder":
        return read_folder(path, name)
    if kind == "zip":
        return read_zip(path, name)
    raise UnknownFormat(name, f"{kind}, not a set of pictures", IMAGES)
