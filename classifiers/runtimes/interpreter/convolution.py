"""Convolutions and pooling, in one, two or three dimensions, with ONNX's rules of padding."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable
from evenhand.classifiers.runtimes.interpreter.operators import operator

FAMILY = "convolution"

CONVOLUTIONS: dict[int, Callable[..., torch.Tensor]] = {
    1: functional.conv1d,
    2: functional.conv2d,
    3: functional.conv3d,
}
TRANSPOSED: dict[int, Callable[..., torch.Tensor]] = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}
MAX_POOLS: dict[int, Callable[..., Any]] = {
    1: functional.max_pool1d,
    2: functional.max_pool2d,
    3: functional.max_pool3d,
}


@dataclass(frozen=True)
class Window:
    """How a kernel moves over the space dimensions of its input, one entry a dimension.

    Attributes:
        kernel, strides, dilations: sizes.
        before, after: padding that belongs to the input.
        beyond: further padding behind, which lets the last window of `ceil_mode` fit.
    """

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    beyond: tuple[int, ...]

    @property
    def rank(self) -> int:
        return len(self.kernel)

    def padded(self, values: torch.Tensor, filling: float) -> torch.Tensor:
        """The input with all its padding."""
        behind = [after + beyond for after, beyond in zip(self.after, self.beyond, strict=True)]
        return _pad(values, self.before, behind, filling)


def window_of(call: Call, space: Sequence[int], kernel: Sequence[int]) -> Window:
    """The window of a convolution or pooling over an input of that size.

    Raises:
        NotInterpretable: more than three dimensions.
    """
    rank = len(kernel)
    if rank not in CONVOLUTIONS:
        raise NotInterpretable(f"{rank} dimensions")
    strides = tuple(call.get("strides") or [1] * rank)
    dilations = tuple(call.get("dilations") or [1] * rank)
    reach = [(size - 1) * dilation + 1 for size, dilation in zip(kernel, dilations, strict=True)]
    before, after = _pads(call, space, reach, strides)
    beyond = [0] * rank
    if call.get("ceil_mode", 0):
        for place in range(rank):
            length = space[place] + before[place] + after[place]
            steps = math.ceil((length - reach[place]) / strides[place])
            if steps * strides[place] >= space[place] + before[place]:
                steps -= 1  # no window begins behind the input
            beyond[place] = max(0, steps * strides[place] + reach[place] - length)
    return Window(tuple(kernel), strides, dilations, tuple(before), tuple(after), tuple(beyond))


def _pads(
    call: Call, space: Sequence[int], reach: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    rank, auto = len(reach), call.get("auto_pad", "NOTSET")
    if auto == "VALID":
        return [0] * rank, [0] * rank
    if auto == "NOTSET":
        pads = list(call.get("pads") or [0] * (2 * rank))
        return pads[:rank], pads[rank:]
    totals = [
        max(0, (math.ceil(size / stride) - 1) * stride + far - size)
        for size, stride, far in zip(space, strides, reach, strict=True)
    ]
    return _halves(totals, more_behind=auto == "SAME_UPPER")


def _halves(totals: Sequence[int], *, more_behind: bool) -> tuple[list[int], list[int]]:
    small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return (small, large) if more_behind else (large, small)


def _pad(values: torch.Tensor, before: Sequence[int], after: Sequence[int], filling: float) -> torch.Tensor:
    if not any(before) and not any(after):
        return values
    flat = [size for pair in reversed(list(zip(before, after, strict=True))) for size in pair]
    return functional.pad(values, flat, value=filling)


@operator("Conv", family=FAMILY)
def convolution(call: Call) -> torch.Tensor:
    window = window_of(call, call[0].shape[2:], call[1].shape[2:])
    bias = call[2] if call.has(2) else None
    settings = {"stride": window.strides, "dilation": window.dilations, "groups": call.get("group", 1)}
    if window.before == window.after:
        return CONVOLUTIONS[window.rank](call[0], call[1], bias, padding=window.before, **settings)
    return CONVOLUTIONS[window.rank](window.padded(call[0], 0), call[1], bias, **settings)


@operator("ConvTranspose", family=FAMILY)
def transposed_convolution(call: Call) -> torch.Tensor:
    """The whole result is computed, then cut or filled up to the size that padding and output size ask for."""
    values, weights = call[0], call[1]
    rank = weights.dim() - 2
    if rank not in TRANSPOSED:
        raise NotInterpretable(f"{rank} dimensions")
    strides, dilations = call.get("strides") or [1] * rank, call.get("dilations") or [1] * rank
    whole = TRANSPOSED[rank](values, weights, None, strides, 0, 0, call.get("group", 1), dilations)
    extra = call.get("output_padding") or [0] * rank
    before, after = _transposed_pads(call, values.shape[2:], whole.shape[2:], strides, extra)
    cut = _pad(whole, [-size for size in before], [more - size for more, size in zip(extra, after, strict=True)], 0)
    return cut + call[2].reshape(1, -1, *[1] * rank) if call.has(2) else cut


def _transposed_pads(
    call: Call, space: Sequence[int], whole: Sequence[int], strides: Sequence[int], extra: Sequence[int]
) -> tuple[list[int], list[int]]:
    rank, auto, wanted = len(space), call.get("auto_pad", "NOTSET"), call.get("output_shape")
    if wanted is None and auto.startswith("SAME"):
        wanted = [size * stride for size, stride in zip(space, strides, strict=True)]
    if wanted is None:
        pads = list(call.get("pads") or [0] * (2 * rank)) if auto == "NOTSET" else [0] * (2 * rank)
        return pads[:rank], pads[rank:]
    totals = [size + more - last for size, more, last in zip(whole, extra, wanted[-rank:], strict=True)]
    return _halves(totals, more_behind=auto == "SAME_UPPER")


@operator("MaxPool", family=FAMILY, limits="without the second output, the places")
def max_pool(call: Call) -> torch.Tensor:
    values = call[0]
    window = window_of(call, values.shape[2:], call.get("kernel_shape"))
    numbers = values if values.is_floating_point() else values.double()
    pooled: torch.Tensor = MAX_POOLS[window.rank](
        window.padded(numbers, -math.inf), window.kernel, window.strides, 0, window.dilations
    )
    return pooled.to(values.dtype)


def _sums(values: torch.Tensor, window: Window) -> torch.Tensor:
    """The sum in every window, by a convolution with ones that keeps channels apart."""
    count, channels, *space = values.shape
    ones = torch.ones((1, 1, *window.kernel), dtype=values.dtype)
    apart = values.reshape(count * channels, 1, *space)
    sums = CONVOLUTIONS[window.rank](apart, ones, stride=window.strides, dilation=window.dilations)
    return sums.reshape(count, channels, *sums.shape[2:])


@operator("AveragePool", family=FAMILY)
def average_pool(call: Call) -> torch.Tensor:
    """Padding counts where `count_include_pad` says so; what `ceil_mode` adds behind never does."""
    values = call[0]
    window = window_of(call, values.shape[2:], call.get("kernel_shape"))
    present = torch.ones((1, 1, *values.shape[2:]), dtype=values.dtype)
    if call.get("count_include_pad", 0):
        present = _pad(present, window.before, window.after, 1)
        present = _pad(present, [0] * window.rank, window.beyond, 0)
    else:
        present = window.padded(present, 0)
    return _sums(window.padded(values, 0), window) / _sums(present, window)


@operator("LpPool", family=FAMILY)
def power_pool(call: Call) -> torch.Tensor:
    power = call.get("p", 2)
    window = window_of(call, call[0].shape[2:], call.get("kernel_shape"))
    sums: torch.Tensor = _sums(window.padded(call[0], 0).abs() ** power, window) ** (1 / power)
    return sums


@operator("GlobalAveragePool", family=FAMILY)
def global_average(call: Call) -> torch.Tensor:
    return call[0].mean(list(range(2, call[0].dim())), keepdim=True)


@operator("GlobalMaxPool", family=FAMILY)
def global_max(call: Call) -> torch.Tensor:
    return call[0].amax(list(range(2, call[0].dim())), keepdim=True)
