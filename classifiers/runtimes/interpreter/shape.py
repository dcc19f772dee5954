"""Operators that arrange values anew, make constants, or change types. What picks values out is in selection.py."""

import numpy as np
import torch
from torch.nn import functional

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, Value, axes_of, axis_of
from evenhand.classifiers.runtimes.interpreter.operators import operator
from evenhand.classifiers.runtimes.interpreter.values import STRING, type_of

FAMILY = "shape"


def _shape(call: Call, place: int) -> list[int]:
    return [int(size) for size in call[place].tolist()]


def _any(call: Call, place: int = 0) -> "torch.Tensor | np.ndarray[tuple[int, ...], np.dtype[np.object_]]":
    """Numbers or text; both can be reshaped and indexed."""
    found = call.value(place)
    return found if isinstance(found, np.ndarray) else call[place]


@operator("Identity", family=FAMILY)
def identity(call: Call) -> Value:
    return _any(call)


@operator("Dropout", family=FAMILY, limits="not while training")
def dropout(call: Call) -> tuple[torch.Tensor, torch.Tensor]:
    if call.has(2) and bool(call[2]):
        raise NotInterpretable("training mode")
    return call[0], torch.ones_like(call[0], dtype=torch.bool)


@operator("Reshape", family=FAMILY)
def reshape(call: Call) -> Value:
    """A size of 0 keeps the input's, unless `allowzero`."""
    values, wanted = _any(call), _shape(call, 1)
    if not call.get("allowzero", 0):
        wanted = [values.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    return values.reshape(tuple(wanted))


@operator("Flatten", family=FAMILY)
def flatten(call: Call) -> Value:
    values = _any(call)
    axis = axis_of(call.get("axis", 1), len(values.shape))
    before = int(np.prod(values.shape[:axis]))
    after = int(np.prod(values.shape[axis:]))
    return values.reshape((before, after))


@operator("Squeeze", family=FAMILY)
def squeeze(call: Call) -> Value:
    values = _any(call)
    axes = call.numbers(1, "axes")
    dropped = axes_of(axes, len(values.shape)) if axes is not None else range(len(values.shape))
    kept = [size for place, size in enumerate(values.shape) if place not in dropped or size != 1]
    return values.reshape(tuple(kept))


@operator("Unsqueeze", family=FAMILY)
def unsqueeze(call: Call) -> Value:
    values = _any(call)
    axes = call.numbers(1, "axes") or []
    sizes = list(values.shape)
    for axis in axes_of(axes, len(sizes) + len(axes)):
        sizes.insert(axis, 1)
    return values.reshape(tuple(sizes))


@operator("Transpose", family=FAMILY)
def transpose(call: Call) -> Value:
    values = _any(call)
    order = call.get("perm") or list(range(len(values.shape)))[::-1]
    return values.permute(order) if isinstance(values, torch.Tensor) else values.transpose(order)


@operator("Concat", family=FAMILY)
def concat(call: Call) -> Value:
    if isinstance(call.value(0), np.ndarray):
        return np.concatenate([np.asarray(each) for each in call.inputs], axis=call.get("axis"))
    return torch.cat(call.tensors(), dim=call.get("axis"))


@operator("Split", family=FAMILY)
def split(call: Call) -> tuple[torch.Tensor, ...]:
    """Into the sizes given, else into equal parts of which the last may be smaller."""
    values, axis = call[0], call.get("axis", 0)
    sizes = call.numbers(1, "split")
    if sizes is None:
        count = call.get("num_outputs") or call.outputs
        largest = -(-values.shape[axis] // count)
        sizes = [largest] * (count - 1) + [values.shape[axis] - largest * (count - 1)]
    return torch.split(values, sizes, dim=axis)


@operator("Expand", family=FAMILY)
def expand(call: Call) -> torch.Tensor:
    sizes = np.broadcast_shapes(tuple(call[0].shape), tuple(_shape(call, 1)))
    return call[0].expand(sizes)


@operator("Tile", family=FAMILY)
def tile(call: Call) -> torch.Tensor:
    return call[0].repeat(_shape(call, 1))


@operator("Shape", family=FAMILY, gradient=False)
def shape(call: Call) -> torch.Tensor:
    sizes = list(_any(call).shape)
    return torch.tensor(sizes[call.get("start", 0) : call.get("end")], dtype=torch.int64)


@operator("Size", family=FAMILY, gradient=False)
def size(call: Call) -> torch.Tensor:
    return torch.tensor(int(np.prod(_any(call).shape)), dtype=torch.int64)


@operator("Constant", family=FAMILY, gradient=False)
def constant(call: Call) -> Value:
    if (value := call.get("value")) is not None:
        return value  # type: ignore[no-any-return]  # a tensor, as values.from_attribute made it
    for name, kind in (("value_float", torch.float32), ("value_int", torch.int64)):
        for attribute in (name, f"{name}s"):
            if call.get(attribute) is not None:
                return torch.tensor(call.get(attribute), dtype=kind)
    texts = call.get("value_strings", call.get("value_string"))
    if texts is None:
        raise NotInterpretable("a value that is sparse")
    return np.array(texts, dtype=object)


@operator("ConstantOfShape", family=FAMILY, gradient=False)
def constant_of_shape(call: Call) -> torch.Tensor:
    value = call.get("value")
    filling = torch.zeros(1) if value is None else value
    return filling.reshape(()).expand(_shape(call, 0)).clone()


@operator("Range", family=FAMILY, gradient=False)
def number_range(call: Call) -> torch.Tensor:
    start, limit, step = (call[place].item() for place in range(3))
    return torch.arange(start, limit, step, dtype=call[0].dtype)


@operator("EyeLike", family=FAMILY, gradient=False)
def eye_like(call: Call) -> torch.Tensor:
    rows, columns = call[0].shape
    kind = type_of(call.get("dtype")) if call.get("dtype") is not None else call[0].dtype
    first = torch.arange(rows)[:, None] + call.get("k", 0)
    return torch.eq(first, torch.arange(columns)[None, :]).to(kind)


@operator("Cast", family=FAMILY, limits="text to and from numbers as Python writes them")
def cast(call: Call) -> Value:
    """Fractions to whole numbers are cut towards zero."""
    return _as_type(_any(call), call.get("to"))


@operator("CastLike", family=FAMILY)
def cast_like(call: Call) -> torch.Tensor:
    return call[0].to(call[1].dtype)


def _as_type(values: Value, kind: int) -> Value:
    if isinstance(values, torch.Tensor) and kind != STRING:
        return values.to(type_of(kind))
    if isinstance(values, torch.Tensor):
        texts = np.empty(values.numel(), dtype=object)
        fractions = values.is_floating_point()
        texts[:] = [f"{number:.8g}" if fractions else str(number) for number in values.reshape(-1).tolist()]
        return texts.reshape(tuple(values.shape))
    if kind == STRING:
        return values
    try:
        return torch.from_numpy(np.asarray(values).astype(np.float64)).to(type_of(kind))
    except ValueError:
        raise NotInterpretable("text that is no number") from None


@operator("Pad", family=FAMILY)
def pad(call: Call) -> torch.Tensor:
    """In modes constant, reflect, edge and wrap; negative sizes cut off."""
    values, sizes = call[0], _shape(call, 1)
    rank = values.dim()
    axes = [axis_of(axis, rank) for axis in call.numbers(3, "axes") or range(rank)]
    before, after = [0] * rank, [0] * rank
    for place, axis in enumerate(axes):
        before[axis], after[axis] = sizes[place], sizes[place + len(axes)]
    mode = call.get("mode", "constant")
    if mode == "constant":
        filling = call[2].item() if call.has(2) else 0
        flat = [size for axis in reversed(range(rank)) for size in (before[axis], after[axis])]
        return functional.pad(values, flat, value=filling)
    for axis in range(rank):
        if before[axis] or after[axis]:
            values = values.index_select(axis, _padded_places(values.shape[axis], before[axis], after[axis], mode))
    return values


def _padded_places(length: int, before: int, after: int, mode: str) -> torch.Tensor:
    if mode not in ("reflect", "edge", "wrap"):
        raise NotInterpretable(f"mode {mode!r}")
    places = np.arange(length)[max(-before, 0) : length - max(-after, 0)]
    return torch.from_numpy(np.pad(places, (max(before, 0), max(after, 0)), mode=mode))  # type: ignore[call-overload]  # the mode is one of three


@operator("DepthToSpace", family=FAMILY)
def depth_to_space(call: Call) -> torch.Tensor:
    count, channels, height, width = call[0].shape
    block = call.get("blocksize")
    left = channels // block**2
    if call.get("mode", "DCR") == "DCR":
        parts = call[0].reshape(count, block, block, left, height, width).permute(0, 3, 4, 1, 5, 2)
    else:
        parts = call[0].reshape(count, left, block, block, height, width).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(count, left, height * block, width * block)


@operator("SpaceToDepth", family=FAMILY)
def space_to_depth(call: Call) -> torch.Tensor:
    count, channels, height, width = call[0].shape
    block = call.get("blocksize")
    parts = call[0].reshape(count, channels, height // block, block, width // block, block)
    return parts.permute(0, 3, 5, 1, 2, 4).reshape(count, channels * block**2, height // block, width // block)
