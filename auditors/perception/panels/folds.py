"""Folds and samples of whole units, drawn from hashes, so that they do not depend on the order of rows."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.noise import sample_keys, uniform


def _rank(unit: NDArray[np.int64], seed: int, purpose: str) -> NDArray[np.int64]:
    """A random rank of each unit, shape (units,)."""
    draws = uniform(sample_keys(seed, np.arange(int(unit.max()) + 1), purpose), 1)[:, 0]
    ranks = np.empty(len(draws), dtype=np.int64)
    ranks[np.argsort(draws, kind="stable")] = np.arange(len(draws))
    return ranks


def folds_of(unit: NDArray[np.int64], folds: int, *, seed: int) -> NDArray[np.int64]:
    """Fold of each row, shape (n,); all rows of a unit (codes from 0) are in one fold."""
    return np.asarray(_rank(unit, seed, "fold")[unit] % folds)


def whole_units(unit: NDArray[np.int64], most: int, *, seed: int) -> NDArray[np.int64]:
    """Rows of as many whole units as hold at most `most` rows (at least one unit), in their order."""
    ranks = _rank(unit, seed, "sample")
    sizes = np.bincount(unit, minlength=len(ranks))
    by_rank = np.argsort(ranks, kind="stable")
    taken = np.cumsum(sizes[by_rank]) <= most
    taken[0] = True
    return np.flatnonzero(np.isin(unit, by_rank[taken]))
