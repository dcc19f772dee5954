"""The fixed bins of a score: the same whatever the data, so that histograms of chunks and of engines add and agree.

What lies between 0 and 1 has bins 1/2048 wide in the middle, and ever narrower ones toward both ends: at least 128 for each
halving of the distance to 0 or to 1, down to 1/65,536. Beyond, 512 for each doubling. Every edge is a float64 that
multiplication by a power of two, and 1 - s for s from .5 to 1, give without rounding: numpy and any SQL engine put a score
into the same bin.
"""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOWEST, HIGHEST = -16, 32
"""Exponents of two between which magnitudes have bins; below is one bin, and above is one."""

COARSER = 3
"""Bits that a coarse bin is coarser by: eight bins are one."""


def _bits(exponent: int) -> int:
    """2 to this many bins for the magnitudes from 2^exponent to its double."""
    return min(max(exponent + 11, 7), 9)


@cache
def _first_bins() -> tuple[int, ...]:
    """The first bin of each exponent's magnitudes; after the last one, the bin of all above. Bin 0 is all below."""
    firsts = [1]
    for exponent in range(LOWEST, HIGHEST):
        firsts.append(firsts[-1] + (1 << _bits(exponent)))
    return tuple(firsts)


@cache
def _of_magnitudes() -> tuple[int, int, int]:
    """The bins of the magnitudes 1/2 and 1, and the highest bin."""
    firsts = _first_bins()
    return firsts[-1 - LOWEST], firsts[-LOWEST], firsts[-1]


def bin_count(coarser: int = 0) -> int:
    """Bins that there are, 0..bin_count - 1, rising with the score."""
    half, one, most = _of_magnitudes()
    return ((2 * most + 1 + 2 * half - one) >> coarser) + 1


@cache
def _table() -> NDArray[np.int32]:
    """The bin of a magnitude by its exponent and the first nine bits of its mantissa, from below 2^LOWEST on."""
    parts = [
        first + (np.arange(512, dtype=np.int32) >> (9 - _bits(exponent)))
        for first, exponent in zip(_first_bins(), range(LOWEST, HIGHEST), strict=False)
    ]
    return np.concatenate([[0], *parts, [_first_bins()[-1]]]).astype(np.int32)


@cache
def _table_within() -> NDArray[np.int32]:
    """The bins of scores from 0 to 1 by the same: first of those up to .5, then, by the distance to 1, of the others."""
    half, _, most = _of_magnitudes()
    table = _table()[: 1 + (-LOWEST << 9) + 1]
    return np.concatenate([most + 1 + table, most + 1 + 2 * half - table])


_BLOCK_ROWS = 1 << 15
"""What is made of so many rows stays in a processor's first caches."""


def bins_of(scores: NDArray[np.float64]) -> NDArray[np.int32]:
    """The bin of each score; shape as scores, which are numbers or infinite."""
    found = np.empty(len(scores), np.int32)
    for begin in range(0, len(scores), _BLOCK_ROWS):
        block = scores[begin : begin + _BLOCK_ROWS]
        within = block.min() >= 0 and block.max() <= 1
        found[begin : begin + _BLOCK_ROWS] = (_bins_within if within else _bins_anywhere)(block)
    return found


def _keys(magnitude: NDArray[np.float64]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = magnitude.view(np.int64) >> 43
    keys -= ((1023 + LOWEST) << 9) - 1
    np.maximum(keys, 0, out=keys)
    return keys


def _bins_within(scores: NDArray[np.float64]) -> NDArray[np.int32]:
    upper = scores >= 0.5
    table = _table_within()
    keys = _keys(np.abs(scores - upper))  # 1 - s, of which the sign of a zero is no matter
    keys += upper * np.int64(len(table) // 2)
    bins: NDArray[np.int32] = table[keys]
    return bins


def _bins_anywhere(scores: NDArray[np.float64]) -> NDArray[np.int32]:
    inside, above = (scores >= 0.5) & (scores <= 1), scores > 1
    table = _table()
    found = table[np.minimum(_keys(np.where(inside, 1 - scores, np.abs(scores))), len(table) - 1)]
    half, one, most = _of_magnitudes()
    np.negative(found, out=found, where=inside | (scores < 0))
    found += np.int32(most + 1)
    found += np.int32(2 * half) * inside + np.int32(2 * half - one) * above
    bins: NDArray[np.int32] = found - (scores < 0)
    return bins


def magnitude_of(score: Any) -> Any:
    """Ibis: the score's distance from 0, or from 1 where it lies between .5 and 1; of a column of float64."""
    import ibis

    return ibis.ifelse((score >= 0.5) & (score <= 1), 1 - score, score.abs())


def bin_of_magnitude(score: Any, magnitude: Any) -> Any:
    """Ibis: the bin of each score as int64, the same as `bins_of` gives.

    Args:
        magnitude: `magnitude_of(score)` as a column.
    """
    import ibis

    half, one, most = _of_magnitudes()
    cases = [(magnitude >= 2.0**HIGHEST, ibis.literal(most, "int64"))]
    for exponent, first in reversed(list(zip(range(LOWEST, HIGHEST), _first_bins(), strict=False))):
        scaled = (magnitude * 2.0 ** (_bits(exponent) - exponent)).floor().cast("int64")
        cases.append((magnitude >= 2.0**exponent, scaled + (first - (1 << _bits(exponent)))))
    found = ibis.cases(*cases, else_=ibis.literal(0, "int64"))
    # each kind of score adds its own first bin, with the sign in which its bins rise
    sign = ibis.ifelse((score < 0) | ((score >= 0.5) & (score <= 1)), -1, 1)
    first = ibis.cases(
        (score < 0, most), (score < 0.5, most + 1), (score <= 1, most + 1 + 2 * half), else_=most + 1 + 2 * half - one
    )
    return first + sign * found
