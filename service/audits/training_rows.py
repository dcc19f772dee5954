"""What the training of a model means for figures on these rows: rows it learned from, and rows that leaked."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.table import Table

if TYPE_CHECKING:
    from evenhand.classifiers.training.record import TrainingRecord

NOTABLE_SHARE = 0.05
"""People who are alike in everything are found in most tables; from this share on it is said."""


def warnings_of(
    record: "TrainingRecord | None", table: Table, images: NDArray[np.uint8] | None, *, kept: bool
) -> tuple[str, ...]:
    """Sentences for the reader of the report.

    Args:
        record: of the model's training; None says nothing.
        table, images: the rows audited.
        kept: whether these are the rows that training kept for the audit; what leaked into them was counted then.
    """
    if record is None:
        return ()
    if kept:
        leaked = record.leakage.warning if record.leakage is not None else None
        return (leaked,) if leaked else ()
    return _learned_from(record, table, images)


def _learned_from(record: "TrainingRecord", table: Table, images: NDArray[np.uint8] | None) -> tuple[str, ...]:
    if record.seen is None or not table.rows or (images is None) == (not record.seen.columns):
        return ()
    missing = [name for name in record.seen.columns if name not in table.columns]
    if missing:
        return (f"Whether these rows are rows the model learned from is not known: they have no {', '.join(missing)}.",)
    found = record.seen.among(images if images is not None else table.features(record.seen.columns))
    if not found.found or found.found < NOTABLE_SHARE * found.compared:
        return ()
    share = found.found / found.compared
    sample = "" if found.compared == found.rows else f" (of a sample of {found.compared:,})"
    return (
        f"The model learned from {share:.0%} of the rows audited{sample}. "
        "A model looks better on rows it was trained on: audit rows that it has not seen.",
    )
