"""Smaller pictures by averaging whole blocks of pixels, exactly and without a library's choice of filter."""

import numpy as np
from numpy.typing import NDArray


def area_average(images: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """The mean of each block of factor x factor pixels, rounded half up.

    Args:
        images: uint8 (n, height, width, channels); height and width are multiples of factor.
        factor: at least 1.

    Raises:
        ValueError: a side is not a multiple of factor.
    """
    n, height, width, channels = images.shape
    if factor < 1 or height % factor or width % factor:
        raise ValueError(f"pictures of {width} x {height} pixels do not split into blocks of {factor} x {factor}")
    blocks = images.reshape(n, height // factor, factor, width // factor, factor, channels)
    sums = blocks.sum(axis=(2, 4), dtype=np.uint32)
    means: NDArray[np.uint8] = ((2 * sums + factor * factor) // (2 * factor * factor)).astype(np.uint8)
    return means
