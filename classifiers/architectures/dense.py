"""Networks without convolutions: one sigmoid neuron, and layers of rectified neurons."""

import itertools
import math

import torch
from torch import nn

from evenhand.classifiers.architectures.description import Description, UnknownNetwork


class Neuron(nn.Module):
    """A weighted sum of the inputs plus a bias: the logit of the second of two classes, over 0 for the first."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.sum = nn.Linear(numbers, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits (n, 2): softmax over them is the sigmoid of the sum."""
        total = self.sum(rows.flatten(1))
        return torch.cat([torch.zeros_like(total), total], dim=1)


def build_neuron(description: Description) -> nn.Module:
    """One neuron over all inputs; two classes only.

    Raises:
        UnknownNetwork: more classes than two.
    """
    if len(description.classes) != 2:
        raise UnknownNetwork(f"a neuron separates two classes, not {len(description.classes)}")
    return Neuron(math.prod(description.input_shape))


def build_mlp(description: Description) -> nn.Module:
    """Hidden layers of the described sizes, each rectified, then one linear layer."""
    sizes = (math.prod(description.input_shape), *description.hidden)
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in itertools.pairwise(sizes):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], len(description.classes)))
