"""Areas under the ROC curve of one score for one split of the rows, with DeLong's variance, by one sort of integers.

What an area is of belongs in `proxies` and `scores`, which also compares many groups at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MAGNITUDE = np.int64(2**63 - 1)
# What is made of so many cells stays in a processor's second cache: fresh memory would cost more than the sort.
BLOCK_CELLS = 2**14


@dataclass(frozen=True)
class Auc:
    """An area and its standard error; .5 and nan-free where nothing can be ranked."""

    area: float
    error: float

    @property
    def strength(self) -> float:
        """.2 tells the groups apart as well as .8."""
        return max(self.area, 1 - self.area)


def ordered_bits(scores: NDArray[np.float64]) -> Ints:
    """Integers that order as the finite scores do, both zeros alike; shape as scores."""
    bits: Ints = (scores + 0.0).view(np.int64)  # + 0.0 makes one zero of two
    below_zero = bits >> 63
    below_zero &= _MAGNITUDE
    bits ^= below_zero
    return bits


def auc_from_counts(positives: Ints, negatives: Ints) -> Auc:
    """Exact AUC of a score with ties.

    Args:
        positives: rows of the group in each cell, shape (cells,), cells in rising order of the score.
        negatives: rows of the rest in each cell.

    Returns:
        The chance that a row of the group scores higher than one of the rest (a tie counts half), with DeLong's
        standard error. The error is at least half a row of the smaller side: DeLong's is 0 where the groups are
        separated.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44(3); by midranks, Sun and Xu (2014).
    """
    up_to, others_up_to = np.cumsum(positives), np.cumsum(negatives)
    blocks = ((up_to[block], others_up_to[block]) for block in _blocks(len(up_to)))
    return _auc(int(positives.sum()), int(negatives.sum()), blocks)


def auc_of_scores(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Auc:
    """AUC of scores without NaN, shape (n,), for a mask of shape (n,): `auc_from_counts` with a cell for each score.

    Sorts integers that carry the group in their last bit: several times faster than sorting positions by score.
    """
    keys = _codes_above_a_bit(scores)
    keys |= positive
    keys.sort()
    # unsigned, for numbers on the two sides of zero differ in the sign
    last_of_cell = np.append((keys[1:] ^ keys[:-1]).view(np.uint64) > 1, True)[: len(keys)]
    ends = np.flatnonzero(last_of_cell)
    keys &= 1
    positives = np.cumsum(keys, out=keys)
    blocks = ((up_to := positives[ends[block]], ends[block] + 1 - up_to) for block in _blocks(len(ends)))
    n_positive = int(np.count_nonzero(positive))
    return _auc(n_positive, len(keys) - n_positive, blocks)


def _codes_above_a_bit(scores: NDArray[np.float64]) -> Ints:
    """Even integers that order as the scores do, and are equal where they are.

    Below 2 a number leaves one of its 64 bits free; larger ones are made so by a power of two, which is exact unless
    the smallest beside them are lost. Then, and with infinities, they are numbered.
    """
    largest = max(float(scores.max(initial=0.0)), -float(scores.min(initial=0.0)))
    small = scores if largest < 2 else _below_two(scores, largest)
    if small is None:
        return np.unique(scores, return_inverse=True)[1].astype(np.int64) << 1
    codes = ordered_bits(small)
    codes <<= 1
    return codes


def _below_two(scores: NDArray[np.float64], largest: float) -> NDArray[np.float64] | None:
    if not np.isfinite(largest):
        return None
    exponent = int(np.frexp(largest)[1])
    scaled: NDArray[np.float64] = scores * 2.0 ** (1 - exponent)
    return scaled if np.array_equal(scaled * 2.0 ** (exponent - 1), scores) else None


def _blocks(cells: int) -> Iterator[slice]:
    return (slice(begin, begin + BLOCK_CELLS) for begin in range(0, cells, BLOCK_CELLS))


def _auc(n_positive: int, n_negative: int, blocks: Iterable[tuple[Ints, Ints]]) -> Auc:
    """From how many of the group, and of the rest, there are up to the end of each cell."""
    if min(n_positive, n_negative) < 2:
        return Auc(0.5, 0.5)
    wins, of_positives, of_negatives = 0, 0.0, 0.0
    before = others_before = 0
    for up_to, others_up_to in blocks:
        positives = np.diff(up_to, prepend=before).astype(np.float64)
        negatives = np.diff(others_up_to, prepend=others_before).astype(np.float64)
        before, others_before = up_to[-1], others_up_to[-1]
        # twice the rest below each cell, a tie counting half: whole numbers, and so is the sum
        beaten = 2 * others_up_to - negatives
        wins += int(positives @ beaten)
        # moments about a half, from which those about the area follow
        beaten /= 2 * n_negative
        beaten -= 0.5
        beating = (up_to - positives / 2) / n_positive
        beating -= 0.5
        of_positives += float(positives @ np.square(beaten, out=beaten))
        of_negatives += float(negatives @ np.square(beating, out=beating))
    area = wins / (2 * n_positive * n_negative)
    off = (area - 0.5) ** 2
    variance = max(0.0, of_positives - n_positive * off) / (n_positive - 1) / n_positive
    variance += max(0.0, of_negatives - n_negative * off) / (n_negative - 1) / n_negative
    return Auc(area, max(float(np.sqrt(variance)), 0.5 / min(n_positive, n_negative)))
