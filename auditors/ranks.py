"""Areas under the ROC curve of one score for one split of the rows, with DeLong's variance, by one sort of integers.

What an area is of belongs in `proxies` and `scores`, which also compares many groups at once.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_MAGNITUDE = np.int64(2**63 - 1)
# What is made of so many rows or cells stays in a processor's caches: fresh memory would cost more than the sort.
BLOCK = 2**15


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
    keys &= 1
    positives = np.cumsum(keys, out=keys)
    ends = (np.flatnonzero(last_of_cell[block]) + block.start for block in _blocks(len(keys)))
    n_positive = int(np.count_nonzero(positive))
    return _auc(n_positive, len(keys) - n_positive, ((up_to := positives[end], end + 1 - up_to) for end in ends))


def _codes_above_a_bit(scores: NDArray[np.float64]) -> Ints:
    """Even integers that order as the scores do, and are equal where they are.

    Below 2 a number leaves one of its 64 bits free; larger ones are made so by a power of two, which is exact unless
    the smallest beside them are lost. Then, and with infinities, they are numbered.
    """
    largest = max(float(scores.max(initial=0.0)), -float(scores.min(initial=0.0)))
    if np.isfinite(largest):
        shift = 1 - int(np.frexp(largest)[1]) if largest >= 2 else 0
        codes = np.empty(len(scores), np.int64)
        for block in _blocks(len(scores)):
            small = scores[block] * 2.0**shift
            if not np.array_equal(small * 2.0**-shift, scores[block]):
                break
            np.left_shift(ordered_bits(small), 1, out=codes[block])
        else:
            return codes
    return np.unique(scores, return_inverse=True)[1].astype(np.int64) << 1


def _blocks(length: int) -> Iterator[slice]:
    return (slice(begin, begin + BLOCK) for begin in range(0, length, BLOCK))


def _auc(n_positive: int, n_negative: int, blocks: Iterable[tuple[Ints, Ints]]) -> Auc:
    """From how many of the group, and of the rest, there are up to the end of each cell."""
    if min(n_positive, n_negative) < 2:
        return Auc(0.5, 0.5)
    wins = of_positives = of_negatives = before = others_before = 0.0
    for ends, others_ends in blocks:
        if not len(ends):
            continue
        up_to, others_up_to = ends.astype(np.float64), others_ends.astype(np.float64)
        positives, negatives = _of_cells(up_to, before), _of_cells(others_up_to, others_before)
        before, others_before = up_to[-1], others_up_to[-1]
        # the rest below each cell, a tie counting half: multiples of a half, and so is the sum
        others_up_to -= negatives / 2
        wins += float(positives @ others_up_to)
        up_to -= positives / 2
        # moments about a half, from which those about the area follow
        of_positives += float(positives @ _square_off(others_up_to, n_negative))
        of_negatives += float(negatives @ _square_off(up_to, n_positive))
    area = wins / (n_positive * n_negative)
    off = (area - 0.5) ** 2
    variance = max(0.0, of_positives - n_positive * off) / (n_positive - 1) / n_positive
    variance += max(0.0, of_negatives - n_negative * off) / (n_negative - 1) / n_negative
    return Auc(area, max(float(np.sqrt(variance)), 0.5 / min(n_positive, n_negative)))


def _of_cells(up_to: NDArray[np.float64], before: float) -> NDArray[np.float64]:
    counts = up_to.copy()
    counts[1:] -= up_to[:-1]
    counts[0] -= before
    return counts


def _square_off(ranks: NDArray[np.float64], of: int) -> NDArray[np.float64]:
    ranks /= of
    ranks -= 0.5
    return np.square(ranks, out=ranks)
