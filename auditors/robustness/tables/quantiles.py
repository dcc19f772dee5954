"""Where a value stands in the distribution of its column: the unit in which changes of ordered features are measured."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Distribution:
    """The observed values of a column, sorted and distinct, and the share of rows up to each.

    A position is the share of rows below a value and half of those at it, the mid-distribution function: where many rows
    share a value, leaving it upwards costs as much as leaving it downwards. Source: Parzen (2004), Statistical Science 19(4).
    """

    values: Floats
    upto: Floats

    @classmethod
    def of(cls, column: Floats) -> "Distribution":
        """Of the finite values; at least one is needed."""
        values, counts = np.unique(column[np.isfinite(column)], return_counts=True)
        upto = np.cumsum(counts) / counts.sum()
        return cls(values, upto)

    def position(self, at: Floats) -> Floats:
        """Mid-distribution function, in [0, 1]; NaN where `at` is."""
        shares = np.concatenate([[0.0], self.upto])
        before = shares[np.searchsorted(self.values, at, side="left")]
        after = shares[np.searchsorted(self.values, at, side="right")]
        return np.where(np.isfinite(at), (before + after) / 2, np.nan)

    def quantile(self, share: float) -> float:
        """The smallest observed value that at least this share of the rows does not exceed."""
        return float(self.values[min(int(np.searchsorted(self.upto, share - 1e-12)), len(self.values) - 1)])
