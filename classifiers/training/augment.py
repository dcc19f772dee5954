"""Chance changes to pictures while a network learns: mirrored left to right, and shifted by a few pixels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

SHIFT_AT_32 = 3


@dataclass(frozen=True)
class FlipAndShift:
    """Each picture is mirrored with probability one half where `flip` is set, and moved by up to `shift` pixels.

    Pixels that move in from outside repeat the border.
    """

    flip: bool
    shift: int

    def __call__(self, pictures: "torch.Tensor", generator: np.random.Generator) -> "torch.Tensor":
        """Changed pictures of the same shape (n, channels, height, width)."""
        import torch

        count, _, height, width = pictures.shape
        if self.flip:
            mirrored = torch.from_numpy(generator.random(count) < 0.5).to(pictures.device)
            pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
        if self.shift:
            shift = self.shift
            padded = torch.nn.functional.pad(pictures, (shift, shift, shift, shift), mode="replicate")
            offsets = torch.from_numpy(generator.integers(0, 2 * shift + 1, (2, count))).to(pictures.device)
            rows = offsets[0][:, None] + torch.arange(height, device=pictures.device)
            columns = offsets[1][:, None] + torch.arange(width, device=pictures.device)
            index = torch.arange(count, device=pictures.device)[:, None, None]
            pictures = padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        return pictures


def usual(height: int, width: int, channels: int) -> FlipAndShift:
    """Mirrored only in colour, since digits and letters are grey and mean something else in a mirror.

    Shifted by 3 pixels at a side of 32 and more, by less in proportion below.
    """
    return FlipAndShift(flip=channels > 1, shift=min(SHIFT_AT_32, round(SHIFT_AT_32 * min(height, width) / 32)))
