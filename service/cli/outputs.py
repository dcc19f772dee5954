"""Writes a report to the files that were asked for: all of them, or none."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from evenhand.service.audits.errors import NotWritable

if TYPE_CHECKING:
    from evenhand.auditors.report import Report

Render = Callable[["Report"], str]


def check_writable(paths: list[Path]) -> None:
    """Before an audit that takes minutes: every file could be written.

    Raises:
        NotWritable: the folder is not there, is not writable, or the path is a folder.
    """
    for path in paths:
        folder = path.parent
        if path.is_dir():
            raise NotWritable(path, "it is a folder")
        if not folder.is_dir():
            raise NotWritable(path, f"there is no folder {folder}")
        if not os.access(folder, os.W_OK):
            raise NotWritable(path, f"the folder {folder} is not writable")


def write_outputs(report: "Report", outputs: dict[Path, Render]) -> None:
    """Render everything, then write beside the targets, then move into place.

    Raises:
        NotWritable: the disk is full or the file system refuses; no target was touched.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, render in outputs.items():
            beside = path.with_name(f".{path.name}.{os.getpid()}.part")
            written.append((beside, path))
            beside.write_text(render(report), encoding="utf-8")
        for beside, path in written:
            beside.replace(path)
    except OSError as error:
        raise NotWritable(path, error.strerror or str(error)) from None
    finally:
        for beside, _ in written:
            beside.unlink(missing_ok=True)
