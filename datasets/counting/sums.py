"""Sums of float64 by cell without any rounding until the end, so that neither chunks nor their order change a digit."""

from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", np.int64, np.float64)

_MANTISSA_BITS = 53
_LOW_BITS = 26


class ExactSums:
    """For each exponent, whole numbers summed by cell: the upper 27 and the lower 26 bits of the mantissas apart.

    A chunk may hold 2^26 values, and 2^36 in all, before an integer could overflow.
    """

    def __init__(self) -> None:
        self._of_exponent: dict[int, NDArray[np.int64]] = {}

    def add(self, cell: NDArray[np.integer], values: NDArray[np.float64], shape: tuple[int, ...]) -> None:
        """Add finite values, shape (n,), to the cells of a flattened table of this shape."""
        mantissas, exponents = np.frexp(values)
        whole = np.ldexp(mantissas, _MANTISSA_BITS).astype(np.int64)
        cells = int(np.prod(shape))
        for exponent in np.unique(exponents).tolist():
            chosen = exponents == exponent
            where, part = cell[chosen], whole[chosen]
            high, low = part >> _LOW_BITS, part & ((1 << _LOW_BITS) - 1)
            found = np.stack([np.bincount(where, each, cells) for each in (high, low)])  # whole, and below 2^53
            sums = self._of_exponent.setdefault(exponent, np.zeros((2, *shape), np.int64))
            sums += found.astype(np.int64).reshape(2, *shape)

    def grow(self, shape: tuple[int, ...]) -> None:
        """Make room for new levels at the end of each axis."""
        self._of_exponent = {exponent: grown(sums, (2, *shape)) for exponent, sums in self._of_exponent.items()}

    def totals(self, cells: NDArray[np.intp]) -> NDArray[np.float64]:
        """The sums of these cells of the flattened table, each rounded once."""
        totals = [Fraction(0)] * len(cells)
        for exponent, sums in self._of_exponent.items():
            scale = Fraction(2) ** (exponent - _MANTISSA_BITS)
            high, low = (part.reshape(-1)[cells].tolist() for part in sums)
            for i, (upper, lower) in enumerate(zip(high, low, strict=True)):
                if upper or lower:
                    totals[i] += ((upper << _LOW_BITS) + lower) * scale
        return np.array([float(total) for total in totals])


def grown(counts: NDArray[Number], shape: tuple[int, ...]) -> NDArray[Number]:
    """The same counts in a table with more levels at the end of each axis."""
    larger = np.zeros(shape, counts.dtype)
    larger[tuple(slice(size) for size in counts.shape)] = counts
    return larger
