"""Leakage: rows kept for the audit that stand among the rows learned from too, identical or nearly so."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.training.digests import cell_digests, picture_digests, rounded, total
from evenhand.classifiers.training.twins import MOST_BITS, MOST_DIFFERENCE, twins

DIGITS = 3
"""Significant digits to which numbers are rounded."""
LEAST_COLUMNS = 5
"""With fewer columns, rows that agree in all but one are common and mean nothing."""


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """Rows kept for the audit that have a twin among the rows learned from.

    Args:
        compared: the columns that were compared; "picture" for pictures.
        kept: rows kept for the audit.
        identical: of these, equal to a row learned from.
        near: of the others, nearly equal to one.
        near_within: share of the rows learned from that are nearly equal to another of them: what is usual here.
        near_means: in words, what counts as nearly equal.
    """

    compared: tuple[str, ...]
    kept: int
    identical: int
    near: int
    near_within: float
    near_means: str

    @property
    def warning(self) -> str | None:
        """What a reader must know, or None. Near twins are warned of where they are more frequent than among the rest."""
        if not self.kept or not (self.identical or self._near_is_unusual):
            return None
        said = [f"{self.identical:,} identical"] if self.identical else []
        said += [f"{self.near:,} nearly identical ({self.near_means})"] if self._near_is_unusual else []
        return (
            f"Leakage: of {self.kept:,} rows kept for the audit, {' and '.join(said)} to rows the model learned from. "
            "What is measured on them says little about rows it has not seen"
            + ("." if self.compared == ("picture",) else "; two people can have equal values too.")
        )

    @property
    def _near_is_unusual(self) -> bool:
        return self.near > max(1.5 * self.near_within, 0.01) * (self.kept - self.identical)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Leakage":
        """The inverse of `dataclasses.asdict`. Raises KeyError, TypeError, ValueError."""
        return cls(**{**document, "compared": tuple(map(str, document["compared"]))})


def leakage(rows: Columns | NDArray[np.uint8], *, train: NDArray[np.bool_]) -> Leakage:
    """Look for rows of the kept part in the training part.

    Args:
        rows: columns by name, each of shape (n,), label included; or pictures (n, height, width, channels).
        train: shape (n,), True where a row is learned from.
    """
    return _of_pictures(rows, train) if isinstance(rows, np.ndarray) else _of_rows(rows, train)


def _of_rows(columns: Columns, train: NDArray[np.bool_]) -> Leakage:
    cells = cell_digests(columns)
    whole = total(cells)
    identical = np.isin(whole, whole[train]) & ~train
    near, usual = np.zeros(len(train), dtype=bool), np.zeros(len(train), dtype=bool)
    views = [total(cell_digests(rounded(columns, digits=DIGITS)))]
    views += [whole - cell for cell in cells.values()] if len(cells) >= LEAST_COLUMNS else []
    for view in views:
        near |= np.isin(view, view[train])
        usual |= _repeated(view, train)
    usual &= train & ~_repeated(whole, train)
    but_one = ", or in all columns but one" if len(cells) >= LEAST_COLUMNS else ""
    return Leakage(
        compared=tuple(cells),
        kept=int((~train).sum()),
        identical=int(identical.sum()),
        near=int((near & ~identical & ~train).sum()),
        near_within=float(usual.sum() / max(int(train.sum()), 1)),
        near_means=f"equal once numbers are rounded to {DIGITS} digits{but_one}",
    )


def _repeated(digests: NDArray[np.uint64], train: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows learned from whose digest another of them has."""
    repeated = np.zeros(len(train), dtype=bool)
    _, codes, counts = np.unique(digests[train], return_inverse=True, return_counts=True)
    repeated[train] = counts[codes] > 1
    return repeated


def _of_pictures(images: NDArray[np.uint8], train: NDArray[np.bool_]) -> Leakage:
    whole = picture_digests(images)
    identical = np.isin(whole, whole[train]) & ~train
    others, learned = np.flatnonzero(~train & ~identical), np.flatnonzero(train)
    near = int(twins(images, others, learned).sum())
    usual = int(twins(images, learned, learned).sum())
    return Leakage(
        compared=("picture",),
        kept=int((~train).sum()),
        identical=int(identical.sum()),
        near=near,
        near_within=usual / max(len(learned), 1),
        near_means=f"average hash within {MOST_BITS} of 64 bits, and pixels within {MOST_DIFFERENCE:g} of 255 on average",
    )
