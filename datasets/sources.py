"""What an audit is pointed at, by name or by path: a built-in set, a table or pictures."""

from pathlib import Path

from evenhand.datasets import builtin
from evenhand.datasets.errors import MissingSource
from evenhand.datasets.formats import format_of
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.pixels import Size
from evenhand.datasets.table import Table
from evenhand.datasets.warehouse_urls import without_credentials


def open_source(source: str | Path, name: str | None = None, *, picture_size: Size | None = None) -> Table | ImageSet:
    """A built-in set of this name, or else the table or pictures at this path.

    Args:
        source: name of a built-in set, or path of a file or folder. Write ./adult for a file named as a built-in set.
        name: what messages call it, with the extension that tells its format; the file's own name by default.
        picture_size: width and height that every picture is brought to; nothing for a table.

    Raises:
        MissingSource: there is neither; the message lists the built-in sets. What read_table and read_images raise.
    """
    if isinstance(source, str) and source in builtin.names():
        loaded = builtin.load(source)
        return loaded.resized(picture_size) if picture_size and isinstance(loaded, ImageSet) else loaded
    path = Path(source)
    if not path.exists():
        raise MissingSource(without_credentials(str(source)), builtin.names())
    name = (path.name or str(path)) if name is None else name
    # imported here: a table needs no Pillow
    if format_of(path, name) in ("npz", "zip", "folder"):
        from evenhand.datasets.images import read_images

        return read_images(path, name, size=picture_size)
    from evenhand.datasets.readers import read_table

    return read_table(path, name)
