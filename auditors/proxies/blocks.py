"""Which features are one thing: declared blocks, near-duplicates and one-hot columns.

Apart, each half of a pair would get half the credit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import FEW_LEVELS, Coded, joined, quantile_bins

NEAR_DUPLICATE = 0.9
"""Rank correlation or Cramer's V above which two features are one block."""

JOINED_LEVELS = 4_096
"""Combinations of a declared block's members at most, as far as two bins each allow."""

MEETINGS = 20
"""Columns that never meet in a row are one variable where independent ones would have met so often."""

TABLE_CELLS = 1 << 16
PAIR_ROWS = 20_000_000
"""Rows times pairs of categories that are counted at most; many pairs are counted on fewer rows."""


@dataclass(frozen=True)
class Block:
    """Features that are permuted together, in the order of their names, and the block as one column.

    `label`: the name it was declared under; None where it was found.
    """

    members: tuple[str, ...]
    column: Coded
    one_hot: bool = False
    label: str | None = None

    @property
    def name(self) -> str:
        return self.label or " + ".join(self.members)


def find_blocks(
    columns: Sequence[Coded], rows: NDArray[np.int64], declared: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> tuple[Block, ...]:
    """Declared blocks, and those of near-duplicates among the rest, in the order of their first members' names.

    Near-duplicates are looked for on at most 20,000 of `rows`. One-hot columns are numbers with two values, a common
    prefix before a "_" or "=", and at most one of them set. They stand as one category. In a block of near-duplicates
    the first member stands for all; a declared one is the combination of its members, coarse where there are many.
    """
    set_by_hand = {name for names in declared.values() for name in names}
    by_hand = [_declared(label, names, columns) for label, names in declared.items()]
    ordered = sorted((column for column in columns if column.name not in set_by_hand), key=lambda column: column.name)
    by_name = {column.name: column for column in ordered}
    sample = rows[:20_000]
    encoded = _one_hot_sets(ordered, sample)
    in_set = {name for names in encoded for name in names}
    units = [joined(" + ".join(names), [by_name[name] for name in names]) for names in encoded]
    members = {unit.name: names for unit, names in zip(units, encoded, strict=True)}
    units += [column for column in ordered if column.name not in in_set]
    blocks = [
        _block([members.get(units[i].name, (units[i].name,)) for i in together], units[together[0]])
        for together in _connected(len(units), _near_duplicates(units, sample))
    ]
    return tuple(sorted([*blocks, *by_hand], key=lambda block: block.members))


def rank_correlations(columns: Sequence[Coded], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spearman correlations of ordered features, shape (p, p); 0 for a constant one.

    Missing counts as above all values.
    """
    if not columns:
        return np.zeros((0, 0))
    ranks = np.stack([_midranks(column.codes[rows], column.levels) for column in columns])
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.sqrt((ranks**2).sum(axis=1, keepdims=True))
    ranks /= np.where(lengths > 0, lengths, 1)
    correlations: NDArray[np.float64] = (ranks @ ranks.T).astype(np.float64)
    return correlations


def cramers_v(one: NDArray[np.int32], other: NDArray[np.int32], levels: tuple[int, int]) -> float:
    """Cramer's V with the correction for chance, in [0, 1]; 0 where it is undefined (a constant, or a level a row).

    Source: Bergsma (2013), Journal of the Korean Statistical Society 42(3).
    """
    n = len(one)
    r_counts, c_counts = np.bincount(one, minlength=levels[0]), np.bincount(other, minlength=levels[1])
    joint = one.astype(np.int64) * levels[1] + other
    if levels[0] * levels[1] <= TABLE_CELLS:
        counts = np.bincount(joint, minlength=levels[0] * levels[1])
        cells = np.flatnonzero(counts)
        counts = counts[cells]
    else:
        cells, counts = np.unique(joint, return_counts=True)
    expected = r_counts[cells // levels[1]] * c_counts[cells % levels[1]].astype(np.float64)
    phi2 = float((counts.astype(np.float64) ** 2 / expected).sum()) - 1
    r, c = int((r_counts > 0).sum()), int((c_counts > 0).sum())
    if min(r, c) < 2 or n < 2:
        return 0.0
    corrected = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    smaller = min(size - (size - 1) ** 2 / (n - 1) for size in (r, c)) - 1
    return float(np.sqrt(min(1.0, corrected / smaller))) if smaller > 0.01 else 0.0


def _block(members: list[tuple[str, ...]], first: Coded) -> Block:
    names = tuple(sorted(name for names in members for name in names))
    return Block(names, first, one_hot=any(len(some) > 1 for some in members))


def _near_duplicates(units: Sequence[Coded], rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    ordered = [i for i, unit in enumerate(units) if unit.ordered and not unit.constant]
    correlations = np.abs(rank_correlations([units[i] for i in ordered], rows))
    pairs = [
        (ordered[i], ordered[j]) for i, j in zip(*np.nonzero(np.triu(correlations > NEAR_DUPLICATE, k=1)), strict=True)
    ]
    few = [i for i, unit in enumerate(units) if unit.levels > 1 and (not unit.ordered or unit.levels <= FEW_LEVELS)]
    count = max(1, len(few) * (len(few) - 1) // 2)
    sample = rows[: max(2_000, PAIR_ROWS // count)]
    codes = {i: units[i].codes[sample] for i in few}
    pairs += [
        (i, j)
        for i, j in combinations(few, 2)
        if cramers_v(codes[i], codes[j], (units[i].levels, units[j].levels)) > NEAR_DUPLICATE
    ]
    return pairs


def _declared(label: str, names: Sequence[str], columns: Sequence[Coded]) -> Block:
    members = [column for column in columns if column.name in names]
    bins = max(2, int(JOINED_LEVELS ** (1 / len(members))))
    parts = [replace(part, codes=quantile_bins(part, bins).astype(np.int32), levels=bins) for part in members]
    return Block(tuple(sorted(names)), joined(label, parts), label=label)


def _one_hot_sets(columns: Sequence[Coded], rows: NDArray[np.int64]) -> list[tuple[str, ...]]:
    """Sets of columns by prefix, the shortest first: 'race' is one variable before 'race_white' is."""
    binary = [column for column in columns if column.ordered and column.levels == 2 and column.missing is None]
    by_prefix: dict[str, list[Coded]] = {}
    for column in binary:
        for cut in (place for place, sign in enumerate(column.name) if place and sign in "_="):
            by_prefix.setdefault(column.name[:cut], []).append(column)
    found: list[tuple[str, ...]] = []
    taken: set[str] = set()
    for prefix in sorted(by_prefix, key=lambda prefix: (len(prefix), prefix)):
        some = [column for column in by_prefix[prefix] if column.name not in taken]
        if len(some) >= 2 and _one_set(np.stack([column.codes[rows] for column in some])):
            found.append(tuple(column.name for column in some))
            taken.update(found[-1])
    return found


def _one_set(columns: NDArray[np.int32]) -> bool:
    """Never two set in a row, in more rows than chance would explain; none set where a level was dropped."""
    together = columns.sum(axis=0)
    if together.max(initial=0) != 1:
        return False
    shares = columns.mean(axis=1)
    meetings = columns.shape[1] * (shares.sum() ** 2 - (shares**2).sum()) / 2
    return bool(together.mean() > 0.5 or meetings >= MEETINGS)


def _midranks(codes: NDArray[np.int32], levels: int) -> NDArray[np.float32]:
    counts = np.bincount(codes, minlength=levels)
    return (np.cumsum(counts) - counts / 2)[codes].astype(np.float32)


def _connected(size: int, pairs: Sequence[tuple[int, int]]) -> list[list[int]]:
    parent = list(range(size))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in pairs:
        parent[max(root(i), root(j))] = min(root(i), root(j))
    together: dict[int, list[int]] = {}
    for i in range(size):
        together.setdefault(root(i), []).append(i)
    return list(together.values())
