"""What is needed to build a network again: kind, sizes, classes, and how table columns become numbers.

It is stored as JSON beside the weights; registry.py builds the network from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evenhand.classifiers.architectures.encoder import TableEncoder
from evenhand.classifiers.images import ImageShape

FORMAT = "evenhand-network/1"
MOST_UNITS = 1 << 16
MOST_SIDE = 4096
MOST_LAYERS = 64


class UnknownNetwork(ValueError):
    """No network of that kind takes that input with that many classes."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """A network in words and numbers. Exactly one of `image_shape` and `encoder` is set.

    Args:
        kind: a name in the registry.
        classes: sorted label texts.
        hidden: units of each hidden layer of a dense network.
        image_shape: height, width, channels of its pictures.
        encoder: how its table columns become numbers.
    """

    kind: str
    classes: tuple[str, ...]
    hidden: tuple[int, ...] = ()
    image_shape: ImageShape | None = None
    encoder: TableEncoder | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; the encoder's numbers travel as tensors instead."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "classes": list(self.classes),
            "hidden": list(self.hidden),
            "image_shape": list(self.image_shape) if self.image_shape else None,
            "encoder": self.encoder.to_json() if self.encoder else None,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], numbers: Mapping[str, Any]) -> "Description":
        """The inverse of `to_json`, for a file that anybody may have written.

        Args:
            document: the JSON.
            numbers: arrays by name, among them the encoder's.

        Raises:
            KeyError, TypeError, ValueError: it is not of that form, or sizes are beyond reason.
        """
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}, not {FORMAT!r}")
        classes = tuple(_text(name) for name in document["classes"])
        if list(classes) != sorted(set(classes)) or len(classes) < 2:
            raise ValueError("classes are not two or more sorted names")
        if len(document["hidden"]) > MOST_LAYERS:
            raise ValueError(f"{len(document['hidden']):,} hidden layers, more than {MOST_LAYERS}")
        hidden = tuple(_size(units, MOST_UNITS) for units in document["hidden"])
        shape, encoder = document["image_shape"], document["encoder"]
        if (shape is None) == (encoder is None):
            raise ValueError("one of image_shape and encoder belongs to a network")
        if shape is not None:
            height, width, channels = (_size(side, MOST_SIDE) for side in shape)
            return cls(kind=document["kind"], classes=classes, hidden=hidden, image_shape=(height, width, channels))
        columns = TableEncoder.from_json(encoder, numbers)
        return cls(kind=document["kind"], classes=classes, hidden=hidden, encoder=columns)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one row: (height, width, channels), or (numbers,)."""
        if self.image_shape is not None:
            return self.image_shape
        assert self.encoder is not None
        return (self.encoder.width,)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _size(value: Any, most: int) -> int:
    if not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{value!r} is no size from 1 to {most}")
    return value
