"""Features as integers: every later step counts codes and never looks at a value again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEW_LEVELS = 64
"""A number with at most this many values is read as a category too when near-duplicates are looked for."""

NOMINAL_BINS = 32
"""Bins in which a number that is not whole is read as a category, so that a feature with two tails is seen."""


@dataclass(frozen=True)
class Coded:
    """A feature as integers.

    `codes` has shape (n,) and is dense in [0, levels); a missing value has the last code. Where `ordered`, a code
    rises with the value. `nominal` is the same feature as a category: the codes themselves, or bins of a number that
    is not whole. `calendar`: of a date, its year, month and weekday as categories of their own.
    """

    name: str
    codes: NDArray[np.int32]
    levels: int
    missing: NDArray[np.bool_] | None
    ordered: bool
    nominal: NDArray[np.int32]
    nominal_levels: int
    calendar: tuple["Coded", ...] = ()

    @property
    def constant(self) -> bool:
        return self.levels <= 1

    @property
    def known_levels(self) -> int:
        """Levels that are values, without the one for missing."""
        return self.levels - (self.missing is not None)

    def take(self, rows: NDArray[np.int64]) -> "Coded":
        """The same codes at some rows; levels that do not occur there stay."""
        missing = None if self.missing is None else self.missing[rows]
        return replace(
            self,
            codes=self.codes[rows],
            missing=missing,
            nominal=self.nominal[rows],
            calendar=tuple(part.take(rows) for part in self.calendar),
        )


def code_column(name: str, values: NDArray[Any], *, categorical: bool = False) -> Coded:
    """Codes of a feature.

    Args:
        name: of the feature.
        values: shape (n,): numbers with NaN for missing, or texts with None for missing.
        categorical: the order of the numbers means nothing.
    """
    if values.dtype.kind in "biuf":
        return _code_numbers(name, values.astype(np.float64, copy=False), categorical=categorical)
    return _code_texts(name, values)


def code_date(name: str, days: NDArray[np.float64]) -> Coded:
    """A date as a number, with its year, month and weekday as categories beside.

    Args:
        days: since 1970-01-01, shape (n,); fractions are times of day, NaN is missing.
    """
    known = ~np.isnan(days)
    dates = np.floor(np.where(known, days, 0)).astype(np.int64).astype("datetime64[D]")
    parts = {
        "year": dates.astype("datetime64[Y]").astype(np.int64),
        "month": dates.astype("datetime64[M]").astype(np.int64) % 12,
        "weekday": (dates.astype(np.int64) + 3) % 7,  # 1970-01-01 was a Thursday; 0 is Monday
    }
    calendar = (code_column(part, np.where(known, values, np.nan), categorical=True) for part, values in parts.items())
    return replace(code_column(name, days), calendar=tuple(calendar))


def joined(name: str, parts: Sequence[Coded]) -> Coded:
    """Several features as one category: a level for each combination that occurs."""
    codes = parts[0].codes.astype(np.int64)
    for part in parts[1:]:
        _, codes = np.unique(codes * part.levels + part.codes, return_inverse=True)
    distinct, dense = np.unique(codes, return_inverse=True)
    narrow = dense.astype(np.int32)
    return Coded(name, narrow, len(distinct), None, False, narrow, len(distinct))


def quantile_bins(column: Coded, bins: int) -> NDArray[np.uint8]:
    """At most `bins` cells, shape (n,): of equal size for ordered features, else the most frequent values and the rest.

    Equal values stay together. Missing is a cell of its own. bins <= 255.
    """
    if column.levels <= bins:
        return column.codes.astype(np.uint8)
    cells_for_values = bins - (column.missing is not None)
    counts = np.bincount(column.codes, minlength=column.levels)[: column.known_levels]
    cell_of_level = np.full(column.levels, bins - 1, np.uint8)
    if column.ordered:
        middle = (np.cumsum(counts) - counts / 2) / max(1, counts.sum())
        cells = np.minimum(middle * cells_for_values, cells_for_values - 1).astype(np.int64)
    else:
        by_size = np.argsort(-counts, kind="stable")
        cells = np.full(column.known_levels, cells_for_values - 1)
        cells[by_size[: cells_for_values - 1]] = np.arange(cells_for_values - 1)
    cell_of_level[: column.known_levels] = np.unique(cells, return_inverse=True)[1]
    return cell_of_level[column.codes]


def _code_numbers(name: str, values: NDArray[np.float64], *, categorical: bool) -> Coded:
    missing = np.isnan(values)
    known = len(values) - int(missing.sum())
    order = np.argsort(values)  # NaN comes last
    in_order = values[order]
    rises = np.zeros(len(values), np.int32)
    rises[1:known] = in_order[1:known] != in_order[: known - 1] if known else False
    if 0 < known < len(values):
        rises[known] = 1
    codes = np.empty(len(values), np.int32)
    codes[order] = np.cumsum(rises, dtype=np.int32)
    levels = int(codes[order[-1]]) + 1 if len(values) else 0
    some_missing = missing if known < len(values) else None
    whole = categorical or bool(np.all(np.floor(in_order[:known]) == in_order[:known]))
    plain = Coded(name, codes, levels, some_missing, not categorical, codes, levels)
    if whole or levels <= NOMINAL_BINS:
        return plain
    nominal = quantile_bins(plain, NOMINAL_BINS).astype(np.int32)
    return Coded(name, codes, levels, some_missing, True, nominal, NOMINAL_BINS)


def _code_texts(name: str, values: NDArray[Any]) -> Coded:
    listed = values.tolist()
    distinct = dict.fromkeys(listed)
    known = sorted({value for value in distinct if not _absent(value)}, key=str)
    code_of: dict[Any, int] = {value: code for code, value in enumerate(known)}
    code_of.update({value: len(known) for value in distinct if _absent(value)})
    codes = np.fromiter(map(code_of.__getitem__, listed), np.int32, len(listed))
    missing = codes == len(known)
    some_missing = missing if missing.any() else None
    levels = len(known) + (some_missing is not None)
    return Coded(name, codes, levels, some_missing, False, codes, levels)


def _absent(value: object) -> bool:
    return value is None or value != value
