"""One picture by stated rules: modes, bits, direction, frames, size; and damage of every kind is one named error."""

import io

import numpy as np
import pytest
from PIL import Image

from evenhand.datasets.decoding import decoded
from evenhand.datasets.errors import CorruptPicture, DatasetError
from evenhand.datasets.resize import all_stretched, area_average, stretched


def stored(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def read(content: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    return decoded(content, "a.png", "set", size=size)


def test_sixteen_bits_keep_their_upper_eight() -> None:
    """A library's own conversion cuts everything above 255 to white."""
    deep = Image.fromarray(np.array([[0, 255, 256, 0x80FF, 0xFFFF]], np.uint16))

    assert read(stored(deep))[0, :, 0].tolist() == [0, 0, 1, 0x80, 0xFF]


def test_palette_becomes_its_colours() -> None:
    red = Image.new("RGB", (2, 2), (250, 0, 0)).convert("P", palette=Image.Palette.ADAPTIVE)

    assert read(stored(red))[0, 0].tolist() == [250, 0, 0]


def test_transparent_entry_of_a_palette_is_white() -> None:
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([10, 20, 30])

    assert read(stored(palette, transparency=0))[0, 0].tolist() == [255, 255, 255]


def test_black_and_white_is_grey() -> None:
    assert read(stored(Image.new("1", (1, 1), 1))).tolist() == [[[255]]]


def test_cmyk_becomes_red_green_and_blue() -> None:
    """No cyan, full magenta and yellow, no black: red."""
    found = read(stored(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))

    assert found.shape == (8, 8, 3)
    assert found[4, 4, 0] > 240
    assert found[4, 4, 1:].max() < 15


def test_picture_is_turned_upright() -> None:
    """Orientation 6: the camera was turned; the stored left edge is the top of the picture."""
    lying = Image.fromarray(np.array([[[1, 1, 1], [2, 2, 2], [3, 3, 3]]], np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6

    assert read(stored(lying, exif=exif))[:, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animated_picture_is_refused_with_its_frames(kind: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]
    content = stored(frames[0], kind, save_all=True, append_images=frames[1:])

    with pytest.raises(CorruptPicture, match="it is animated, 3 frames long"):
        read(content)


def test_other_formats_are_refused_with_the_known_ones() -> None:
    with pytest.raises(CorruptPicture, match="PNG, JPEG, WebP and BMP are read"):
        read(stored(Image.new("RGB", (4, 4)), "GIF"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_damaged_picture_is_read_or_is_one_named_error(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    options = {} if kind == "BMP" else {"exif": exif}
    whole = stored(Image.effect_noise((24, 24), 90).convert("RGB"), kind, **options)
    rng = np.random.default_rng(0)
    for _ in range(150):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(len(damaged), size=6)] = rng.integers(256, size=6)
        try:
            found = read(damaged.tobytes()[: rng.integers(20, len(whole) + 1)])
        except DatasetError:
            continue
        assert found.dtype == np.uint8


def test_smaller_picture_is_the_mean_over_areas() -> None:
    """By hand: 0, 30, 90 over two pixels: (0 + 30 / 2) / 1.5 = 10 and (30 / 2 + 90) / 1.5 = 70."""
    thin = Image.fromarray(np.array([[0, 30, 90]], np.uint8))

    assert read(stored(thin), size=(2, 1))[0, :, 0].tolist() == [10, 70]


def test_larger_picture_is_the_mean_over_areas_too_and_other_proportions_are_stretched() -> None:
    two = np.array([0, 200], np.uint8).reshape(1, 1, 2, 1)

    assert all_stretched(two, (4, 2))[0, :, :, 0].tolist() == [[0, 0, 200, 200]] * 2
    assert all_stretched(two, (3, 1))[0, :, :, 0].tolist() == [[0, 100, 200]]


def test_whole_blocks_are_averaged_as_by_area_average() -> None:
    images = np.random.default_rng(1).integers(256, size=(3, 12, 8, 3)).astype(np.uint8)

    np.testing.assert_array_equal(all_stretched(images, (2, 3)), area_average(images, 4))


def test_largest_picture_is_summed_without_rounding() -> None:
    """All pixels are 255, so every mean is; 255 * 4096 * 4095 parts are far below 2 ** 53."""
    white = np.full((4096, 4095, 1), 255, np.uint8)

    assert set(stretched(white, (7, 3)).ravel().tolist()) == {255}


def test_pictures_of_the_size_asked_for_are_left_alone() -> None:
    images = np.random.default_rng(0).integers(256, size=(2, 5, 4, 3)).astype(np.uint8)

    assert all_stretched(images, (4, 5)) is images
