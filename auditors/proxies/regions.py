"""Where a feature encodes though it does not everywhere: levels searched for on one half, confirmed on the other.

A region is made of levels of one other feature. Features that encode only together belong in `set_regions`, how a region
is called in `places`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import quantile_bins
from evenhand.auditors.proxies.encoding import ENCODES, Encoding, EncodingTest, decide_encodings, encoding_tests
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.joint import BINS, compared_rows, pair_rows, pair_tables
from evenhand.auditors.proxies.prepare import Prepared, Stratum, within

REGION_ROWS = 100
"""Rows of the searching half that a level needs to be looked at."""

GROUP_ROWS = 15
MOST_REGIONS = 20
REGIONS_OF_A_BLOCK = 2
MOST_BLOCKS = 100
CATEGORY_ERRORS = 1.0
"""Rates of cells flatter themselves on the rows they were made with: categories must stand out by so much more."""

Floats = NDArray[np.float64]
Side = Literal["inside", "outside"]


@dataclass(frozen=True)
class Candidate:
    """A block (by position) that may encode in some cells of another one, and how far beyond .60 the strongest lies."""

    block: int
    splitter: int
    cells: tuple[int, ...]
    excess: float


@dataclass(frozen=True)
class Region:
    """A confirmed one: rows of the sample inside, shape (m,), and what is encoded there and outside.

    Of one block by its units; of several, a joint set, by the set alone.
    """

    blocks: tuple[int, ...]
    splitter: int
    cells: tuple[int, ...]
    inside: NDArray[np.bool_]
    encodings: dict[str, Encoding]
    outside: dict[str, Encoding]


def splitter_cells(prepared: Prepared, block: int) -> NDArray[np.uint8]:
    """Levels of a block, or bins of equal size, shape (m,), at most eight of them."""
    return quantile_bins(prepared.blocks[block].column, BINS)


def region_candidates(prepared: Prepared, groups: Groups) -> list[Candidate]:
    """Blocks and levels of another block in which they encode on the searching half, though not in its other levels.

    From one product of indicator matrices: the areas of every feature in every level of every other one. Features
    that encode in opposite directions, as the two halves of an exclusive or do, are left to the joint search.
    """
    blocks = [block for block, some in enumerate(prepared.blocks) if not some.column.constant][:MOST_BLOCKS]
    if len(blocks) < 2 or not prepared.halves.apart:
        return []
    cells = [splitter_cells(prepared, block) for block in blocks]
    ordered = np.array([prepared.blocks[block].column.ordered for block in blocks])
    rows = compared_rows(groups, prepared.halves.search)[: pair_rows(len(blocks))]
    tables = pair_tables([codes[rows] for codes in cells], groups.take(rows), n_groups=len(groups.names))
    totals = tables.sum(axis=0, dtype=np.float64)
    found = [
        Candidate(blocks[j], blocks[i], hot, excess)
        for group in groups.tested
        for (i, j), hot, excess in _hot(tables[group].astype(np.float64), totals, ordered)
        if prepared.blocks[blocks[i]].label is None  # a block that was put together has no levels to name
    ]
    return _chosen(found)


def confirmed_regions(
    prepared: Prepared, groups: Groups, candidates: Sequence[Candidate], *, level: float
) -> list[Region]:
    """Candidates that encode inside on the estimating half, Holm over all, and encode less outside.

    A region counts where the area inside is shown to lie beyond .60, and the one outside is shown neither to lie
    beyond it nor to be as strong.

    Args:
        level: of all confirmations of this attribute together.
    """
    estimate = np.zeros(len(prepared.rows), bool)
    estimate[prepared.halves.estimate] = True
    inside = [np.isin(splitter_cells(prepared, one.splitter), one.cells) for one in candidates]
    tests = [
        EncodingTest(f"{place}/{test.feature}", test.group, test.reading, test.auc)
        for place, (one, mask) in enumerate(zip(candidates, inside, strict=True))
        for test in _tests(prepared, groups, one.block, mask & estimate)
    ]
    decided = decide_encodings(tests, level=level)
    regions = []
    for place, (one, mask) in enumerate(zip(candidates, inside, strict=True)):
        own = {name.split("/", 1)[1]: some for name, some in decided.items() if name.startswith(f"{place}/")}
        strongest = max(own.values(), key=lambda some: (some.encodes, some.strength), default=None)
        if strongest is None or not strongest.encodes:
            continue
        outside = decide_encodings(_tests(prepared, groups, one.block, ~mask & estimate), level=level)
        if all(encodes_less(some, strongest) for some in outside.values()):
            regions.append(Region((one.block,), one.splitter, one.cells, mask, _named(own), outside))
    return regions


def _tests(prepared: Prepared, groups: Groups, block: int, rows: NDArray[np.bool_]) -> list[EncodingTest]:
    names = prepared.units_of(block)
    units = [unit for unit in prepared.units if unit.name in names]
    return encoding_tests(units, within(groups, Stratum("", rows)), prepared.folds)


def _named(encodings: dict[str, Encoding]) -> dict[str, Encoding]:
    return {
        name: Encoding(name, some.group, some.reading, some.area, some.low, some.high, some.encodes)
        for name, some in encodings.items()
    }


def encodes_less(outside: Encoding, inside: Encoding) -> bool:
    """Whether it is shown neither to encode outside nor to be as strong there."""
    weakest_inside = max(inside.low, 1 - inside.high)
    strongest_outside = max(outside.high, 1 - outside.low)
    return not outside.encodes and strongest_outside < max(weakest_inside, ENCODES)


def _hot(
    members: Floats, totals: Floats, ordered: NDArray[np.bool_]
) -> list[tuple[tuple[int, int], tuple[int, ...], float]]:
    """Splitter and feature, the splitter's levels in which the feature encodes, and the largest excess over .60.

    Args:
        members: rows of a group by the cells of every two features, shape (p, 8, p, 8).
        totals: all rows, likewise.
        ordered: whether a feature's cells rise with its value, shape (p,).
    """
    others = totals - members
    areas = np.where(ordered[None, None, :], _areas(members, others), _areas_by_rate(members, others))
    of_group, of_rest = members.sum(axis=3), others.sum(axis=3)
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt((of_group + of_rest + 1) / (12 * of_group * of_rest))
        excess = (np.abs(areas - 0.5) - (ENCODES - 0.5)) / errors
    enough = (np.minimum(of_group, of_rest) >= GROUP_ROWS) & (of_group + of_rest >= REGION_ROWS)
    least = np.where(ordered, 1.0, 1.0 + CATEGORY_ERRORS)[None, None, :]
    hot = enough & (excess > least)
    above, below = hot & (areas > 0.5), hot & (areas < 0.5)
    one_way = above.any(axis=1) ^ below.any(axis=1)
    cold = (enough & (excess < 0)).any(axis=1)
    found = []
    for i, j in zip(*np.nonzero(one_way & cold), strict=True):
        if i != j:
            levels = tuple(int(level) for level in np.flatnonzero(hot[i, :, j]))
            found.append(((int(i), int(j)), levels, float(excess[i, hot[i, :, j], j].max())))
    return found


def _areas(members: Floats, others: Floats) -> Floats:
    """Area of the last axis' cells in their order, shape (p, 8, p); NaN where a side is empty."""
    below = np.cumsum(others, axis=3) - others / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        areas: Floats = (members * below).sum(axis=3) / (members.sum(axis=3) * others.sum(axis=3))
    return areas


def _areas_by_rate(members: Floats, others: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.nan_to_num(members / (members + others))
    order = np.argsort(rates, axis=3, kind="stable")
    return _areas(np.take_along_axis(members, order, axis=3), np.take_along_axis(others, order, axis=3))


def _chosen(found: Sequence[Candidate]) -> list[Candidate]:
    chosen: list[Candidate] = []
    for one in sorted(found, key=lambda one: (-one.excess, one.block, one.splitter)):
        if sum(other.block == one.block for other in chosen) < REGIONS_OF_A_BLOCK and len(chosen) < MOST_REGIONS:
            chosen.append(one)
    return chosen
