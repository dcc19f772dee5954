"""From the data to what every step shares: sampled rows, coded features, blocks, compared groups, folds and halves."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.auc import FOLDS
from evenhand.auditors.proxies.blocks import Block, find_blocks
from evenhand.auditors.proxies.columns import Coded, code_column, code_date
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.groups import Groups, compared_groups
from evenhand.auditors.proxies.plan import Budget, Halves, halves

MOST_STRATA = 20
STRATUM_ROWS = 200


@dataclass(frozen=True)
class Stratum:
    """Rows of one level of the declared stratum, as a mask over the sampled rows."""

    name: str
    rows: NDArray[np.bool_]


@dataclass(frozen=True)
class Prepared:
    """`rows`, shape (m,): positions of the sample in the data; everything else is about these m rows.

    `units`: what is tested for encoding, each feature, one-hot or declared block; `unit_of`: feature to its unit's name.
    `regions`: attribute to strata that were not declared, but searched for.
    """

    rows: NDArray[np.int64]
    blocks: tuple[Block, ...]
    units: tuple[Coded, ...]
    unit_of: Mapping[str, str]
    groups: tuple[Groups, ...]
    strata: tuple[Stratum, ...]
    folds: NDArray[np.int8]
    halves: Halves
    regions: Mapping[str, tuple[Stratum, ...]] = field(default_factory=dict)

    def units_of(self, block: int) -> set[str]:
        """Names of the units that say what a block encodes: its members', and a declared one's own."""
        some = self.blocks[block]
        return {self.unit_of[member] for member in some.members} | ({some.label} if some.label else set())


def prepare(data: ProxyData, budget: Budget, rng: np.random.Generator) -> Prepared:
    """Sample, code and group.

    Features are taken in the order of their names, so that their order in the data changes nothing.
    """
    rows = _sampled(data.rows, budget.rows, rng)
    parts = halves(len(rows), rng)
    folds = rng.integers(0, FOLDS, len(rows), dtype=np.int8)
    columns = [
        code_date(name, data.columns[name][rows])
        if name in data.dates
        else code_column(name, data.columns[name][rows], categorical=name in data.categorical)
        for name in sorted(data.columns)
    ]
    blocks = find_blocks(columns, parts.search, data.blocks)
    in_one_hot = {name: block for block in blocks if block.one_hot for name in block.members}
    plain = [column for column in columns if column.name not in in_one_hot]
    return Prepared(
        rows=rows,
        blocks=blocks,
        units=(*plain, *(block.column for block in blocks if block.one_hot or block.label)),
        unit_of={
            column.name: in_one_hot[column.name].column.name if column.name in in_one_hot else column.name
            for column in columns
        },
        groups=tuple(compared_groups(name, codes[rows], levels) for name, (codes, levels) in data.attributes.items()),
        strata=_strata(data, rows),
        folds=folds,
        halves=parts,
    )


def within(groups: Groups, stratum: Stratum) -> Groups:
    """The groups with every row outside the stratum left out."""
    return replace(groups, codes=np.where(stratum.rows, groups.codes, np.int32(-1)))


def _sampled(rows: int, most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if rows <= most:
        return np.arange(rows)
    return np.sort(rng.choice(rows, most, replace=False, shuffle=False))


def _strata(data: ProxyData, rows: NDArray[np.int64]) -> tuple[Stratum, ...]:
    if data.strata is None:
        return ()
    codes, levels = data.strata[0][rows], data.strata[1]
    counts = np.bincount(codes, minlength=len(levels))
    kept = [level for level, text in enumerate(levels) if text is not None and counts[level] >= STRATUM_ROWS]
    largest = sorted(sorted(kept, key=lambda level: -counts[level])[:MOST_STRATA])
    return tuple(Stratum(str(levels[level]), codes == level) for level in largest)
