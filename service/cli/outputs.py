"""Writes the files that were asked for: all of them whole, or none."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.service.audits.errors import NotWritable

if TYPE_CHECKING:
    from evenhand.auditors.report import Report

Render = Callable[["Report"], str]


def check_writable(paths: list[Path], *, inputs: Iterable[object] = ()) -> None:
    """Before an audit that takes minutes: every file could be written.

    Args:
        inputs: files that are read, by path; what is no file, or None, may be among them.

    Raises:
        NotWritable: the folder is not there, is not writable, or the path is a folder, is named twice, or is read.
    """
    read = {Path(str(each)).resolve() for each in inputs if each is not None and Path(str(each)).exists()}
    for path in paths:
        if path.resolve() in read:
            raise NotWritable(path, "it is read, and would be overwritten")
        if [other.resolve() for other in paths].count(path.resolve()) > 1 and not _takes_a_stream(path):
            raise NotWritable(path, "it is named twice")
        folder = path.parent
        if path.is_dir():
            raise NotWritable(path, "it is a folder")
        if _takes_a_stream(path):
            continue
        if not folder.is_dir():
            raise NotWritable(path, f"there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise NotWritable(path, f"the folder {folder} is not writable")


def write_outputs(report: "Report", outputs: dict[Path, Render]) -> None:
    """Render everything, then write it.

    Raises:
        NotWritable: as `write_texts`.
    """
    write_texts({path: render(report) for path, render in outputs.items()})


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write beside the targets, then move into place; a pipe or a device is written to and stays what it is.

    Raises:
        NotWritable: the disk is full or the file system refuses; no target was touched.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, text in texts.items():
            if not _takes_a_stream(path):
                beside = path.with_name(f".{path.name}.{os.getpid()}.part")
                written.append((beside, path))
                beside.write_text(text, encoding="utf-8")
        for path, text in texts.items():
            if _takes_a_stream(path):
                path.write_text(text, encoding="utf-8")
        for beside, path in written:
            beside.replace(path)
    except OSError as error:
        raise NotWritable(path, error.strerror or str(error)) from None
    finally:
        for beside, _ in written:
            beside.unlink(missing_ok=True)


def _takes_a_stream(path: Path) -> bool:
    """Whether this is a pipe or a device: >(program) of a shell, or /dev/stdout, whatever that leads to."""
    is_descriptor = str(path.absolute().parent) in ("/dev", "/dev/fd", "/proc/self/fd")
    return path.exists() and (is_descriptor or not path.is_file()) and not path.is_dir()
