"""Natural corruptions of pictures at five severities. Whom they hurt is measured in `corrupted`.

Severities are those of Hendrycks and Dietterich (2019): of CIFAR-10-C for pictures of up to 32 pixels, of Tiny ImageNet-C
up to 64, of ImageNet-C above, there with blurs as wide in proportion as at 224 pixels. Occlusion is ours.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.noise import normal, sample_keys, uniform
from evenhand.auditors.robustness.pictures import to_pixels

SEVERITIES = 5

Keys = NDArray[np.uint64]
Change = Callable[[Pictures, float, Keys], Pictures]
"""(clean pictures, parameter, one key of noise each) to pictures, which may leave [0, 1]."""


@dataclass(frozen=True)
class Corruption:
    """One way in which pictures get worse.

    Attributes:
        parameter: what the values of the severities are, with their unit.
        small, medium, large: value by severity for pictures whose shorter side is up to 32, up to 64, and longer.
        reference_side: shorter side that `large` was stated for, where it is a width in pixels.
    """

    name: str
    parameter: str
    change: Change
    small: tuple[float, ...]
    medium: tuple[float, ...]
    large: tuple[float, ...]
    reference_side: int | None = None

    def values(self, shape: tuple[int, ...]) -> list[float]:
        """The value of each severity for pictures of this shape (height, width, channels)."""
        side = min(shape[:2])
        size = 0 if side <= 32 else 1 if side <= 64 else 2
        stated = (self.small, self.medium, self.large)[size]
        times = side / self.reference_side if self.reference_side and size == 2 else 1.0
        return [round(value * times, 6) for value in stated]


def corrupt(clean: Pictures, corruption: Corruption, *, severity: int, seed: int, ids: NDArray[np.int64]) -> Pictures:
    """Pictures as they would be stored after the corruption: in [0, 1], in steps of 1/255.

    Args:
        clean: (n, height, width, channels) in [0, 1].
        corruption: one of `CORRUPTIONS`.
        severity: 1 to 5.
        seed: of the noise, with `ids`: neither batch nor order changes a picture's; severities share it.
        ids: sample ids, (n,).
    """
    keys = sample_keys(seed, ids, "corruption", corruption.name)
    changed = corruption.change(clean, corruption.values(clean.shape[1:])[severity - 1], keys)
    return to_pixels(changed).astype(np.float32) / np.float32(255)


def _gaussian_noise(clean: Pictures, deviation: float, keys: Keys) -> Pictures:
    noise = normal(keys, clean[0].size).reshape(clean.shape)
    return clean + np.float32(deviation) * noise


def _shot_noise(clean: Pictures, photons: float, keys: Keys) -> Pictures:
    counts = [
        np.random.Generator(np.random.Philox(key=int(key))).poisson(photons * picture.astype(np.float64))
        for picture, key in zip(clean, keys, strict=True)
    ]
    return np.asarray(np.array(counts) / photons, dtype=np.float32)


def _blur(clean: Pictures, width: float, _: Keys) -> Pictures:
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(clean, sigma=(0, width, width, 0), mode="nearest"), dtype=np.float32)


def _contrast(clean: Pictures, share: float, _: Keys) -> Pictures:
    means = clean.mean(axis=(1, 2), keepdims=True)
    return np.asarray((clean - means) * np.float32(share) + means, dtype=np.float32)


def _brightness(clean: Pictures, added: float, _: Keys) -> Pictures:
    """More of V of hue, saturation and value: every channel grows by the same factor; black becomes grey."""
    value = clean.max(axis=3, keepdims=True)
    brighter = np.minimum(value + np.float32(added), 1)
    factor = np.divide(brighter, value, out=np.zeros_like(value), where=value > 0)
    return np.asarray(np.where(value > 0, clean * factor, brighter), dtype=np.float32)


def _jpeg(clean: Pictures, quality: float, _: Keys) -> Pictures:
    pixels = to_pixels(clean)
    if pixels.shape[3] == 3:
        return np.stack([_through_jpeg(picture, int(quality)) for picture in pixels])
    planes = [
        np.stack([_through_jpeg(picture[..., channel], int(quality)) for channel in range(picture.shape[2])], axis=-1)
        for picture in pixels
    ]
    return np.stack(planes)


def _through_jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.float32]:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as read:
        return np.asarray(read, dtype=np.float32) / np.float32(255)


def _occlusion(clean: Pictures, share: float, keys: Keys) -> Pictures:
    """A grey rectangle of the picture's own proportions, at a random place wholly inside."""
    _, height, width, _ = clean.shape
    tall, wide = (max(1, round(side * share**0.5)) for side in (height, width))
    places = uniform(keys, 2)
    covered = clean.copy()
    for picture, (down, right) in zip(covered, places, strict=True):
        top, left = int(down * (height - tall + 1)), int(right * (width - wide + 1))
        picture[top : top + tall, left : left + wide] = 0.5
    return covered


_HALF = (0.1, 0.2, 0.3, 0.4, 0.5)
_FADED = (0.4, 0.3, 0.2, 0.1, 0.05)
_COVERED = (0.02, 0.05, 0.10, 0.20, 0.30)

CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption(
        "gaussian_noise",
        "standard deviation of the noise, of the whole range",
        _gaussian_noise,
        small=(0.04, 0.06, 0.08, 0.09, 0.10),
        medium=(0.04, 0.08, 0.12, 0.15, 0.18),
        large=(0.08, 0.12, 0.18, 0.26, 0.38),
    ),
    Corruption(
        "shot_noise",
        "photons counted at full brightness",
        _shot_noise,
        small=(500, 250, 100, 75, 50),
        medium=(250, 100, 50, 30, 15),
        large=(60, 25, 12, 5, 3),
    ),
    Corruption(
        "gaussian_blur",
        "standard deviation of the blur, in pixels",
        _blur,
        small=(0.4, 0.6, 0.7, 0.8, 1.0),
        medium=(0.5, 0.75, 1.0, 1.25, 1.5),
        large=(1, 2, 3, 4, 6),
        reference_side=224,
    ),
    Corruption(
        "contrast",
        "share of the contrast that is left",
        _contrast,
        small=(0.75, 0.5, 0.4, 0.3, 0.15),
        medium=_FADED,
        large=_FADED,
    ),
    Corruption(
        "brightness",
        "added to the brightness, of the whole range",
        _brightness,
        small=(0.05, 0.1, 0.15, 0.2, 0.3),
        medium=_HALF,
        large=_HALF,
    ),
    Corruption(
        "jpeg",
        "quality of the JPEG, of 100",
        _jpeg,
        small=(80, 65, 58, 50, 40),
        medium=(65, 58, 50, 40, 25),
        large=(25, 18, 15, 10, 7),
    ),
    Corruption(
        "occlusion",
        "share of the picture that is covered in grey",
        _occlusion,
        small=_COVERED,
        medium=_COVERED,
        large=_COVERED,
    ),
)
