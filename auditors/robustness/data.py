"""The pictures that robustness and perception are about, and what can be read off them without a classifier."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch, UnfitData, UnknownAttribute
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.protocols import ImageClassifier


@dataclass(frozen=True)
class ImageData:
    """Pictures with their labels and groups, row by row.

    Attributes:
        images: shape (n, height, width, channels), 0 to 255.
        label: codes into `classes`, shape (n,).
        classes: label texts, the classifier's own, in its order.
        attributes: name to codes of shape (n,) and the level texts; a missing value is the level None, kept last:
            it is listed and left out of comparisons.
        unit: the independent thing (a person, a role) a picture shows, shape (n,); None: each picture its own.
        pair: pictures of one value are counterparts that differ in the attribute only, shape (n,).
        ids: stable sample ids, shape (n,); noise is drawn from them, so results do not depend on order or batches.
    """

    images: NDArray[np.uint8]
    label: NDArray[np.int32]
    classes: tuple[str, ...]
    attributes: Mapping[str, tuple[NDArray[np.int32], tuple[str | None, ...]]]
    unit: NDArray[np.int32] | None
    pair: NDArray[np.int32] | None
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True)
class Level:
    """One group of an attribute: its code, its text (None: unknown) and its number of pictures."""

    code: int
    text: str | None
    n: int

    @property
    def comparable(self) -> bool:
        """Known and not empty; small groups are compared and leave their comparison inconclusive."""
        return self.text is not None and self.n > 0

    @property
    def small(self) -> bool:
        return self.n < SMALL_GROUP_ROWS


def validate(data: ImageData, classifier: ImageClassifier, attributes: Sequence[str]) -> None:
    """Refuse what cannot be audited.

    Raises:
        UnfitData: no pictures, pictures that the classifier cannot read, classes that are not the classifier's,
            codes outside their texts, no attribute named.
        LengthMismatch: a column that is not as long as the pictures.
        UnknownAttribute: an attribute that the data do not have.
    """
    if data.images.ndim != 4 or len(data) == 0:
        raise UnfitData(
            f"the pictures have shape {data.images.shape}; right would be (n, height, width, channels) with n >= 1. "
            "Check `images` of the data set."
        )
    if tuple(data.images.shape[1:]) != tuple(classifier.image_shape):
        raise UnfitData(
            f"the pictures are {_size(data.images.shape[1:])} and the classifier reads "
            f"{_size(classifier.image_shape)} (height × width × channels). Resize them, or name another model: ",
            ("model", None),
            ".",
        )
    if data.images.dtype != np.uint8:
        raise UnfitData(f"the pictures are {data.images.dtype}; right would be uint8, 0 to 255. Convert `images`.")
    if data.classes != tuple(classifier.classes):
        raise UnfitData(
            f"the labels are {', '.join(data.classes)} and the classifier's classes {', '.join(classifier.classes)}. "
            "Name the classes in the classifier's order: ",
            ("model.classes", None),
            ".",
        )
    for attribute in attributes:
        if attribute not in data.attributes:
            raise UnknownAttribute(attribute, data.attributes)
    if not attributes:
        raise UnfitData("no attribute is named, so no groups can be compared. Name one: ", ("sensitive", None), ".")
    _validate_columns(data, attributes)


def _validate_columns(data: ImageData, attributes: Sequence[str]) -> None:
    columns: dict[str, NDArray[np.integer] | None] = {
        "label": data.label,
        "unit": data.unit,
        "pair": data.pair,
        "ids": data.ids,
    }
    columns |= {name: data.attributes[name][0] for name in attributes}
    for name, values in columns.items():
        if values is not None and len(values) != len(data):
            raise LengthMismatch(name, len(values), len(data))
    _validate_codes("label", data.label, len(data.classes))
    for name in attributes:
        codes, texts = data.attributes[name]
        _validate_codes(name, codes, len(texts))


def _validate_codes(name: str, codes: NDArray[np.integer], cardinality: int) -> None:
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= cardinality:
        raise UnfitData(
            f"'{name}' has codes from {low} to {high} for {cardinality} texts; right would be 0 to {cardinality - 1}."
        )


def _size(shape: Iterable[int]) -> str:
    return " × ".join(str(side) for side in shape)


def levels_of(data: ImageData, attribute: str) -> list[Level]:
    """Every level of the attribute in the order of its codes, empty and unknown ones included."""
    codes, texts = data.attributes[attribute]
    counts = np.bincount(codes, minlength=len(texts))
    return [Level(code=code, text=text, n=int(counts[code])) for code, text in enumerate(texts)]


def units_of(data: ImageData) -> NDArray[np.int64]:
    """Unit of each picture as codes from 0; each picture its own where no unit is given."""
    if data.unit is None:
        return np.arange(len(data), dtype=np.int64)
    return np.unique(data.unit, return_inverse=True)[1].astype(np.int64).reshape(-1)


def describe_units(data: ImageData) -> str:
    """A sentence for the report on what counts as independent."""
    if data.unit is None:
        return (
            f"each of the {len(data):,} pictures is its own unit: no unit column was given; where several pictures "
            "show one person, name it as `unit`, else the intervals are too narrow"
        )
    count = len(np.unique(data.unit))
    return f"{count:,} units with {len(data) / count:.1f} pictures each on average; intervals and tests run over units"


def unit_interval(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures as float32 in [0, 1], shape (n, height, width, channels)."""
    return images.astype(np.float32) / np.float32(255)
