"""The PNG writer against an independent reader."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from evenhand.auditors.robustness.pictures import data_uri, png


@pytest.mark.parametrize("channels", [1, 3])
def test_png_reads_back_pixel_by_pixel(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (13, 7, channels), dtype=np.uint8)

    with Image.open(io.BytesIO(png(pixels))) as picture:
        read = np.asarray(picture)

    assert np.array_equal(read.reshape(pixels.shape), pixels)


def test_small_pictures_are_enlarged_by_whole_pixels() -> None:
    picture = np.zeros((2, 2, 1), dtype=np.float32)
    picture[0, 1] = 1.0

    content = base64.b64decode(data_uri(picture).partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        read = np.asarray(image)

    assert read.shape == (96, 96)
    assert read[:48, 48:].min() == 255
    assert read[48:].max() == 0
