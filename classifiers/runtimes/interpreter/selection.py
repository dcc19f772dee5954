"""Operators that pick values out by place or put them somewhere: slices, gathering, scattering, and resizing."""

import math
from collections.abc import Callable

import numpy as np
import torch

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, Value, axis_of
from evenhand.classifiers.runtimes.interpreter.operators import operator

FAMILY = "selection"


@operator("Slice", family=FAMILY)
def cut(call: Call) -> Value:
    values = call.value(0)
    starts, ends = call.numbers(1, "starts") or [], call.numbers(2, "ends") or []
    rank = len(values.shape) if isinstance(values, np.ndarray) else call[0].dim()
    axes = call.numbers(3, "axes") or list(range(len(starts)))
    steps = call.numbers(4, "steps") or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        values = _cut_axis(values, axis_of(axis, rank), slice(start, end, step))
    assert values is not None
    return values


def _cut_axis(values: Value | None, axis: int, places: slice) -> Value:
    if isinstance(values, np.ndarray):
        return values[(slice(None),) * axis + (places,)]
    if not isinstance(values, torch.Tensor):
        raise NotInterpretable("no tensor to cut")
    first, last, step = places.indices(values.shape[axis])
    if step > 0:
        return values[(slice(None),) * axis + (slice(first, max(last, first), step),)]
    return values.index_select(axis, torch.tensor(list(range(first, last, step)), dtype=torch.int64))


def _counted_from_front(places: torch.Tensor, length: int) -> torch.Tensor:
    places = places.to(torch.int64)
    return torch.where(places < 0, places + length, places)


@operator("Gather", family=FAMILY)
def gather(call: Call) -> Value:
    values, places, axis = call.value(0), call[1], call.get("axis", 0)
    if isinstance(values, np.ndarray):
        return np.take(values, places.numpy(), axis=axis)
    axis = axis_of(axis, call[0].dim())
    places = _counted_from_front(places, call[0].shape[axis])
    found = call[0].index_select(axis, places.reshape(-1))
    return found.reshape((*call[0].shape[:axis], *places.shape, *call[0].shape[axis + 1 :]))


@operator("GatherElements", family=FAMILY)
def gather_elements(call: Call) -> torch.Tensor:
    axis = axis_of(call.get("axis", 0), call[0].dim())
    return call[0].gather(axis, _counted_from_front(call[1], call[0].shape[axis]))


@operator("GatherND", family=FAMILY)
def gather_by_places(call: Call) -> torch.Tensor:
    values, places, shared = call[0], call[1], call.get("batch_dims", 0)
    batch = values.shape[:shared]
    rows = values.reshape(-1, *values.shape[shared:])
    points = places.reshape(-1, *places.shape[shared:])
    found = [row[_points(point, row)] for row, point in zip(rows, points, strict=True)]
    return torch.stack(found).reshape(*batch, *found[0].shape)


def _points(places: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Places in the last dimension as one index a dimension of the values."""
    return tuple(_counted_from_front(each, values.shape[axis]) for axis, each in enumerate(places.unbind(-1)))


REDUCED_AS = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


@operator("ScatterElements", family=FAMILY)
def scatter_elements(call: Call) -> torch.Tensor:
    axis, how = axis_of(call.get("axis", 0), call[0].dim()), call.get("reduction", "none")
    places = _counted_from_front(call[1], call[0].shape[axis])
    if how == "none":
        return call[0].scatter(axis, places, call[2])
    return call[0].scatter_reduce(axis, places, call[2], reduce=REDUCED_AS[how], include_self=True)


@operator("ScatterND", family=FAMILY, limits="reductions none and add")
def scatter_by_places(call: Call) -> torch.Tensor:
    how = call.get("reduction", "none")
    if how not in ("none", "add"):
        raise NotInterpretable(f"reduction {how!r}")
    return call[0].index_put(_points(call[1], call[0]), call[2], accumulate=how == "add")


@operator("OneHot", family=FAMILY, gradient=False)
def one_hot(call: Call) -> torch.Tensor:
    depth = int(call[1].reshape(()))
    axis = axis_of(call.get("axis", -1), call[0].dim() + 1)
    places = _counted_from_front(call[0], depth).unsqueeze(axis)
    levels = torch.arange(depth).reshape([-1 if place == axis else 1 for place in range(places.dim())])
    return torch.where(places == levels, call[2][1], call[2][0])


@operator("Trilu", family=FAMILY)
def triangle(call: Call) -> torch.Tensor:
    diagonal = int(call[1].reshape(())) if call.has(1) else 0
    return torch.triu(call[0], diagonal) if call.get("upper", 1) else torch.tril(call[0], diagonal)


@operator("NonZero", family=FAMILY, gradient=False)
def non_zero(call: Call) -> torch.Tensor:
    return torch.nonzero(call[0]).T


@operator("TopK", family=FAMILY)
def greatest_few(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    """The k greatest or least values; of equal ones the first."""
    axis, count = call.get("axis", -1), int(call[1].reshape(()))
    ordered = torch.sort(call[0], dim=axis, descending=bool(call.get("largest", 1)), stable=True)
    return ordered.values.narrow(axis, 0, count), ordered.indices.narrow(axis, 0, count)


# --- resizing ---

Coordinates = Callable[[torch.Tensor, float, int, int], torch.Tensor]


def _half_pixel(places: torch.Tensor, scale: float, before: int, after: int) -> torch.Tensor:
    return (places + 0.5) / scale - 0.5


def _symmetric(places: torch.Tensor, scale: float, before: int, after: int) -> torch.Tensor:
    offset = before / 2 * (1 - after / (before * scale))
    return offset + (places + 0.5) / scale - 0.5


COORDINATES: dict[str, Coordinates] = {
    "half_pixel": _half_pixel,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": lambda places, scale, before, after: (
        _half_pixel(places, scale, before, after) if after > 1 else torch.zeros_like(places)
    ),
    "align_corners": lambda places, scale, before, after: places * ((before - 1) / (after - 1) if after > 1 else 0.0),
    "asymmetric": lambda places, scale, before, after: places / scale,
}
ROUNDED: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "round_prefer_floor": lambda at: torch.ceil(at - 0.5),
    "round_prefer_ceil": lambda at: torch.floor(at + 0.5),
    "floor": torch.floor,
    "ceil": torch.ceil,
}


@operator("Resize", family=FAMILY, limits="modes nearest and linear, without antialias, cropping or aspect policies")
def resize(call: Call) -> torch.Tensor:
    values, mode = call[0], call.get("mode", "nearest")
    how = call.get("coordinate_transformation_mode", "half_pixel")
    if mode not in ("nearest", "linear") or how not in COORDINATES or call.get("antialias", 0):
        raise NotInterpretable(f"mode {mode!r} with {how!r}{' and antialias' if call.get('antialias', 0) else ''}")
    if call.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise NotInterpretable(f"keep_aspect_ratio_policy {call.get('keep_aspect_ratio_policy')!r}")
    rank = values.dim()
    axes = [axis_of(axis, rank) for axis in call.get("axes") or range(rank)]
    for axis, (scale, after) in zip(axes, _scales(call, [values.shape[axis] for axis in axes]), strict=True):
        if after == values.shape[axis] and scale == 1:
            continue
        at = COORDINATES[how](torch.arange(after, dtype=torch.float64), scale, values.shape[axis], after)
        if mode == "nearest":
            places = ROUNDED[call.get("nearest_mode", "round_prefer_floor")](at)
            values = values.index_select(axis, places.clamp(0, values.shape[axis] - 1).to(torch.int64))
        else:
            values = _between(values, axis, at.clamp(0, values.shape[axis] - 1))
    return values


def _scales(call: Call, sizes: list[int]) -> list[tuple[float, int]]:
    """Of every axis: the factor, and the size afterwards."""
    wanted = call.numbers(3, "sizes")
    if wanted:
        return [(after / before, after) for before, after in zip(sizes, wanted, strict=True)]
    return [(scale, math.floor(before * scale)) for before, scale in zip(sizes, call[2].tolist(), strict=True)]


def _between(values: torch.Tensor, axis: int, at: torch.Tensor) -> torch.Tensor:
    """Values at fractional places along an axis, in proportion between the two neighbours."""
    low = at.floor().to(torch.int64)
    high = (low + 1).clamp(max=values.shape[axis] - 1)
    share = (at - low).to(values.dtype).reshape([-1 if place == axis else 1 for place in range(values.dim())])
    return values.index_select(axis, low) * (1 - share) + values.index_select(axis, high) * share
