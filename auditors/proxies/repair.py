"""Features without what they say about an attribute: each row takes its values from another row, or keeps its own.

Taking all values of a block from one row keeps near-duplicates, one-hot columns and joint proxies possible together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.columns import Coded, quantile_bins

BINS, JOINT_BINS = 32, 8
"""Cells of a number with missing values, and of each of several columns."""


def donors(columns: Sequence[Coded], groups: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each row the row whose values it takes, shape (n,), so that all groups have the same distribution.

    Args:
        columns: one, or several that are repaired together.
        groups: shape (n,); a row with -1 keeps its values.

    A number goes to the same quantile of the pooled distribution, ties in random order. A category, or several columns
    together by their cells, is kept where the group has too few of it, and else drawn from what the group lacks, so
    that as few rows as possible change.

    Source: Feldman et al. (2015), Certifying and removing disparate impact, KDD; the coupling is the maximal one.
    """
    taken = np.arange(len(groups), dtype=np.int64)
    compared = np.flatnonzero(groups >= 0)
    if len(compared) == 0:
        return taken
    inside = [column.take(compared) for column in columns]
    if len(inside) == 1 and inside[0].ordered and inside[0].missing is None:
        found = _same_quantile(inside[0].codes, groups[compared], rng)
    else:
        found = _from_cells(_cells(inside), groups[compared], rng)
    taken[compared] = compared[found]
    return taken


def _same_quantile(codes: NDArray[np.int32], groups: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int64]:
    tie = rng.random(len(codes))
    pooled = np.lexsort((tie, codes))
    found = np.empty(len(codes), np.int64)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        order = members[np.lexsort((tie[members], codes[members]))]
        places = (np.arange(len(order)) + 0.5) / len(order) * len(codes)
        found[order] = pooled[places.astype(np.int64)]
    return found


def _cells(columns: Sequence[Coded]) -> NDArray[np.int64]:
    """One code for the combination of the columns' values, or of their bins where there are many."""
    joint = np.zeros(len(columns[0].codes), np.int64)
    for column in columns:
        binned = column.ordered or len(columns) > 1
        codes = quantile_bins(column, BINS if len(columns) == 1 else JOINT_BINS) if binned else column.codes
        joint = np.unique(joint * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
    return joint.astype(np.int64)


def _from_cells(cells: NDArray[np.int64], groups: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int64]:
    count = int(cells.max()) + 1
    pooled = np.bincount(cells, minlength=count) / len(cells)
    by_cell = np.argsort(cells, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=count))])
    found = np.arange(len(cells))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        own = np.bincount(cells[members], minlength=count) / len(members)
        keep = np.divide(pooled, own, out=np.ones(count), where=own > 0)
        moved = members[rng.random(len(members)) >= keep[cells[members]]]
        lacking = np.maximum(pooled - own, 0)
        if len(moved) and lacking.sum() > 0:
            into = rng.choice(count, len(moved), p=lacking / lacking.sum())
            sizes = starts[into + 1] - starts[into]
            found[moved] = by_cell[starts[into] + (rng.random(len(moved)) * sizes).astype(np.int64)]
    return found
