"""The one sort: rows in rising order of the score, each with its group and label. What is read off it belongs elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

_SIGN = np.int64(-(2**63))
_MAGNITUDE = np.int64(2**63 - 1)


@dataclass(frozen=True)
class SortedScores:
    """Rows in rising order of the score; equal scores are one step.

    Attributes:
        values: the distinct scores, rising, shape (steps,).
        step: index of each row's score in `values`, rising, shape (n,).
        code: of each row, as given, shape (n,); rows of one step stand in any order.
        weight: of each row, or None.
        order: which row stands in each place, where it was asked for.
    """

    values: Floats
    step: Codes
    code: Codes
    weight: Floats | None = None
    order: NDArray[np.intp] | None = None


@dataclass(frozen=True)
class Packing:
    """Scores as signed integers of few bits, order and equality kept, and the way back.

    Attributes:
        signed: shape (n,), negative where the score is.
        least: the smallest of them.
        width: bits that hold any of them less `least`.
        floor: taken off every magnitude but 0.
    """

    signed: NDArray[np.int64]
    least: np.int64
    width: int
    floor: np.int64

    def unpacked(self, signed: NDArray[np.int64]) -> Floats:
        magnitude = np.where(signed == 0, np.int64(0), np.abs(signed) + self.floor)
        back: Floats = np.where(signed < 0, magnitude | _SIGN, magnitude).view(np.float64)
        return back


def packed(scores: Floats) -> Packing:
    """The bits of finite floats as integers, without the exponents that no score has.

    The distance of bits from the smallest magnitude but 0 keeps order and equality, and takes as many bits as the scores
    span: probabilities above 1e-6 take 57 of 64.
    """
    bits = (scores + 0.0).view(np.int64)  # + 0.0 makes one zero of two
    magnitude = bits & _MAGNITUDE
    floor = magnitude.min(initial=_MAGNITUDE)
    if floor == 0:
        floor = magnitude.min(where=magnitude > 0, initial=_MAGNITUDE)
    floor -= np.int64(1)
    magnitude -= floor
    signed = np.maximum(magnitude, 0, out=magnitude)
    negative = bits < 0
    if negative.any():
        np.negative(signed, where=negative, out=signed)
    least, most = signed.min(initial=0), signed.max(initial=0)
    return Packing(signed, least, (int(most) - int(least)).bit_length(), floor)


def sort_scores(
    scores: Floats, code: Codes, *, codes: int, weight: Floats | None = None, with_order: bool = False
) -> SortedScores:
    """Sort rows by score, exactly.

    Args:
        scores: finite, shape (n,).
        code: what a row is, such as group and label, shape (n,), in 0..codes-1.
        weight: shape (n,), or None.
        with_order: whether the rows' places are wanted.

    Where score and code fit 63 bits together, integers that carry both are sorted, without positions: the usual case,
    and the fastest. Else positions are.
    """
    pack = packed(scores)
    room = max(codes - 1, 1).bit_length()
    order: NDArray[np.intp] | None = None
    if weight is None and not with_order and pack.width + room <= 63:
        keys = ((pack.signed - pack.least) << room) | code
        keys.sort()
        code = (keys & ((1 << room) - 1)).astype(np.int32)
        ordered = (keys >> room) + pack.least
    else:
        order = np.argsort(pack.signed, kind="stable")
        ordered, code = pack.signed[order], code[order].astype(np.int32)
        weight = None if weight is None else weight[order]
    new = np.empty(len(ordered), dtype=np.bool_)
    new[:1] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    step = np.cumsum(new, dtype=np.int32)
    step -= 1
    return SortedScores(pack.unpacked(ordered[new]), step, code, weight, order)
