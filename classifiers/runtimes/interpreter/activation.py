"""Activations: functions of one number that networks put between their layers, and softmax."""

import torch
from torch.nn import functional

from evenhand.classifiers.runtimes.interpreter.call import Call
from evenhand.classifiers.runtimes.interpreter.operators import enter_all, operator

FAMILY = "activation"

enter_all(
    {
        "HardSwish": functional.hardswish,
        "Mish": functional.mish,
        "Relu": torch.relu,
        "Sigmoid": torch.sigmoid,
        "Softplus": functional.softplus,
        "Softsign": functional.softsign,
    },
    family=FAMILY,
)


@operator("LeakyRelu", family=FAMILY)
def leaky(call: Call) -> torch.Tensor:
    return functional.leaky_relu(call[0], call.get("alpha", 0.01))


@operator("PRelu", family=FAMILY)
def parametric(call: Call) -> torch.Tensor:
    values, slope = call[0], call[1]
    return torch.where(values < 0, slope * values, values)


@operator("Elu", family=FAMILY)
def exponential(call: Call) -> torch.Tensor:
    return functional.elu(call[0], call.get("alpha", 1.0))


@operator("Celu", family=FAMILY)
def smooth_exponential(call: Call) -> torch.Tensor:
    return functional.celu(call[0], call.get("alpha", 1.0))


@operator("Selu", family=FAMILY)
def scaled_exponential(call: Call) -> torch.Tensor:
    """Klambauer et al. (2017); the defaults are those of the ONNX standard."""
    alpha, gamma = call.get("alpha", 1.6732632423543772), call.get("gamma", 1.0507009873554805)
    return functional.elu(call[0], alpha) * float(gamma)


@operator("ThresholdedRelu", family=FAMILY)
def thresholded(call: Call) -> torch.Tensor:
    return torch.where(call[0] > call.get("alpha", 1.0), call[0], torch.zeros_like(call[0]))


@operator("HardSigmoid", family=FAMILY)
def hard_sigmoid(call: Call) -> torch.Tensor:
    return torch.clamp(call[0] * call.get("alpha", 0.2) + call.get("beta", 0.5), 0, 1)


@operator("Shrink", family=FAMILY)
def shrink(call: Call) -> torch.Tensor:
    values, bound, bias = call[0], call.get("lambd", 0.5), call.get("bias", 0.0)
    inside = torch.zeros_like(values)
    return torch.where(values < -bound, values + bias, torch.where(values > bound, values - bias, inside))


@operator("Gelu", family=FAMILY)
def gelu(call: Call) -> torch.Tensor:
    return functional.gelu(call[0], approximate=call.get("approximate", "none"))


@operator("Swish", family=FAMILY)
def swish(call: Call) -> torch.Tensor:
    return call[0] * torch.sigmoid(call.get("alpha", 1.0) * call[0])


@operator("Softmax", family=FAMILY)
def softmax(call: Call) -> torch.Tensor:
    return torch.softmax(call[0], call.get("axis", -1))


@operator("LogSoftmax", family=FAMILY)
def log_softmax(call: Call) -> torch.Tensor:
    return torch.log_softmax(call[0], call.get("axis", -1))


@operator("Hardmax", family=FAMILY, gradient=False)
def hardmax(call: Call) -> torch.Tensor:
    values, axis = call[0], call.get("axis", -1)
    first = values.argmax(axis, keepdim=True)
    return torch.zeros_like(values).scatter(axis, first, 1)
