"""One picture out of its bytes, by stated rules; which pictures make a set belongs to pictures.

A picture is turned upright by its EXIF note. Palettes become colours; what is transparent lies over white; of 16 bits a
sample the upper 8 are taken; CMYK becomes RGB without colour profiles. A picture that has several frames is refused.
"""

import io
import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from evenhand.datasets.errors import CorruptPicture, TooLarge
from evenhand.datasets.imageset import MAX_SIDE
from evenhand.datasets.pixels import Size
from evenhand.datasets.resize import stretched

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_GREY = ("L", "1", "I", "I;16", "I;16L", "I;16B")
_BAD = (
    Image.DecompressionBombError,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    KeyError,
    IndexError,
    TypeError,
    OverflowError,
)
"""What Pillow raises on damaged files, its readers of EXIF notes included."""


def decoded(content: bytes, file: str, source: str, *, size: Size | None = None) -> NDArray[np.uint8]:
    """The picture as uint8, (height, width, 1) where it is grey and (height, width, 3) else.

    Args:
        content: of a PNG, JPEG, WebP or BMP file.
        file, source: what messages call the picture and its set.
        size: width and height that it is brought to, as resize says; its own by default.

    Raises:
        TooLarge: a side is longer than MAX_SIDE; told before the pixels are decoded.
        CorruptPicture: damaged, cut short, animated, or of another format.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, or sizes that the next lines refuse
            with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
                if max(picture.size) > MAX_SIDE:
                    raise TooLarge(f"{source}: {file}", "pixels on a side", max(picture.size), MAX_SIDE)
                _refuse_animated(picture)
                array = _array(_plain(ImageOps.exif_transpose(picture)))
                return array if size is None else stretched(array, size)
    except _BAD as error:
        raise CorruptPicture(source, file, str(error).partition(" <_io")[0] or type(error).__name__) from None


def _refuse_animated(picture: Any) -> None:
    frames = getattr(picture, "n_frames", 1)
    if frames > 1 and picture.format != "MPO":  # a camera's JPEG with a preview; its first picture is the photograph
        raise ValueError(f"it is animated, {frames} frames long, and a picture has one")


def _plain(picture: Any) -> Any:
    """In mode L or RGB."""
    if picture.mode.startswith("I"):
        high_byte = (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255)
        return Image.fromarray(high_byte.astype(np.uint8))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        layers = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers)
    return picture.convert("L" if picture.mode in _GREY else "RGB")


def _array(picture: Any) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array
