"""Areas of all pairs of groups from a histogram of 4,096 bins, each with a certified bound of its error.

Two histograms over the same bins add, so that chunks, processes and machines can share the counting. Exact areas belong
in `areas`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.scores.areas import Areas

Floats = NDArray[np.float64]

BINS = 4_096
FINE_BITS = 16
SAMPLE = 8_192
"""Rows that say how small the small scores are."""

_MAGNITUDE = np.int32(2**31 - 1)


@dataclass(frozen=True)
class ScoreBins:
    """Bins of about equal mass, cut on the top bits of the floats.

    Equal widths would put skewed scores into a few bins; bits and mass do not.

    Attributes:
        floor, shift, offset: how a float's upper half becomes one of 65,536 fine keys.
        bin_of_key: shape (keys,), rising.
    """

    floor: np.int32
    shift: int
    offset: np.int32
    bin_of_key: NDArray[np.uint16]

    def of(self, scores: Floats) -> NDArray[np.uint16]:
        """The bin of each score; shape as scores."""
        keys = _keys(scores, self.floor, self.shift, self.offset)
        found: NDArray[np.uint16] = self.bin_of_key[np.clip(keys, 0, len(self.bin_of_key) - 1, out=keys)]
        return found


def _keys(scores: Floats, floor: np.int32, shift: int, offset: np.int32) -> NDArray[np.int32]:
    upper = _upper(scores)
    distance = upper & _MAGNITUDE
    distance -= floor
    np.maximum(distance, 0, out=distance)
    if offset:
        np.negative(distance, out=distance, where=upper < 0)
    distance >>= np.int32(shift)
    distance += offset
    return distance


def _upper(scores: Floats) -> NDArray[np.int32]:
    """Sign, exponent and 20 bits of the mantissa."""
    words = np.ascontiguousarray(scores, dtype="<f8").view("<i4")[1::2]
    return words.astype(np.int32, copy=False)


def cut_bins(scores: Floats, *, bins: int = BINS) -> ScoreBins:
    """Bins for these scores, or for all of which these are a sample: any score has a bin, whatever its mass.

    Args:
        scores: finite, at least one.
    """
    upper = _upper(scores)
    top = int(np.max(upper & _MAGNITUDE))
    sampled = np.sort(upper[:: max(len(upper) // SAMPLE, 1)] & _MAGNITUDE)
    low = sampled[np.searchsorted(sampled, 0, side="right") :]  # zeros have a bin in any case
    floor = np.int32(max(int(low[len(low) // BINS]) - 1, 0) if len(low) else top)
    signed = bool((upper < 0).any())
    width = (top - int(floor)).bit_length() + signed
    shift = max(width - FINE_BITS, 0)
    offset = np.int32(((top - int(floor)) >> shift) + 1 if signed else 0)
    keys = _keys(scores, floor, shift, offset)
    counts = np.bincount(keys, minlength=int(offset) + ((top - int(floor)) >> shift) + 1)
    middle = np.cumsum(counts) - counts / 2
    return ScoreBins(floor, shift, offset, np.minimum(middle * bins / len(scores), bins - 1).astype(np.uint16))


@dataclass(frozen=True)
class ScoreHistogram:
    """Rows by bin, group and label; histograms over the same bins add.

    Attributes:
        rows: shape (bins, k, 2), label 1 being positive.
    """

    rows: NDArray[np.int64]

    def __add__(self, other: "ScoreHistogram") -> "ScoreHistogram":
        return ScoreHistogram(self.rows + other.rows)

    def areas(self) -> Areas:
        """All areas, a tie within a bin counting half, and the most that each can be wrong by.

        Only pairs within one bin are in doubt, each by a half: sum over bins of P N / (2 P_total N_total).
        """
        negatives, positives = self.rows[:, :, 0].astype(np.float64), self.rows[:, :, 1].astype(np.float64)
        total_positive, total_negative = positives.sum(axis=0), negatives.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            below = (np.cumsum(negatives, axis=0) - negatives / 2) / total_negative
            above = 1 - (np.cumsum(positives, axis=0) - positives / 2) / total_positive
            area = positives.T @ below / total_positive[:, None]
            bound = positives.T @ negatives / (2 * np.outer(total_positive, total_negative))
            # the variance of placements, by their mean square
            of_positives = (positives.T @ below**2 / total_positive[:, None] - area**2) / (total_positive[:, None] - 1)
            of_negatives = (above.T**2 @ negatives / total_negative - area**2) / (total_negative - 1)
            least = 0.5 / np.minimum.outer(np.maximum(total_positive, 1), np.maximum(total_negative, 1))
            error = np.maximum(np.sqrt(np.maximum(of_positives, 0) + np.maximum(of_negatives, 0)), least)
        return Areas(area, error, bound)


def histogram(
    scores: Floats, group: NDArray[np.integer], label: NDArray[np.integer], *, groups: int, bins: ScoreBins
) -> ScoreHistogram:
    """Count rows by bin, group and label in one pass.

    Args:
        scores, group, label: shape (n,); group in 0..groups-1, label 0 or 1.
    """
    cell = bins.of(scores).astype(np.int32)
    cell *= np.int32(2 * groups)
    code = group.astype(np.int32)
    code *= np.int32(2)
    code += label
    cell += code
    size = (int(bins.bin_of_key.max(initial=0)) + 1) * 2 * groups
    return ScoreHistogram(np.bincount(cell, minlength=size).reshape(-1, groups, 2).astype(np.int64))
