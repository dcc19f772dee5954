"""Normalising layers: by stored statistics, by the row, by groups of channels, and by neighbours."""

import torch
from torch.nn import functional

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, axis_of
from evenhand.classifiers.runtimes.interpreter.operators import operator

FAMILY = "normalisation"
OPSET_OF_SCALES_BY_CHANNEL = 21


@operator("BatchNormalization", family=FAMILY, limits="not while training")
def by_statistics(call: Call) -> torch.Tensor:
    if call.get("training_mode", 0):
        raise NotInterpretable("training mode")
    scale, shift, mean, variance = (call[place] for place in range(1, 5))
    return functional.batch_norm(call[0], mean, variance, scale, shift, False, 0.0, call.get("epsilon", 1e-5))


@operator("InstanceNormalization", family=FAMILY)
def by_picture(call: Call) -> torch.Tensor:
    return functional.instance_norm(call[0], weight=call[1], bias=call[2], eps=call.get("epsilon", 1e-5))


@operator("LayerNormalization", family=FAMILY)
def by_row(call: Call) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The second and third output are the mean and the inverse deviation."""
    values = call[0]
    axes = list(range(axis_of(call.get("axis", -1), values.dim()), values.dim()))
    mean = values.mean(axes, keepdim=True)
    centred = values - mean
    inverse = torch.rsqrt((centred * centred).mean(axes, keepdim=True) + call.get("epsilon", 1e-5))
    normal = centred * inverse * call[1]
    return (normal + call[2] if call.has(2) else normal), mean, inverse


@operator("RMSNormalization", family=FAMILY)
def by_size(call: Call) -> torch.Tensor:
    values = call[0]
    axes = list(range(axis_of(call.get("axis", -1), values.dim()), values.dim()))
    return values * torch.rsqrt((values * values).mean(axes, keepdim=True) + call.get("epsilon", 1e-5)) * call[1]


@operator("GroupNormalization", family=FAMILY)
def by_group(call: Call) -> torch.Tensor:
    """Scale and shift are one a group before opset 21, one a channel from then on."""
    values, groups = call[0], call.get("num_groups")
    scale, shift = call[1], call[2]
    if call.opset < OPSET_OF_SCALES_BY_CHANNEL:
        each = values.shape[1] // groups
        scale, shift = scale.repeat_interleave(each), shift.repeat_interleave(each)
    return functional.group_norm(values, groups, scale, shift, call.get("epsilon", 1e-5))


@operator("LRN", family=FAMILY)
def by_neighbours(call: Call) -> torch.Tensor:
    """Each value over a power of the squares of channels nearby (Krizhevsky 2012)."""
    values, size = call[0], call.get("size")
    squares = functional.pad((values * values).flatten(2), (0, 0, (size - 1) // 2, size // 2))
    sums = squares.unfold(1, size, 1).sum(-1).reshape(values.shape)
    base = call.get("bias", 1.0) + call.get("alpha", 1e-4) / size * sums
    normal: torch.Tensor = values / base ** call.get("beta", 0.75)
    return normal


@operator("MeanVarianceNormalization", family=FAMILY)
def by_axes(call: Call) -> torch.Tensor:
    axes = call.get("axes") or [0, 2, 3]
    centred = call[0] - call[0].mean(axes, keepdim=True)
    return centred / ((centred * centred).mean(axes, keepdim=True).sqrt() + 1e-9)


@operator("LpNormalization", family=FAMILY)
def by_norm(call: Call) -> torch.Tensor:
    values, axis = call[0], call.get("axis", -1)
    norm = values.abs().sum(axis, keepdim=True) if call.get("p", 2) == 1 else values.norm(dim=axis, keepdim=True)
    return torch.where(
        norm == 0, torch.zeros_like(values), values / torch.where(norm == 0, torch.ones_like(norm), norm)
    )
