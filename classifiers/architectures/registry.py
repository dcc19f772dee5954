"""From the kind of a network to the function that builds it; adding a network adds one line."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from evenhand.classifiers.architectures.description import Description, UnknownNetwork

if TYPE_CHECKING:
    from torch import nn

IMAGE_KINDS = ("convnet4", "resnet_small", "mlp", "neuron")
TABLE_KINDS = ("mlp", "neuron")


def build(description: Description) -> "nn.Module":
    """The network with fresh weights; pictures as (n, channels, height, width), tables as (n, numbers), logits out.

    Raises:
        UnknownNetwork: the registry has no such kind for such input.
    """
    from evenhand.classifiers.architectures import convnet4, dense, resnet_small

    builders: dict[str, Callable[[Description], nn.Module]] = {
        "convnet4": convnet4.build,
        "resnet_small": resnet_small.build,
        "mlp": dense.build_mlp,
        "neuron": dense.build_neuron,
    }
    kinds = TABLE_KINDS if description.image_shape is None else IMAGE_KINDS
    if description.kind not in kinds:
        raise UnknownNetwork(f"kind {description.kind!r}; there are {', '.join(kinds)}")
    return builders[description.kind](description)
