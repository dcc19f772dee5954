"""Numbers as colours: maps, kernels and montages as pictures (height, width, 3) in [0, 1]."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.pictures import data_uri

Map = NDArray[np.float64]
"""Shape (height, width)."""

_HEAT = np.array([(13, 16, 45), (106, 30, 110), (214, 74, 70), (252, 178, 60), (252, 255, 224)]) / 255
_SIGNED = np.array([(84, 39, 136), (153, 142, 195), (247, 247, 247), (241, 163, 64), (179, 88, 6)]) / 255
_GAP = 0.85


def heat(values: Map, *, top: float | None = None) -> NDArray[np.float32]:
    """0 dark, `top` (default: the largest) light."""
    largest = top if top is not None else float(values.max())
    return _ramp(values / (largest or 1.0), _HEAT)


def signed(values: Map, *, top: float) -> NDArray[np.float32]:
    """Orange where positive, purple where negative, white at 0; full colour from size `top` on."""
    return _ramp(0.5 + values / (2 * (top or 1.0)), _SIGNED)


def _ramp(share: Map, anchors: NDArray[np.float64]) -> NDArray[np.float32]:
    at = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(share, at, anchors[:, channel]) for channel in range(3)], axis=2).astype(np.float32)


def full_contrast(picture: NDArray[np.floating]) -> NDArray[np.float32]:
    """The smallest value 0, the largest 1."""
    low, high = float(picture.min()), float(picture.max())
    return ((picture - low) / (high - low or 1.0)).astype(np.float32)


def about_zero(slice_: NDArray[np.floating]) -> NDArray[np.float32]:
    """One slice (height, width) in grey: 0 is middle grey, the largest size black or white."""
    largest = float(np.abs(slice_).max()) or 1.0
    return (0.5 + slice_ / (2 * largest))[:, :, None].astype(np.float32)


def montage(tiles: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Tiles of one size in a square of rows, with a light line of one pixel between them."""
    columns = int(np.ceil(np.sqrt(len(tiles))))
    rows = -(-len(tiles) // columns)
    height, width, channels = tiles[0].shape
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), _GAP, dtype=np.float32)
    for index, tile in enumerate(tiles):
        top, left = index // columns * (height + 1), index % columns * (width + 1)
        sheet[top : top + height, left : left + width] = tile
    return sheet


def shown(picture: NDArray[np.float32], alt: str, *, large: bool = False) -> dict[str, str]:
    """A picture of a panel: `src`, `alt`, and whether it needs more room."""
    picture = picture if picture.shape[2] in (1, 3) else picture.mean(axis=2, keepdims=True)
    return {"src": data_uri(picture), "alt": alt} | ({"size": "large"} if large else {})
