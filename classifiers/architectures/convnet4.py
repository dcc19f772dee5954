"""The network of four layers: three convolutions and a linear one; 26,402 weights for 32x32 colours and two classes."""

import torch
from torch import nn

from evenhand.classifiers.architectures.description import Description

CHANNELS, KERNELS = (16, 32, 64), (5, 3, 3)
LEAST_SIDE = 4


def build(description: Description) -> nn.Module:
    """convolution 5x5 to 16, pool, 3x3 to 32, pool, 3x3 to 64, pool, linear; rectified, borders kept by zero padding.

    A pool halves both sides; it is dropped where it would leave a side under 4 (8x8 pictures are pooled once).
    The middle layer, for concept vectors, is `features[-1]`'s output; no layer hides its gradient.
    """
    assert description.image_shape is not None
    height, width, channels = description.image_shape
    layers: list[nn.Module] = []
    for out, kernel in zip(CHANNELS, KERNELS, strict=True):
        layers += [nn.Conv2d(channels, out, kernel, padding=kernel // 2), nn.ReLU()]
        if min(height, width) // 2 >= LEAST_SIDE:
            layers.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
        channels = out
    return ConvNet4(nn.Sequential(*layers), nn.Linear(channels * height * width, len(description.classes)))


class ConvNet4(nn.Module):
    """Convolutions in `features`, the linear layer in `head`."""

    def __init__(self, features: nn.Sequential, head: nn.Linear) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of pictures (n, channels, height, width)."""
        logits: torch.Tensor = self.head(self.features(pictures).flatten(1))
        return logits
