"""What a region is called: 'region = north', 'age 52 to 71', and all else 'outside' it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.regions import splitter_cells
from evenhand.auditors.words import legible

MOST_VALUES = 4
"""A level with more values than this is told by their count."""


def place_name(prepared: Prepared, columns: Mapping[str, NDArray[Any]], splitter: int, cells: Sequence[int]) -> str:
    """The levels of a block, in its first feature's own values.

    Args:
        columns: feature to values over all rows of the data.
        splitter: position of the block.
        cells: its levels, as `splitter_cells` has them.
    """
    block = prepared.blocks[splitter]
    rows = np.isin(splitter_cells(prepared, splitter), cells)
    taken = {name: columns[name][prepared.rows[rows]] for name in block.members}
    if block.one_hot:
        return " or ".join(_set_members(taken)) or f"none of {legible(block.name)}"
    name, values = block.column.name, taken[block.column.name]
    if values.dtype.kind not in "biuf":
        return f"{legible(name)} = {' or '.join(_texts(values))}"
    own_cells = splitter_cells(prepared, splitter)[rows]
    return f"{legible(name)} {' or '.join(_ranges(values.astype(np.float64), own_cells))}"


def outside(name: str) -> str:
    """The complement."""
    return f"outside {name}"


def _set_members(taken: Mapping[str, NDArray[Any]]) -> Iterator[str]:
    """One-hot columns that are set in some of the rows."""
    for name, values in taken.items():
        if np.any(values.astype(np.float64) > 0):
            yield f"{legible(name)} set"


def _texts(values: NDArray[Any]) -> list[str]:
    known = sorted({str(value) for value in values.tolist() if value is not None and value == value})
    missing = ["missing"] if len(known) < len(set(values.tolist())) else []
    if len(known) > MOST_VALUES:
        return [f"{len(known):,} values, among them {', '.join(map(legible, known[:MOST_VALUES]))}", *missing]
    return [*map(legible, known), *missing]


def _ranges(values: NDArray[np.float64], cells: NDArray[np.uint8]) -> Iterator[str]:
    """Runs of neighbouring levels as ranges of numbers, a missing value last."""
    known = ~np.isnan(values)
    levels = sorted(set(cells[known].tolist()))
    runs: list[list[int]] = []
    for level in levels:
        if runs and level == runs[-1][-1] + 1:
            runs[-1].append(level)
        else:
            runs.append([level])
    for run in runs:
        some = values[known & np.isin(cells, run)]
        low, high = float(some.min()), float(some.max())
        yield f"= {_short(low)}" if low == high else f"{_short(low)} to {_short(high)}"
    if not known.all():
        yield "missing"


def _short(value: float) -> str:
    return f"{value:.0f}" if value.is_integer() else f"{value:.3g}"
