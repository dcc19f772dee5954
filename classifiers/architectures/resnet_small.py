"""A small residual network: nine convolutions with skip connections; 77,000 weights for colours and two classes.

Source: He, Zhang, Ren and Sun (2016), CVPR, "Deep residual learning for image recognition", in their form for small
pictures, with fewer channels; normalised by groups of channels (Wu and He 2018, ECCV), so that a picture's logits do
not depend on the batch it was learned in, and weights are all that a file must hold.
"""

import torch
from torch import nn

from evenhand.classifiers.architectures.description import Description

CHANNELS = (16, 32, 64)
LEAST_SIDE = 4
GROUPS = 8


class Block(nn.Module):
    """Two convolutions, and a way around them that is as wide as their result."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(GROUPS, after)
        self.second = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(GROUPS, after)
        self.around: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.around = nn.Sequential(
                nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.GroupNorm(GROUPS, after)
            )

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Values (n, after, height, width), smaller by the stride."""
        inner = torch.relu(self.first_norm(self.first(values)))
        return torch.relu(self.second_norm(self.second(inner)) + self.around(values))


class ResNetSmall(nn.Module):
    """Convolutions in `features`, the mean over the picture, the linear layer in `head`."""

    def __init__(self, features: nn.Sequential, head: nn.Linear) -> None:
        super().__init__()
        self.features, self.head = features, head

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of pictures (n, channels, height, width)."""
        # A mean over two axes, since adaptive pooling is not deterministic backwards on a GPU.
        logits: torch.Tensor = self.head(self.features(pictures).mean((2, 3)))
        return logits


def build(description: Description) -> nn.Module:
    """A convolution to 16 channels, then a block each of 16, 32 and 64 channels, the mean, and a linear layer.

    The last two blocks halve both sides, unless that would leave a side under 4.
    """
    assert description.image_shape is not None
    height, width, channels = description.image_shape
    layers: list[nn.Module] = [
        nn.Conv2d(channels, CHANNELS[0], 3, padding=1, bias=False),
        nn.GroupNorm(GROUPS, CHANNELS[0]),
        nn.ReLU(),
    ]
    before, side = CHANNELS[0], min(height, width)
    for place, after in enumerate(CHANNELS):
        stride = 2 if place and side // 2 >= LEAST_SIDE else 1
        layers.append(Block(before, after, stride))
        before, side = after, side // stride
    return ResNetSmall(nn.Sequential(*layers), nn.Linear(before, len(description.classes)))
