"""Rows that are there more than once: within the data, and in the training data too."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile, wilson
from evenhand.auditors.report import DuplicateRows, Estimate, SharedByGroup, SharedRows

Codes = NDArray[np.integer]


@dataclass(frozen=True)
class Training:
    """Rows to look for.

    Attributes:
        name: of the training rows.
        codes: of the training rows, shape (m,).
        columns: in which they are compared; the outputs of a model, which training rows lack, are none of them.
        here: of the rows audited in these columns, shape (n,); equal rows share a code, here and there.
        audited: which of the audited rows are looked for, shape (n,); None: all.
        audited_name: of those.
    """

    name: str
    codes: Codes
    columns: tuple[str, ...]
    here: Codes
    audited: NDArray[np.bool_] | None = None
    audited_name: str = "the rows audited"


@dataclass(frozen=True)
class RowIdentity:
    """Which rows are equal.

    Attributes:
        columns: the columns that were compared: all that were read.
        codes: shape (n,); equal rows share a code of at least 0.
        training: where the same rows may stand too.
    """

    columns: tuple[str, ...]
    codes: Codes
    training: tuple[Training, ...] = ()


def duplicate_rows(identity: RowIdentity) -> DuplicateRows:
    """How many rows repeat another."""
    counts = np.unique(identity.codes, return_counts=True)[1]
    return DuplicateRows(
        columns=list(identity.columns),
        repeated=int(len(identity.codes) - len(counts)),
        distinct=len(counts),
        largest=int(counts.max()) if len(counts) else 0,
    )


def shared_rows(
    identity: RowIdentity,
    attributes: Mapping[str, tuple[NDArray[np.int32], tuple[str | None, ...]]],
    *,
    level: float,
) -> list[SharedRows]:
    """Rows that stand in each training part too, in all and by group, with Wilson intervals."""
    z = normal_quantile((1 + level) / 2)
    found = []
    for training in identity.training:
        looked_for = np.ones(len(training.here), dtype=bool) if training.audited is None else training.audited
        shared = looked_for & np.isin(training.here, training.codes)
        by_group: list[SharedByGroup] = []
        for name, (codes, levels) in attributes.items():
            n = np.bincount(codes[looked_for], minlength=len(levels))
            x = np.bincount(codes[shared], minlength=len(levels))
            bounds = wilson(x, n, z=z)
            by_group += [
                SharedByGroup(
                    group={name: text},
                    n=int(n[i]),
                    shared=int(x[i]),
                    rate=Estimate(estimate=float(x[i] / n[i]), low=float(bounds.low[i]), high=float(bounds.high[i])),
                )
                for i, text in enumerate(levels)
                if n[i]
            ]
        found.append(
            SharedRows(
                train=training.name,
                test=training.audited_name,
                columns=list(training.columns),
                train_rows=len(training.codes),
                test_rows=int(looked_for.sum()),
                shared=int(shared.sum()),
                by_group=by_group,
            )
        )
    return found
