"""How near a changed picture is to the original, in numbers and in words that a person can weigh."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

Picture = NDArray[np.float32]
"""In [0, 1], shape (height, width, channels)."""

LEVELS = 255
"""Steps of a channel in an 8-bit picture."""

WINDOW_RADIUS, WINDOW_WIDTH = 5, 1.5
STABLE_MEAN, STABLE_CONTRAST = 0.01**2, 0.03**2
"""Of SSIM, for the range [0, 1]: Wang et al. (2004), section III B."""


@dataclass(frozen=True)
class Likeness:
    """The size of one change.

    Attributes:
        largest: change of the channel that changes most, in levels of 255 (L-infinity).
        length: root of the summed squared changes of all values, each a fraction of the range (L2).
        changed: share of pixels in which some channel changes by more than a level.
        peak_signal_to_noise: in decibels; infinite without a change.
        structural_similarity: SSIM, 1 where both are the same.
    """

    largest: float
    length: float
    changed: float
    peak_signal_to_noise: float
    structural_similarity: float


def likeness(before: Picture, after: Picture) -> Likeness:
    """All measures of one change; both pictures of one shape."""
    change = after.astype(np.float64) - before
    return Likeness(
        largest=float(np.abs(change).max()) * LEVELS,
        length=float(np.linalg.norm(change)),
        changed=float(np.mean(np.abs(change).max(axis=2) * LEVELS > 1)),
        peak_signal_to_noise=peak_signal_to_noise(before, after),
        structural_similarity=structural_similarity(before, after),
    )


def in_words(found: Likeness) -> str:
    """One line for people, as in 'No channel changes by more than 8.0 of 255 levels; ...'."""
    return (
        f"No channel of any pixel changes by more than {found.largest:.1f} of {LEVELS} levels; "
        f"{round(found.changed * 100)} of 100 pixels change by more than one level. "
        f"Length of the whole change (L2) {found.length:.2f}, PSNR {found.peak_signal_to_noise:.1f} dB, "
        f"SSIM {found.structural_similarity:.3f}."
    )


def peak_signal_to_noise(before: Picture, after: Picture) -> float:
    """10 log10 of the squared range over the mean squared change, in decibels; infinite without a change."""
    error = float(np.square(after.astype(np.float64) - before).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def structural_similarity(before: Picture, after: Picture) -> float:
    """Mean over pixels and channels of SSIM in a Gaussian window of 11 × 11 pixels; 1 where both are the same, at least -1.

    At the edges the pictures are continued by their reflection, so that pictures smaller than the window have a value too.

    Source: Wang, Bovik, Sheikh and Simoncelli (2004), IEEE Transactions on Image Processing 13(4).
    """
    x, y = before.astype(np.float64), after.astype(np.float64)
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    above = (2 * mean_x * mean_y + STABLE_MEAN) * (2 * covariance + STABLE_CONTRAST)
    below = (mean_x**2 + mean_y**2 + STABLE_MEAN) * (variances + STABLE_CONTRAST)
    return float(np.mean(above / below))


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean in the window around each pixel, channel by channel."""
    offsets = np.arange(-WINDOW_RADIUS, WINDOW_RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / WINDOW_WIDTH) ** 2)
    weights /= weights.sum()
    for axis in (0, 1):
        values = correlate1d(values, weights, axis=axis, mode="reflect")
    return values
