"""Pictures with one row of columns each; how they come out of a file belongs to images."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.card import DatasetCard
from evenhand.datasets.errors import BadImages, TooLarge, WrongLength
from evenhand.datasets.pixels import Size, taken
from evenhand.datasets.resize import all_stretched
from evenhand.datasets.table import Table

MAX_SIDE = 4_096
"""Pixels of the longer side."""
MAX_BYTES = 2 * 1024**3
"""Bytes of all pictures of an archive, unpacked."""
MAX_FOLDER_BYTES = 32 * 1024**3
"""Bytes of all pictures of a folder, unpacked; most of them lie in a temporary file, see pixels."""


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Pictures of one size as uint8 (n, height, width, channels), channels 1 (grey) or 3 (red, green, blue).

    Raises (on construction):
        BadImages: another shape or type. WrongLength: the table has more or fewer rows than there are pictures.
    """

    name: str
    images: NDArray[np.uint8]
    table: Table
    card: DatasetCard | None
    sha256: str

    def __post_init__(self) -> None:
        check_images(self.images, self.name)
        if self.table.rows != len(self.images):
            raise WrongLength("images", len(self.images), self.table.rows, source=self.name)

    @property
    def rows(self) -> int:
        """Number of pictures."""
        return len(self.images)

    def take(self, rows: NDArray[np.integer[Any]]) -> "ImageSet":
        """These pictures, in this order."""
        return replace(self, images=taken(self.images, rows, self.name), table=self.table.take(rows))

    def resized(self, size: Size) -> "ImageSet":
        """Every picture brought to this width and height, as resize says.

        Raises:
            TooLarge: they would have more than MAX_BYTES.
        """
        made = self.rows * size[0] * size[1] * self.images.shape[3]
        if made > MAX_BYTES:
            raise TooLarge(self.name, f"bytes of pixels at {size[0]} x {size[1]}", made, MAX_BYTES)
        return replace(self, images=all_stretched(self.images, size))


def check_images(images: NDArray[Any], source: str) -> None:
    """Refuse an array that is not uint8 of shape (n, height, width, 1 or 3).

    Raises:
        BadImages: what is wrong, and how to mend it.
    """
    wanted = "Wanted is uint8 of shape (n, height, width, channels) with 1 or 3 channels"
    found = f"the array 'images' is {images.dtype} of shape {images.shape}"
    if images.ndim == 3:
        raise BadImages(source, found, f"{wanted}. For grey pictures add the channel: images[..., None].")
    if images.ndim != 4 or 0 in images.shape:
        raise BadImages(source, found, f"{wanted}.")
    if images.shape[3] not in (1, 3):
        hint = " Move the channels to the end: images.transpose(0, 2, 3, 1)." if images.shape[1] in (1, 3) else ""
        raise BadImages(source, found, f"{wanted}.{hint}")
    if images.dtype != np.uint8:
        hint = (
            " If values lie in 0..1: (images * 255).round().astype('uint8')."
            if np.issubdtype(images.dtype, np.floating)
            else ""
        )
        raise BadImages(source, found, f"{wanted}, values 0 to 255.{hint}")
    if max(images.shape[1:3]) > MAX_SIDE:
        raise BadImages(source, found, f"A side may have {MAX_SIDE:,} pixels. Resize the pictures.")
