"""Pictures for the report: PNG as data URIs, large enough to look at."""

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SHORTEST_SIDE = 96
"""Small pictures are enlarged by whole pixels to about this side."""


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file of a grey (height, width, 1) or colour (height, width, 3) picture.

    Source: W3C Portable Network Graphics, third edition; no filter, zlib at its default level.
    """
    height, width, channels = pixels.shape
    colour_type = {1: 0, 3: 2}[channels]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def to_pixels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture in [0, 1] as 8-bit pixels, both (height, width, channels)."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def data_uri(picture: NDArray[np.float32]) -> str:
    """A picture in [0, 1], (height, width, channels), as a data URI; with other than 1 or 3 channels as grey."""
    pixels = to_pixels(picture)
    if pixels.shape[2] not in (1, 3):
        pixels = pixels.mean(axis=2, keepdims=True).astype(np.uint8)
    times = max(1, round(SHORTEST_SIDE / min(pixels.shape[:2])))
    pixels = pixels.repeat(times, axis=0).repeat(times, axis=1)
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")
