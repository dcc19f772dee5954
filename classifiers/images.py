"""Pictures as classifiers take them: (n, height, width, channels), float32 from 0 to 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.errors import WrongInput

ImageShape = tuple[int, int, int]


def checked(images: NDArray[Any], image_shape: ImageShape) -> NDArray[np.float32]:
    """The pictures as contiguous float32, if they fit.

    Raises:
        WrongInput: another size or number of channels, bytes instead of fractions, or values outside 0 to 1.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != image_shape:
        raise WrongInput(expected=f"pictures of {in_words(image_shape)}", got=_found(images))
    if images.dtype.kind != "f":
        raise WrongInput(expected="pictures as fractions from 0 to 1", got=f"values of type {images.dtype}")
    fractions = np.ascontiguousarray(images, dtype=np.float32)
    if fractions.size and not (fractions.min() >= -1e-6 and fractions.max() <= 1 + 1e-6):
        raise WrongInput(expected="pictures with values from 0 to 1", got="values outside, or not a number")
    return fractions


def in_words(image_shape: ImageShape) -> str:
    """(32, 24, 3) as "height 32, width 24, 3 channels"."""
    height, width, channels = image_shape
    return f"height {height}, width {width}, {channels} channel{'' if channels == 1 else 's'}"


def _found(images: NDArray[Any]) -> str:
    if images.ndim != 4:
        return f"an array of shape {images.shape}"
    height, width, channels = images.shape[1:]
    return in_words((height, width, channels))
