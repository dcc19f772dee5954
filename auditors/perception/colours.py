"""Hue, saturation and value of pictures, and back. Source: Smith (1978), SIGGRAPH, the hexcone model."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def to_hsv(images: NDArray[np.uint8]) -> tuple[Floats, Floats, Floats]:
    """Hue in degrees [0, 360), saturation and value in [0, 1], each (n, height, width), of pictures (..., 3)."""
    red, green, blue = np.moveaxis(images.astype(np.float64) / 255, -1, 0)
    value = np.maximum(np.maximum(red, green), blue)
    chroma = value - np.minimum(np.minimum(red, green), blue)
    safe = np.where(chroma > 0, chroma, 1)
    hue = np.select(
        [value == red, value == green],
        [(green - blue) / safe, 2 + (blue - red) / safe],
        4 + (red - green) / safe,
    )
    hue = np.where(chroma > 0, hue * 60 % 360, 0)
    saturation = np.where(value > 0, chroma / np.where(value > 0, value, 1), 0)
    return hue, saturation, value


def from_hsv(hue: Floats, saturation: Floats, value: Floats) -> NDArray[np.uint8]:
    """Pictures (..., 3), 0 to 255, rounded to the nearest level."""

    def channel(place: int) -> Floats:
        k = (place + hue / 60) % 6
        return np.asarray(value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1))

    return np.rint(255 * np.stack([channel(5), channel(3), channel(1)], axis=-1)).astype(np.uint8)
