"""Operators on single numbers, comparisons, logic, and products of matrices."""

import functools

import numpy as np
import torch

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, Value
from evenhand.classifiers.runtimes.interpreter.operators import enter_all, operator

FAMILY = "arithmetic"

enter_all(
    {
        "Abs": torch.abs,
        "Acos": torch.acos,
        "Acosh": torch.acosh,
        "Add": torch.add,
        "Asin": torch.asin,
        "Asinh": torch.asinh,
        "Atan": torch.atan,
        "Atanh": torch.atanh,
        "Cos": torch.cos,
        "Cosh": torch.cosh,
        "Det": torch.linalg.det,
        "Erf": torch.erf,
        "Exp": torch.exp,
        "Log": torch.log,
        "MatMul": torch.matmul,
        "Mul": torch.mul,
        "Neg": torch.neg,
        "Reciprocal": torch.reciprocal,
        "Sin": torch.sin,
        "Sinh": torch.sinh,
        "Sqrt": torch.sqrt,
        "Sub": torch.sub,
        "Tan": torch.tan,
        "Tanh": torch.tanh,
    },
    family=FAMILY,
)
enter_all(
    {
        "And": torch.logical_and,
        "BitwiseAnd": torch.bitwise_and,
        "BitwiseNot": torch.bitwise_not,
        "BitwiseOr": torch.bitwise_or,
        "BitwiseXor": torch.bitwise_xor,
        "Ceil": torch.ceil,
        "Floor": torch.floor,
        "Greater": torch.gt,
        "GreaterOrEqual": torch.ge,
        "IsNaN": torch.isnan,
        "Less": torch.lt,
        "LessOrEqual": torch.le,
        "Not": torch.logical_not,
        "Or": torch.logical_or,
        "Round": torch.round,
        "Sign": torch.sign,
        "Xor": torch.logical_xor,
    },
    family=FAMILY,
    gradient=False,
)


@operator("Div", family=FAMILY)
def divide(call: Call) -> torch.Tensor:
    """Whole numbers are cut towards zero, as in C."""
    return torch.div(call[0], call[1], rounding_mode=None if call[0].is_floating_point() else "trunc")


@operator("Mod", family=FAMILY)
def modulo(call: Call) -> torch.Tensor:
    """With `fmod` the sign of the first number, else that of the second."""
    return torch.fmod(call[0], call[1]) if call.get("fmod", 0) else torch.remainder(call[0], call[1])


@operator("Pow", family=FAMILY)
def power(call: Call) -> torch.Tensor:
    """In the type of the base."""
    base, exponent = call[0], call[1]
    if base.is_floating_point():
        return torch.pow(base, exponent).to(base.dtype)
    return torch.pow(base.double(), exponent.double()).to(base.dtype)


@operator("Min", family=FAMILY)
def least(call: Call) -> torch.Tensor:
    return functools.reduce(torch.minimum, call.tensors())


@operator("Max", family=FAMILY)
def greatest(call: Call) -> torch.Tensor:
    return functools.reduce(torch.maximum, call.tensors())


@operator("Sum", family=FAMILY)
def total(call: Call) -> torch.Tensor:
    return functools.reduce(torch.add, call.tensors())


@operator("Mean", family=FAMILY)
def mean(call: Call) -> torch.Tensor:
    return torch.div(total(call), len(call.inputs))


@operator("Clip", family=FAMILY)
def clip(call: Call) -> torch.Tensor:
    """Between two bounds, either of which may be left out."""
    clipped = call[0]
    if call.has(1):
        clipped = torch.maximum(clipped, call[1])
    return torch.minimum(clipped, call[2]) if call.has(2) else clipped


@operator("Gemm", family=FAMILY)
def general_product(call: Call) -> torch.Tensor:
    """alpha times the product of two matrices, plus beta times a third."""
    first, second = call[0], call[1]
    first = first.T if call.get("transA", 0) else first
    second = second.T if call.get("transB", 0) else second
    product: torch.Tensor = first @ second
    if (alpha := call.get("alpha", 1.0)) != 1:
        product = product * alpha
    if call.has(2):
        beta = call.get("beta", 1.0)
        product = product + (call[2] if beta == 1 else call[2] * beta)
    return product.to(first.dtype)


@operator("Einsum", family=FAMILY)
def einsum(call: Call) -> torch.Tensor:
    return torch.einsum(call.get("equation"), *call.tensors())


@operator("CumSum", family=FAMILY)
def running_sum(call: Call) -> torch.Tensor:
    values, axis = call[0], int(call[1])
    backwards = bool(call.get("reverse", 0))
    values = values.flip(axis) if backwards else values
    sums = values.cumsum(axis, dtype=values.dtype)
    if call.get("exclusive", 0):
        sums = sums - values
    return sums.flip(axis) if backwards else sums


@operator("Equal", family=FAMILY, gradient=False)
def equal(call: Call) -> torch.Tensor:
    first, second = call.value(0), call.value(1)
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return torch.from_numpy(np.asarray(first == second, dtype=bool))
    return torch.eq(call[0], call[1])


@operator("IsInf", family=FAMILY, gradient=False)
def is_infinite(call: Call) -> torch.Tensor:
    values = call[0]
    found = torch.zeros_like(values, dtype=torch.bool)
    if call.get("detect_positive", 1):
        found |= torch.isposinf(values)
    if call.get("detect_negative", 1):
        found |= torch.isneginf(values)
    return found


@operator("Where", family=FAMILY)
def where(call: Call) -> Value:
    first, second = call.value(1), call.value(2)
    if isinstance(first, np.ndarray) and isinstance(second, np.ndarray):
        return np.where(call[0].numpy(), first, second)
    return torch.where(call[0], call[1], call[2])


@operator("BitShift", family=FAMILY, gradient=False)
def shift(call: Call) -> torch.Tensor:
    wide = [each.to(torch.int64) for each in call.tensors()]
    if call[0].dtype == torch.uint64:
        raise NotInterpretable("64-bit numbers without sign")
    left = call.get("direction") == "LEFT"
    return (wide[0] << wide[1] if left else wide[0] >> wide[1]).to(call[0].dtype)
