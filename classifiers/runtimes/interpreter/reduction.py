"""Operators that take one number from many along axes: sums, means, extremes, norms, and the place of an extreme."""

from collections.abc import Callable

import torch

from evenhand.classifiers.runtimes.interpreter.call import Call, axes_of
from evenhand.classifiers.runtimes.interpreter.operators import operator

FAMILY = "reduction"

Reduce = Callable[[torch.Tensor, list[int], bool], torch.Tensor]


def _product(values: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    for axis in reversed(axes):
        values = values.prod(axis, keepdim=keep, dtype=values.dtype)
    return values


def _sum(values: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    return values.sum(axes, keepdim=keep, dtype=values.dtype)


def _mean(values: torch.Tensor, axes: list[int], keep: bool) -> torch.Tensor:
    if values.is_floating_point():
        return values.mean(axes, keepdim=keep)
    return values.double().mean(axes, keepdim=keep).trunc().to(values.dtype)


def _root(values: torch.Tensor) -> torch.Tensor:
    return values.sqrt() if values.is_floating_point() else values.double().sqrt().to(values.dtype)


def _logarithm(values: torch.Tensor) -> torch.Tensor:
    return values.log() if values.is_floating_point() else values.double().log().to(values.dtype)


REDUCTIONS: dict[str, Reduce] = {
    "ReduceSum": _sum,
    "ReduceMean": _mean,
    "ReduceMax": lambda values, axes, keep: values.amax(axes, keepdim=keep),
    "ReduceMin": lambda values, axes, keep: values.amin(axes, keepdim=keep),
    "ReduceProd": _product,
    "ReduceL1": lambda values, axes, keep: _sum(values.abs(), axes, keep),
    "ReduceL2": lambda values, axes, keep: _root(_sum(values * values, axes, keep)),
    "ReduceLogSum": lambda values, axes, keep: _logarithm(_sum(values, axes, keep)),
    "ReduceLogSumExp": lambda values, axes, keep: values.logsumexp(axes, keepdim=keep),
    "ReduceSumSquare": lambda values, axes, keep: _sum(values * values, axes, keep),
}


def _enter(name: str, reduce: Reduce) -> None:
    @operator(name, family=FAMILY)
    def reduced(call: Call) -> torch.Tensor:
        values = call[0]
        axes = call.numbers(1, "axes")
        if not axes:
            if call.get("noop_with_empty_axes", 0):
                return reduce(values.unsqueeze(0), [0], False)
            axes = list(range(values.dim()))
        if values.dim() == 0:
            return reduce(values.unsqueeze(0), [0], False)
        return reduce(values, axes_of(axes, values.dim()), bool(call.get("keepdims", 1)))


for _name, _reduce in REDUCTIONS.items():
    _enter(_name, _reduce)


def _place(call: Call, values: torch.Tensor) -> torch.Tensor:
    """The place of the greatest value: the first of equal ones, or the last where the attribute says so."""
    axis, keep = call.get("axis", 0), bool(call.get("keepdims", 1))
    if call.get("select_last_index", 0):
        return torch.rsub(values.flip(axis).argmax(axis, keepdim=keep), values.shape[axis] - 1)
    return values.argmax(axis, keepdim=keep)


@operator("ArgMax", family=FAMILY, gradient=False)
def place_of_greatest(call: Call) -> torch.Tensor:
    return _place(call, call[0])


@operator("ArgMin", family=FAMILY, gradient=False)
def place_of_least(call: Call) -> torch.Tensor:
    values = call[0]
    return _place(call, -values if values.is_floating_point() else -values.to(torch.int64))
