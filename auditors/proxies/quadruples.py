"""Parities of four: every quadruple of halved features, by packed bits. Pairs and triples belong in `joint`."""

from collections.abc import Iterable, Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.joint import (
    FAMILY_ALPHA,
    MOST_CANDIDATES,
    Candidate,
    compared_rows,
    expected_parity,
    halved,
    parity_strength,
)

QUADRUPLE_WORDS = 200_000_000
"""64-bit words for all quadruples at most."""

LEAST_ROWS = 2_000
"""Fewer rows than this find nothing among so many quadruples, and are not counted."""

MOST_ROWS = 100_000


def affordable_rows(features: int, groups: int) -> int:
    """Rows on which all quadruples of so many features can be counted; 0 where they are too many."""
    if features < 4:
        return 0
    rows = 64 * (QUADRUPLE_WORDS // (comb(features, 4) * groups))
    return min(MOST_ROWS, rows) if rows >= LEAST_ROWS else 0


def quadruple_candidates(
    cells: Sequence[NDArray[np.uint8]],
    groups: Groups,
    rows: NDArray[np.int64],
    *,
    known: Iterable[tuple[int, ...]] = (),
) -> list[Candidate]:
    """Quadruples whose parity follows the attribute, Bonferroni over all, strongest first.

    A parity of four is invisible in every triple. Quadruples that hold a `known` set are left out, and none is
    counted where `affordable_rows` is 0.
    """
    from scipy.stats import norm

    kept = compared_rows(groups, rows)[: affordable_rows(len(cells), len(groups.tested))]
    if len(kept) < 64:
        return []
    signs = np.stack([halved(codes[kept]) for codes in cells])
    tests = comb(len(cells), 4) * len(groups.tested)
    threshold = float(norm.isf(FAMILY_ALPHA / (2 * tests))) * np.sqrt(len(kept))
    inside = [set(some) for some in known]
    best: dict[tuple[int, ...], float] = {}
    for group in groups.tested:
        of_group = groups.take(kept) == group
        for four in _beyond(signs, of_group, threshold):
            if not any(some <= set(four) for some in inside):
                best[four] = max(best.get(four, 0.0), parity_strength(signs, of_group, four) / threshold)
    found = [Candidate(four, excess) for four, excess in best.items() if excess > 1]
    return sorted(found, key=lambda candidate: -candidate.excess)[:MOST_CANDIDATES]


def _beyond(signs: NDArray[np.bool_], of_group: NDArray[np.bool_], threshold: float) -> list[tuple[int, ...]]:
    n, padding = len(of_group), -len(of_group) % 64
    packed = np.packbits(np.pad(signs, ((0, 0), (0, padding))), axis=1).view(np.uint64)
    target = np.packbits(np.pad(of_group, (0, padding))).view(np.uint64)
    expected = expected_parity(of_group)
    pairs = np.array(list(combinations(range(len(signs)), 2)))
    parities = packed[pairs[:, 0]] ^ packed[pairs[:, 1]]
    found: list[tuple[int, ...]] = []
    for one, two in zip(pairs, parities, strict=True):
        later = int(np.searchsorted(pairs[:, 0], one[1], side="right"))  # pairs of features after both
        if later == len(pairs):
            continue
        free = parities[later:] ^ two
        unexplained = n - 2 * np.bitwise_count(free).sum(axis=1, dtype=np.int64)
        with_group = n - 2 * np.bitwise_count(free ^ target).sum(axis=1, dtype=np.int64)
        excess = np.abs(with_group - unexplained * expected)
        found += [
            (int(one[0]), int(one[1]), *map(int, pairs[later + int(place)]))
            for place in np.flatnonzero(excess > threshold)
        ]
    return found
