"""How far an empirical distribution strays from its own by chance: Brownian bridges along binned distributions."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def bridge(draws: Floats, share: Floats) -> Floats:
    """Deviation of a distribution function in the middle of each bin, times the square root of the rows.

    Args:
        draws: standard normal, shape (d, bins).
        share: of the mass in each bin, shape (bins,), summing to 1.

    Returns:
        Shape (d, bins); in bin b of variance near F(1 - F).

    Source: Donsker (1952), Annals of Mathematical Statistics 23: the limit of a multinomial's running sum.
    """
    steps = draws * np.sqrt(share)
    steps -= steps.sum(axis=1, keepdims=True) * share
    middle: Floats = np.cumsum(steps, axis=1) - steps / 2
    return middle
