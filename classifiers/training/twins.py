"""Pictures that are nearly another picture: alike in their average hash, and then in their pixels.

All pairs are never formed. Two hashes of 64 bits that differ in at most two of them agree in all of at least three of
five bands, so pictures are looked up by every choice of three bands (multi-index hashing: Norouzi, Punjani, Fleet 2012),
and there by brightness, since pictures cannot be nearer in their pixels than in their means. The answer is that of all pairs.
"""

from collections.abc import Iterator
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

HASH_SIDE, MOST_BITS, MOST_DIFFERENCE = 8, 2, 8.0
"""Sides of the average hash, bits by which it may differ, and the mean difference of pixels (0 to 255) then allowed."""
BANDS = 5
HASHED_AT_ONCE, COMPARED_AT_ONCE, PAIRS_AT_ONCE = 2048, 2048, 1 << 20
ROUNDING = 1e-3
"""How far rounding may move the mean of a picture, generously."""
APART = 1024.0
"""Further than any two means."""


def twins(images: NDArray[np.uint8], of: NDArray[np.int64], among: NDArray[np.int64]) -> NDArray[np.bool_]:
    """For each picture of some, whether another picture among others is nearly equal to it.

    Args:
        images: shape (n, height, width, channels).
        of: which pictures to ask about, shape (m,).
        among: which to look among; a picture is no twin of itself.

    Returns:
        Shape (m,).
    """
    hashes, means = average_hashes(images), _means(images)
    found = np.zeros(len(of), dtype=bool)
    masks = _masks()
    for place, mask in enumerate(masks):
        asked = np.flatnonzero(~found)
        for mine, theirs in _pairs(hashes & mask, means, of[asked], among):
            rows = asked[mine]
            differing = hashes[of[rows]] ^ hashes[theirs]
            kept = (of[rows] != theirs) & (np.bitwise_count(differing) <= MOST_BITS)
            for earlier in masks[:place]:  # such a pair was compared already
                kept &= differing & earlier != 0
            _compare(images, of, rows[kept], theirs[kept], found)
    return found


def _masks() -> list[np.uint64]:
    """Every choice of bands that agree wholly where two hashes differ in MOST_BITS bits."""
    ends = np.linspace(0, HASH_SIDE**2, BANDS + 1).astype(int).tolist()
    bands = [sum(1 << bit for bit in range(first, last)) for first, last in pairwise(ends)]
    return [np.uint64(sum(chosen)) for chosen in combinations(bands, BANDS - MOST_BITS)]


def _pairs(
    keys: NDArray[np.uint64], means: NDArray[np.float64], of: NDArray[np.int64], among: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of equal keys and near means: places in `of`, and pictures among the others. A few at once."""
    known, codes = np.unique(keys[among], return_inverse=True)
    where = codes * APART + means[among]
    order = np.argsort(where, kind="stable")
    where = where[order]
    place = np.searchsorted(known, keys[of])
    is_known = known[np.minimum(place, len(known) - 1)] == keys[of] if len(known) else np.zeros(len(of), dtype=bool)
    mine = np.flatnonzero(is_known)
    centre, width = place[mine] * APART + means[of[mine]], MOST_DIFFERENCE + ROUNDING
    first, last = np.searchsorted(where, centre - width), np.searchsorted(where, centre + width, side="right")
    sizes = last - first
    edges = np.searchsorted(np.cumsum(sizes), np.arange(PAIRS_AT_ONCE, sizes.sum() + PAIRS_AT_ONCE, PAIRS_AT_ONCE))
    start = 0
    for edge in np.unique(np.minimum(edges + 1, len(mine))).tolist():
        some = sizes[start:edge]
        offsets = np.arange(some.sum()) - np.repeat(np.cumsum(some) - some, some)
        yield np.repeat(mine[start:edge], some), among[order[np.repeat(first[start:edge], some) + offsets]]
        start = edge


def _compare(
    images: NDArray[np.uint8],
    of: NDArray[np.int64],
    rows: NDArray[np.int64],
    theirs: NDArray[np.int64],
    found: NDArray[np.bool_],
) -> None:
    """Mark in `found` the rows whose picture is near the other one in its pixels; those marked are not looked at again."""
    for start in range(0, len(rows), COMPARED_AT_ONCE):
        some = slice(start, start + COMPARED_AT_ONCE)
        open_still = ~found[rows[some]]
        mine, others = rows[some][open_still], theirs[some][open_still]
        one, other = images[of[mine]], images[others]
        difference = np.maximum(one, other) - np.minimum(one, other)
        found[mine[difference.mean(axis=(1, 2, 3)) <= MOST_DIFFERENCE]] = True


def _means(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.asarray(images.mean(axis=(1, 2, 3)))


def average_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """A 64-bit number for each picture: grey, averaged to 8 by 8, each place brighter than the mean or not."""
    parts = [_hashed(images[start : start + HASHED_AT_ONCE]) for start in range(0, len(images), HASHED_AT_ONCE)]
    return np.concatenate([np.zeros(0, dtype=np.uint64), *parts])


def _hashed(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    grey = images.mean(axis=3)
    small = _averaged(_averaged(grey, axis=1), axis=2).reshape(len(images), -1)
    bits = small > small.mean(axis=1, keepdims=True)
    places = np.uint64(1) << np.arange(bits.shape[1], dtype=np.uint64)
    return np.asarray((bits * places).sum(axis=1, dtype=np.uint64))


def _averaged(grey: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """Means over up to eight bands of an axis."""
    size = grey.shape[axis]
    starts = np.unique(np.linspace(0, size, HASH_SIDE, endpoint=False).astype(np.int64))
    widths = np.diff([*starts, size])
    shape = [1, 1, 1]
    shape[axis] = len(starts)
    return np.asarray(np.add.reduceat(grey, starts, axis=axis) / widths.reshape(shape))
