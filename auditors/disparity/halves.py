"""The division of rows at random into a half that is searched and a half that confirms.

Rows of one kind (the same groups, label and prediction) are alike, so their halves are drawn as counts: the result is
that of shuffling rows, and the same whether they are in memory or were only counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counting.histogram import Column, joint_histogram, joint_sums
from evenhand.auditors.counts import Attribute

MOST_DENSE_CELLS = 2**22
"""Beyond it kinds are sorted, not counted in a table of all that could be."""

MOST_DRAWN_TOGETHER = 1_000_000_000
"""numpy draws the multivariate hypergeometric below it. From there each row is drawn by itself."""

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Halves:
    """Kinds of rows, or single rows, and how many of each lie in which half; all arrays of shape (m,).

    Attributes:
        attributes: sensitive columns as codes.
        cell: label and prediction as two bits.
        search, confirm: rows of each half.
        weight: of each row, where entries are single rows; None counts every row once.
        left_out: rows of neither half.
    """

    attributes: tuple[Attribute, ...]
    cell: Counts
    search: Counts
    confirm: Counts
    weight: NDArray[np.float64] | None = None
    left_out: int = 0


def halves_of_kinds(
    attributes: Sequence[Attribute], cell: Counts, *, times: Counts | None, rng: np.random.Generator
) -> Halves:
    """Half of all rows at random, drawn kind by kind in the order of the codes.

    Args:
        times: rows that each entry stands for; None where it is one.
    """
    kinds, values, rows = _kinds(attributes, cell, times)
    total = int(rows.sum())
    if total < MOST_DRAWN_TOGETHER:
        search = rng.multivariate_hypergeometric(rows, total // 2, method="marginals").astype(np.int64)
    else:
        search = rng.binomial(rows, 0.5).astype(np.int64)
    return Halves(kinds, values, search, rows - search)


def _kinds(
    attributes: Sequence[Attribute], cell: Counts, times: Counts | None
) -> tuple[tuple[Attribute, ...], Counts, Counts]:
    """The kinds that occur, each once, and their rows."""
    shape = (*(len(attribute.values) for attribute in attributes), 4)
    cells = int(np.prod(shape, dtype=object))
    columns = [Column(a.name, a.codes, len(a.values)) for a in attributes] + [Column("outcome", cell, 4)]
    if cells <= MOST_DENSE_CELLS:
        table = joint_histogram(columns) if times is None else joint_sums(columns, times)[0].astype(np.int64)
        present = np.flatnonzero(table)
        rows = table.reshape(-1)[present]
        places = np.unravel_index(present, shape)
    else:
        matrix = np.stack([*(a.codes for a in attributes), cell])
        found, inverse = np.unique(matrix, axis=1, return_inverse=True)
        rows = np.bincount(inverse.reshape(-1), times, found.shape[1]).astype(np.int64)
        places = tuple(found[:, rows > 0])
        rows = rows[rows > 0]
    kinds = tuple(replace(a, codes=place.astype(np.int32)) for a, place in zip(attributes, places, strict=False))
    return kinds, places[-1].astype(np.int64), rows


def halves_of_rows(
    attributes: Sequence[Attribute],
    cell: Counts,
    *,
    unit: NDArray[np.integer] | None,
    weight: NDArray[np.float64] | None,
    rng: np.random.Generator,
) -> Halves:
    """Half of the rows; or half of the units with all their rows, and one row of each other unit."""
    rows = len(cell)
    if unit is None:
        search = np.zeros(rows, dtype=np.int64)
        search[rng.permutation(rows)[: rows // 2]] = 1
        return Halves(tuple(attributes), cell, search, 1 - search, weight)
    _, units = np.unique(unit, return_inverse=True)
    count = int(units.max()) + 1 if rows else 0
    in_search = np.zeros(count, dtype=bool)
    in_search[rng.permutation(count)[: count // 2]] = True
    order = rng.permutation(rows)
    _, first = np.unique(units[order], return_index=True)
    one_each = np.zeros(rows, dtype=bool)
    one_each[order[first]] = True
    searched = in_search[units]
    confirm = one_each & ~searched
    left_out = int((~searched).sum() - confirm.sum())
    return Halves(tuple(attributes), cell, searched.astype(np.int64), confirm.astype(np.int64), weight, left_out)
