"""Where features encode only together and only here: sets in levels of another feature, confirmed on the other half.

Single features belong in `regions`, sets that encode everywhere in `search`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import quantile_bins
from evenhand.auditors.proxies.encoding import (
    Encoding,
    category_areas,
    decide_encodings,
    encoding_tests,
    large_enough,
    set_tests,
)
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.joint import BINS, compared_rows, pair_candidates, triple_candidates
from evenhand.auditors.proxies.prepare import Prepared, Stratum, within
from evenhand.auditors.proxies.regions import (
    GROUP_ROWS,
    MOST_BLOCKS,
    MOST_REGIONS,
    REGION_ROWS,
    REGIONS_OF_A_BLOCK,
    Region,
    encodes_less,
    splitter_cells,
)
from evenhand.auditors.proxies.search import any_encodes, set_codes
from evenhand.auditors.ranks import Auc

MOST_SPLITTERS = 40
"""Features in whose levels pairs are looked for: those with the fewest levels."""

TRIPLE_SPLITTERS = 10
"""Features in whose levels parities of three are looked for, of at most eight levels each."""

FINE_FEATURES = 24
"""With more features than this every two neighbouring cells are one, so that a level has rows for them."""

SCAN_OPERATIONS = 4e10
"""Multiplications for the pairs in all levels at most: about two seconds on one core."""

MERGE_ERRORS = 1.0
"""A level joins a region where both then encode no worse than the weaker alone, by so many standard errors."""

Members = tuple[int, ...]


@dataclass(frozen=True)
class SetCandidate:
    """Blocks (by position) that may encode together in some cells of another one, and by how much they are suspect."""

    blocks: Members
    splitter: int
    cells: tuple[int, ...]
    excess: float


def set_region_candidates(prepared: Prepared, groups: Groups, encodings: Mapping[str, Encoding]) -> list[SetCandidate]:
    """Pairs and parities of three that stand out in some levels of another block and not in its others.

    By the searching half. Members that encode alone over all rows are left out; Bonferroni is over every level.

    Args:
        encodings: unit to what it says alone over all rows.
    """
    known = [block for block, some in enumerate(prepared.blocks) if not some.column.constant]
    quiet = [block for block in known if not any_encodes(prepared, encodings, block)][:MOST_BLOCKS]
    if len(quiet) < 2 or len(known) < 3 or not prepared.halves.apart:
        return []
    scan = _Scan.of(prepared, groups, quiet, known)
    found = [candidate for splitter in scan.splitters for candidate in scan.in_levels_of(splitter)]
    return _chosen(found)


def confirmed_set_regions(
    prepared: Prepared, groups: Groups, candidates: Sequence[SetCandidate], *, level: float
) -> list[Region]:
    """Candidates that encode together inside on the estimating half, Holm over all, and encode less outside.

    A set of which a member encodes alone inside is no joint set there, and is left to `regions`.

    Args:
        level: of all confirmations of this attribute together.
    """
    estimate = np.zeros(len(prepared.rows), bool)
    estimate[prepared.halves.estimate] = True
    inside = [np.isin(splitter_cells(prepared, one.splitter), one.cells) for one in candidates]
    codes = [
        set_codes(prepared, one.blocks, rows=int((mask & estimate & (groups.codes >= 0)).sum()))
        for one, mask in zip(candidates, inside, strict=True)
    ]
    tests = [
        test
        for place, (cells, mask) in enumerate(zip(codes, inside, strict=True))
        for test in set_tests(str(place), *cells, groups, np.flatnonzero(mask & estimate), prepared.folds)
    ]
    decided = decide_encodings(tests, level=level)
    regions = []
    for place, (one, cells, mask) in enumerate(zip(candidates, codes, inside, strict=True)):
        here = decided.get(str(place))
        if here is None or not here.encodes or _member_encodes(prepared, groups, one.blocks, mask & estimate, level):
            continue
        elsewhere = np.flatnonzero(~mask & estimate)
        outside = decide_encodings(set_tests("set", *cells, groups, elsewhere, prepared.folds), level=level)
        if all(encodes_less(some, here) for some in outside.values()):
            regions.append(Region(one.blocks, one.splitter, one.cells, mask, {"set": here}, outside))
    return regions


def cells_inside(region: Region, prepared: Prepared) -> tuple[NDArray[np.int32], int]:
    """As `set_codes`, with one code more for every row outside the region."""
    codes, levels = set_codes(prepared, region.blocks, rows=int(region.inside.sum()) // 2)
    return np.where(region.inside, codes, np.int32(levels)), levels + 1


@dataclass(frozen=True)
class _Scan:
    """What is looked for where: `cells` of the quiet blocks over the sample, and the rows that a splitter may use.

    `coarse`: the same in `bins` cells each, for pairs.
    """

    prepared: Prepared
    groups: Groups
    quiet: Sequence[int]
    splitters: Sequence[int]
    cells: Sequence[NDArray[np.uint8]]
    coarse: Sequence[NDArray[np.uint8]]
    bins: int
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, prepared: Prepared, groups: Groups, quiet: Sequence[int], known: Sequence[int]) -> "_Scan":
        named = [block for block in known if prepared.blocks[block].label is None]
        splitters = sorted(named, key=lambda block: (prepared.blocks[block].column.levels, block))[:MOST_SPLITTERS]
        cells = [quantile_bins(prepared.blocks[block].column, BINS) for block in quiet]
        bins = BINS if len(quiet) <= FINE_FEATURES else BINS // 2
        rows = int(SCAN_OPERATIONS / (2 * (len(quiet) * bins) ** 2 * max(1, len(splitters))))
        return cls(
            prepared,
            groups,
            quiet,
            splitters,
            cells,
            [codes // np.uint8(BINS // bins) for codes in cells],
            bins,
            compared_rows(groups, prepared.halves.search)[: max(2_000, rows)],
        )

    def in_levels_of(self, splitter: int) -> list[SetCandidate]:
        levels = splitter_cells(self.prepared, splitter)[self.rows]
        excess: dict[Members, dict[int, float]] = defaultdict(dict)
        looked = 0
        for level in np.unique(levels):
            rows = self.rows[levels == level]
            if not self._enough(rows):
                continue
            looked += 1
            for members, beyond in self._suspects(splitter, rows):
                excess[members][int(level)] = beyond
        return [
            SetCandidate(
                tuple(self.quiet[place] for place in members),
                splitter,
                self._merged(members, levels, by_level),
                max(by_level.values()),
            )
            for members, by_level in excess.items()
            if len(by_level) < looked  # elsewhere there must be something to compare with
        ]

    def _enough(self, rows: NDArray[np.int64]) -> bool:
        counts = np.bincount(self.groups.take(rows), minlength=len(self.groups.names))
        return len(rows) >= REGION_ROWS and bool(
            any(min(counts[group], len(rows) - counts[group]) >= GROUP_ROWS for group in self.groups.tested)
        )

    def _suspects(self, splitter: int, rows: NDArray[np.int64]) -> list[tuple[Members, float]]:
        looks = BINS * len(self.splitters)
        found = pair_candidates(self.coarse, self.groups, rows, bins=self.bins, looks=looks)
        pairs = [(candidate.features[0], candidate.features[1]) for candidate in found]
        if splitter in self._of_few_levels():
            found += triple_candidates(self.cells, self.groups, rows, known=pairs, looks=looks)
        own = self.quiet.index(splitter) if splitter in self.quiet else -1
        return [(candidate.features, candidate.excess) for candidate in found if own not in candidate.features]

    def _of_few_levels(self) -> list[int]:
        few = [block for block in self.splitters if self.prepared.blocks[block].column.levels <= BINS]
        return few[:TRIPLE_SPLITTERS]

    def _merged(self, members: Members, levels: NDArray[np.uint8], by_level: Mapping[int, float]) -> tuple[int, ...]:
        """The strongest level, and those that the set encodes the same way round in: opposites would cancel."""
        blocks = tuple(self.quiet[place] for place in members)
        fewest = min(int((levels == level).sum()) for level in by_level)
        codes, size = set_codes(self.prepared, blocks, rows=fewest)
        first, *rest = sorted(by_level, key=lambda level: (-by_level[level], level))
        cells: tuple[int, ...] = (first,)
        reached = self._area(codes, size, levels, cells)
        for level in rest:
            alone, both = (self._area(codes, size, levels, some) for some in ((level,), (*cells, level)))
            if both.area >= min(alone.area, reached.area) - MERGE_ERRORS * both.error:
                cells, reached = (*cells, level), both
        return tuple(sorted(cells))

    def _area(self, codes: NDArray[np.int32], size: int, levels: NDArray[np.uint8], cells: tuple[int, ...]) -> Auc:
        rows = self.rows[np.isin(levels, cells)]
        members = [rows[self.groups.take(rows) == group] for group in large_enough(self.groups, rows)]
        areas = category_areas(codes, size, rows, members, self.prepared.folds)
        return max(areas, key=lambda auc: auc.area, default=Auc(0.5, 0.0))


def _member_encodes(prepared: Prepared, groups: Groups, blocks: Members, rows: NDArray[np.bool_], level: float) -> bool:
    names = {name for block in blocks for name in prepared.units_of(block)}
    units = [unit for unit in prepared.units if unit.name in names]
    alone = encoding_tests(units, within(groups, Stratum("", rows)), prepared.folds)
    return any(some.encodes for some in decide_encodings(alone, level=level).values())


def _chosen(found: Sequence[SetCandidate]) -> list[SetCandidate]:
    """The strongest, two regions a set at most."""
    chosen: list[SetCandidate] = []
    for one in sorted(found, key=lambda one: (-one.excess, one.blocks, one.splitter)):
        if sum(other.blocks == one.blocks for other in chosen) < REGIONS_OF_A_BLOCK and len(chosen) < MOST_REGIONS:
            chosen.append(one)
    return chosen
