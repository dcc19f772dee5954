"""One node of a graph about to be computed: its inputs, its attributes, and where an operator finds each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Value = torch.Tensor | NDArray[np.object_] | list[Any]
"""Numbers and truth values as tensors, text as an object array, ZipMap's answer as a list of dictionaries."""


class NotInterpretable(Exception):
    """The graph asks for something that the interpreter does not do; the message says what."""


@dataclass(frozen=True)
class Call:
    """Inputs and attributes of one node.

    Args:
        inputs: values in order; None where an optional one is left out.
        attributes: by name; text decoded, tensors as values.
        opset: version of the operator's domain that the file asks for.
        outputs: how many outputs the node names.
    """

    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    opset: int
    outputs: int

    def __getitem__(self, place: int) -> torch.Tensor:
        """The tensor at that place.

        Raises:
            NotInterpretable: it is left out, or is text.
        """
        found = self.value(place)
        if not isinstance(found, torch.Tensor):
            raise NotInterpretable(f"input {place} is no tensor of numbers")
        return found

    def value(self, place: int) -> Value | None:
        """What is at that place, of any kind; None where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def tensors(self) -> list[torch.Tensor]:
        """All inputs of an operator that takes any number of tensors."""
        return [self[place] for place in range(len(self.inputs))]

    def has(self, place: int) -> bool:
        """Whether the input at that place is given."""
        return self.value(place) is not None

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)

    def numbers(self, place: int, name: str) -> list[int] | None:
        """Whole numbers that older opsets keep as an attribute and newer ones as an input; None where neither is."""
        if self.has(place):
            return [int(number) for number in self[place].reshape(-1).tolist()]
        given = self.get(name)
        return None if given is None else [int(number) for number in given]


def axis_of(axis: int, rank: int) -> int:
    """A place among `rank` dimensions, counted from the front."""
    return axis + rank if axis < 0 else axis


def axes_of(axes: Sequence[int], rank: int) -> list[int]:
    """Places among `rank` dimensions, counted from the front, in ascending order."""
    return sorted(axis_of(axis, rank) for axis in axes)
