"""What the representation audit needs of the rows beside their groups: which cells are empty, and which rows are equal."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from evenhand.auditors.representation import RowIdentity, Training
from evenhand.datasets.identity import picture_codes, row_codes
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.sources import open_source
from evenhand.datasets.table import Table
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject

SPLIT = "split"
"""A column of this name says which part of the data a row belongs to."""

TRAIN = ("train", "training")


def empty_cells(subject: AuditSubject) -> dict[str, NDArray[np.bool_]]:
    """Which cells are empty, by column that has some; each of shape (n,). None are said where rows are only counted."""
    found: dict[str, NDArray[np.bool_]] = {}
    if subject.counted is not None:
        return found
    for name in subject.table.columns:
        column = subject.table.column(name)
        floating = pa.types.is_floating(column.type)
        if column.null_count or floating:
            empty = pc.is_null(column, nan_is_null=floating)
            if pc.any(empty).as_py():
                # DLPack and not to_numpy, which imports pandas
                parts = [np.from_dlpack(chunk.cast(pa.uint8())) for chunk in empty.chunks]
                found[name] = np.concatenate(parts).astype(bool)
    return found


def identity(subject: AuditSubject, request: AuditRequest) -> RowIdentity | None:
    """Which rows are equal, here and in the training rows: those of a split column, and those of `train_source`.

    Here all columns are compared; with training rows not the split, the outputs of a model and the unit. None where rows
    are only counted.

    Raises:
        DatasetError: the training rows cannot be read.
    """
    if subject.counted is not None:
        return None
    split = next((name for name in subject.table.columns if name.lower() == SPLIT), None)
    elsewhere = request.policy.data.train_source
    size = request.policy.data.picture_size
    other = open_source(elsewhere, None, picture_size=size) if elsewhere else None
    columns = _compared(subject, split, other)
    compared = ("picture",) if subject.images is not None else tuple(columns)
    training: list[Training] = []
    if compared and (split is not None or other is not None):
        codes, *others = _coded(subject, other, columns)
        training += [] if split is None else _by_split(subject.table, split, compared, codes)
        training += [Training(other.name, code, compared, codes) for code in others if other is not None]
    if subject.images is not None:
        return RowIdentity(compared, picture_codes([subject.images])[0], tuple(training))
    every = tuple(subject.table.columns)
    return RowIdentity(every, row_codes([subject.table], every)[0], tuple(training))


def _compared(subject: AuditSubject, split: str | None, other: Table | ImageSet | None) -> list[str]:
    roles = subject.columns
    apart = {split, roles.prediction, roles.score, roles.unit, roles.pair, roles.weight}
    there = _table(other).columns if other is not None else subject.table.columns
    return [name for name in subject.table.columns if name not in apart and name in there]


def _coded(subject: AuditSubject, other: Table | ImageSet | None, columns: Sequence[str]) -> list[NDArray[np.int64]]:
    if subject.images is not None:
        more = (
            [other.images] if isinstance(other, ImageSet) and other.images.shape[1:] == subject.images.shape[1:] else []
        )
        return picture_codes([subject.images, *more])
    return row_codes([subject.table, *([] if other is None else [_table(other)])], columns)


def _table(source: Table | ImageSet) -> Table:
    return source.table if isinstance(source, ImageSet) else source


def _by_split(table: Table, split: str, columns: tuple[str, ...], codes: NDArray[np.int64]) -> list[Training]:
    """Each other part of the data, looked for in the part called train."""
    parts = table.groups(split)
    train = next((i for i, value in enumerate(parts.values) if (value or "").lower() in TRAIN), None)
    if train is None:
        return []
    return [
        Training(
            f"{split} = {parts.values[train]}",
            codes[parts.codes == train],
            columns,
            codes,
            parts.codes == i,
            f"{split} = {value}",
        )
        for i, value in enumerate(parts.values)
        if i != train and value is not None
    ]
