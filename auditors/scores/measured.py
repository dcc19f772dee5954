"""Metrics of each group with the error behind each, which may differ up and down: what intervals and checks are made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """One metric of k groups; all arrays of shape (k,), NaN where it is undefined.

    With probability as z says, the truth lies above value - bias - bound - z error_down, and below value + bound + z
    error_up.

    Attributes:
        value: the estimate.
        error_down, error_up: standard errors for the lower and the upper bound.
        bias: how much chance alone adds to the estimate at most; 0 for most metrics.
        low, high: the range of values.
        reasons: why a group's value is undefined, by index.
        bound: how far the value can lie from that of scores that were not put into bins; None where it is exact.
    """

    value: Floats
    error_down: Floats
    error_up: Floats
    bias: Floats
    low: float
    high: float
    reasons: dict[int, str]
    bound: Floats | None = None

    @property
    def doubt(self) -> Floats:
        """The bound, 0 where the value is exact."""
        return np.zeros_like(self.value) if self.bound is None else self.bound

    def bounds(self, z: float) -> tuple[Floats, Floats]:
        """Lower and upper bounds, within the range."""
        return (
            np.maximum(self.value - self.bias - self.doubt - z * self.error_down, self.low),
            np.minimum(self.value + self.doubt + z * self.error_up, self.high),
        )


def even(
    value: Floats, error: Floats, *, low: float, high: float, reasons: dict[int, str], bound: Floats | None = None
) -> Measured:
    """A metric without bias whose error is the same up and down."""
    return Measured(value, error, error, np.zeros_like(value), low, high, reasons, bound)
