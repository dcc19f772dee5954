"""Pictures of another size: each new pixel is the mean of the area it covers, exactly and without a library's filter."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.pixels import Size, room_for


def stretched(image: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """One picture, uint8 (height, width, channels), brought to this width and height, rounded half up.

    The whole picture is kept, nothing is cropped or padded: where the proportions differ it is stretched. Every sum is
    a whole number that float64 holds, so that the result is the same on every machine.
    """
    height, width, channels = image.shape
    if (width, height) == size:
        return image
    rows = _overlaps(height, size[1]) @ image.reshape(height, width * channels).astype(np.float64)
    columns = rows.reshape(size[1], width, channels).transpose(0, 2, 1) @ _overlaps(width, size[0]).T
    sums = columns.transpose(0, 2, 1).astype(np.int64)
    means: NDArray[np.uint8] = ((2 * sums + height * width) // (2 * height * width)).astype(np.uint8)
    return means


def all_stretched(images: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """As stretched, for uint8 (n, height, width, channels)."""
    n, height, width, channels = images.shape
    if (width, height) == size:
        return images
    made = room_for((n, size[1], size[0], channels), "the pictures")
    for i, image in enumerate(images):
        made[i] = stretched(image, size)
    return made


@lru_cache(maxsize=64)
def _overlaps(old: int, new: int) -> NDArray[np.float64]:
    """How much of each old pixel lies in each new one, (new, old), in parts of which a new pixel has `old`."""
    first, i = np.arange(new)[:, None] * old, np.arange(old)[None, :] * new
    overlap = np.minimum(first + old, i + new) - np.maximum(first, i)
    shared: NDArray[np.float64] = np.maximum(overlap, 0).astype(np.float64)
    return shared


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
