"""A table out of the names of pictures that lie in one folder a class; reading them belongs to pictures."""

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

import pyarrow as pa

from evenhand.datasets.decoding import ENDINGS
from evenhand.datasets.errors import BadImages
from evenhand.datasets.table import Table

LABEL = "label"
_NO_DATA = ("thumbs.db", "desktop.ini")


def table_of_classes(files: Sequence[str], source: str, *, hint: str) -> Table:
    """The columns `file` and `label`, sorted by file; label is the name of the picture's folder.

    Args:
        files: names relative to the set, with slashes; a folder within a class, and a class without files, end in one.
        source: what messages call the set.
        hint: what messages say a set looks like.

    Raises:
        BadImages: a file outside of the folders, a folder within a class, a class without pictures (the classes of a
            model would shift), or a file that is no picture.
    """
    shown = sorted(file for file in files if not is_furniture(file))
    if not any("/" in file for file in shown):
        raise BadImages(source, "it holds no CSV or Parquet and no folder for each class", hint)
    for file in shown:
        _check(file, source, hint)
    labels = [file.split("/")[0] for file in shown]
    data = pa.table({"file": pa.array(shown, pa.string()), LABEL: pa.array(labels, pa.string())})
    return Table(source, data, None, hashlib.sha256("\n".join(shown).encode(errors="replace")).hexdigest())


def is_furniture(file: str) -> bool:
    """What file managers leave behind."""
    return any(part.startswith(".") or part.lower() in _NO_DATA for part in PurePosixPath(file).parts)


def _check(file: str, source: str, hint: str) -> None:
    parts = file.split("/")
    if len(parts) == 1:
        raise BadImages(source, f"'{file}' is in no folder of a class", hint)
    if parts[1] == "":
        found = f"the folder '{parts[0]}' of a class is empty"
        raise BadImages(source, found, "Remove it or fill it: class i of a model is the i-th folder.")
    if len(parts) > 2:
        raise BadImages(source, f"'{file}' is a folder or file within a folder within a class", hint)
    if PurePosixPath(file).suffix.lower() not in ENDINGS:
        raise BadImages(source, f"'{file}' is no picture ({', '.join(ENDINGS)})", "Convert it, or take it out.")
