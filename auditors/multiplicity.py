"""p-values of many tests at once, adjusted to hold the error of the family or of the list."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values, shape as given: rejecting those at most alpha errs at all with probability at most alpha.

    Source: Holm (1979), Scandinavian Journal of Statistics 6.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * np.arange(count, 0, -1)), 1.0)
    return adjusted


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjusted p-values, shape as given: of those at most q, a share of at most q is expected to be wrong.

    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57.
    """
    count = len(p_values)
    order = np.argsort(-p_values, kind="stable")
    adjusted = np.empty(count)
    scaled = p_values[order] * count / np.arange(count, 0, -1)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return adjusted
