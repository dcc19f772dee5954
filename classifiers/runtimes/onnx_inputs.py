"""How rows go into an ONNX model: as pictures in either order of dimensions, one tensor of numbers, or columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import texts_of
from evenhand.classifiers.errors import UnsupportedModel, WrongInput, listed
from evenhand.classifiers.images import ImageShape

Array = NDArray[Any]
NUMBERS = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}
FRACTIONS = ("tensor(float)", "tensor(double)", "tensor(float16)")
TEXT = "tensor(string)"
CHANNELS = (3, 1, 4, None)  # the likeliest first
NO_CHANNELS = len(CHANNELS)
FIXED_SIZE = "Export it with a fixed height and width, e.g. dynamic_axes for the first dimension alone."


@dataclass(frozen=True)
class GraphInput:
    """One input of the graph: name, type as onnxruntime writes it, and sizes with None where free."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class InputPlan:
    """How to feed a model.

    Args:
        layout: "nchw", "nhwc", "tensor" (all columns in one) or "columns" (one input each).
        inputs: of the graph; for "columns" in the order of `features`.
        features: column names, empty for pictures.
        image_shape: height, width, channels; None for tables.
        batch_rows: the fixed number of rows a call takes; None where it is free.
    """

    layout: str
    inputs: tuple[GraphInput, ...]
    features: tuple[str, ...] = ()
    image_shape: ImageShape | None = None
    batch_rows: int | None = None

    def feed_images(self, images: NDArray[np.float32]) -> dict[str, Array]:
        """Pictures (n, height, width, channels) as the graph takes them."""
        arranged = images.transpose(0, 3, 1, 2) if self.layout == "nchw" else images
        first = self.inputs[0]
        return {first.name: np.ascontiguousarray(arranged, dtype=NUMBERS[first.type])}

    def feed_columns(self, columns: Mapping[str, Array]) -> dict[str, Array]:
        """Columns as the graph takes them.

        Raises:
            WrongInput: text where the graph takes numbers, or a missing value where it takes whole numbers.
        """
        if self.layout == "tensor":
            first = self.inputs[0]
            numbers = [_as_numbers(columns[name], name, first.type) for name in self.features]
            return {first.name: np.stack(numbers, axis=1)}
        return {
            graph_input.name: _as_typed(columns[name], name, graph_input.type).reshape(
                -1, *[1] * (len(graph_input.shape) - 1)
            )
            for name, graph_input in zip(self.features, self.inputs, strict=True)
        }


def plan_inputs(
    inputs: Sequence[GraphInput],
    *,
    name: str,
    features: Sequence[str] | None,
    image_shape: ImageShape | None,
) -> InputPlan:
    """Find out how a graph wants its rows.

    Args:
        inputs: of the graph.
        name: what messages call the model.
        features: columns in order, where the caller knows them; needed for one tensor of numbers.
        image_shape: needed for pictures whose size the graph leaves open.

    Raises:
        UnsupportedModel: inputs of another kind, or something the caller must tell.
        WrongInput: the features are not those of the graph.
    """
    batch_rows = _fixed_batch(inputs, name)
    first = inputs[0]
    if len(inputs) == 1 and len(first.shape) == 4 and first.type in FRACTIONS:
        layout, shape = _picture_layout(first, name, image_shape)
        return InputPlan(layout=layout, inputs=(first,), image_shape=shape, batch_rows=batch_rows)
    if len(inputs) == 1 and len(first.shape) == 2 and first.type in NUMBERS and not _is_column(first, features):
        if features is None:
            raise UnsupportedModel(
                name=name,
                problem=f"its input {first.name!r} takes {first.shape[1] or 'some'} numbers a row without names",
                instead="Name the columns in order",
                setting="features",
            )
        if first.shape[1] not in (None, len(features)):
            raise WrongInput(expected=f"{first.shape[1]} features for {name}", got=f"{len(features)}")
        return InputPlan(layout="tensor", inputs=(first,), features=tuple(features), batch_rows=batch_rows)
    odd = [each.name for each in inputs if each.type not in (*NUMBERS, TEXT) or not _is_column(each, None)]
    if odd:
        raise UnsupportedModel(
            name=name,
            problem=f"input {odd[0]!r} is neither pictures (n, 3, h, w), numbers (n, k), nor one column (n, 1)",
            instead="Export it with one float input, or one input a column.",
        )
    matched = _match(inputs, name, features)
    return InputPlan(layout="columns", inputs=tuple(matched.values()), features=tuple(matched), batch_rows=batch_rows)


def _fixed_batch(inputs: Sequence[GraphInput], name: str) -> int | None:
    fixed = {each.shape[0] for each in inputs if each.shape and each.shape[0] is not None}
    if len(fixed) > 1:
        raise UnsupportedModel(
            name=name, problem="its inputs take different numbers of rows", instead="Export it with a free batch size."
        )
    return next(iter(fixed), None)


def _is_column(each: GraphInput, features: Sequence[str] | None) -> bool:
    one = len(each.shape) == 1 or (len(each.shape) == 2 and each.shape[1] == 1)
    return one and (features is None or list(features) == [each.name])


def _picture_layout(first: GraphInput, name: str, image_shape: ImageShape | None) -> tuple[str, ImageShape]:
    _, second, third, fourth = first.shape
    if min(_as_channels(second), _as_channels(fourth)) == NO_CHANNELS:
        raise UnsupportedModel(
            name=name,
            problem=f"its pictures of shape {first.shape} have no dimension of 1, 3 or 4 channels",
            instead="Export it for grey or colour pictures.",
        )
    if _as_channels(second) <= _as_channels(fourth):
        layout, found = "nchw", (third, fourth, second)
    else:
        layout, found = "nhwc", (second, third, fourth)
    sizes = [size or (image_shape[place] if image_shape else None) for place, size in enumerate(found)]
    height, width, channels = sizes
    if height is None or width is None or channels is None:
        raise UnsupportedModel(
            name=name, problem=f"the size of its pictures is open: {first.shape}", instead=FIXED_SIZE
        )
    return layout, (height, width, channels)


def _as_channels(size: int | None) -> int:
    """How unlikely a size is to be the number of channels; an open one may be."""
    return CHANNELS.index(size) if size in CHANNELS else NO_CHANNELS


def _match(inputs: Sequence[GraphInput], name: str, features: Sequence[str] | None) -> dict[str, GraphInput]:
    """Column name to input; exporters write other signs than letters and digits as "_"."""
    if features is None:
        return {each.name: each for each in inputs}
    plain: dict[str, list[str]] = {}
    for feature in features:
        plain.setdefault(_plain(feature), []).append(feature)
    matched: dict[str, GraphInput] = {}
    for each in inputs:
        candidates = [each.name] if each.name in features else plain.get(_plain(each.name), [])
        if len(candidates) != 1:
            raise WrongInput(
                expected=f"a column for input {each.name!r} of {name}", got=f"the columns {listed(list(features))}"
            )
        matched[candidates[0]] = each
    return matched


def _plain(name: str) -> str:
    return re.sub(r"\W", "_", name)


def _as_typed(column: Array, name: str, type_name: str) -> Array:
    if type_name != TEXT:
        return _as_numbers(column, name, type_name)
    return np.array(["" if text is None else text for text in texts_of(column)], dtype=object)


def _as_numbers(column: Array, name: str, type_name: str) -> Array:
    try:
        numbers = column.astype(np.float64)
    except (TypeError, ValueError):
        raise WrongInput(expected=f"numbers in column {name!r}", got="text") from None
    wanted = np.dtype(NUMBERS[type_name])
    if wanted.kind in "ib" and not (np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()):
        raise WrongInput(expected=f"whole numbers in column {name!r}", got="fractions or missing values")
    return numbers.astype(wanted)
