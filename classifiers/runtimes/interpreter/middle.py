"""What lies inside a graph: what its middle and its last layer with weights read, and the kernels of its convolutions.

The layers are counted in the file's order, which ONNX demands to be computable; of L layers with weights it is what
number L // 2 (from 0) reads. Behind the last one every picture has the same gradient, so fewer than three have no middle.
The features of a network are what its last linear layer reads.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evenhand.classifiers.runtimes.interpreter.graph import needed

LINEAR = ("Gemm", "MatMul")
WITH_WEIGHTS = ("Conv", "ConvTranspose", *LINEAR)
FEWEST_LAYERS = 3
LARGEST_SIDE = 8
"""Maps larger than this are averaged over blocks before they travel."""


def middle_value(model: Any, output: str) -> str | None:
    """Name of the value; None where fewer than FEWEST_LAYERS layers lead to the output."""
    layers = _layers(model, output)
    return str(layers[len(layers) // 2].input[0]) if len(layers) >= FEWEST_LAYERS else None


def last_value(model: Any, output: str) -> str | None:
    """Name of the value that the last linear layer reads; None where none leads to the output."""
    linear = [node for node in _layers(model, output) if node.op_type in LINEAR]
    return str(linear[-1].input[0]) if linear else None


def kernels(model: Any, output: str) -> list[tuple[str, NDArray[np.float32]]]:
    """Every 2-d convolution that leads to the output, in order: its name, and weights (filters, channels, height, width)."""
    from onnx import numpy_helper

    held = {each.name: each for each in model.graph.initializer}
    names = [str(node.input[1]) for node in _layers(model, output) if node.op_type == "Conv"]
    return [
        (name.removesuffix(".weight"), numpy_helper.to_array(held[name]).astype(np.float32))
        for name in names
        if name in held and len(held[name].dims) == 4
    ]


def _layers(model: Any, output: str) -> list[Any]:
    """The nodes with weights of their own that lead to the output."""
    weights = {each.name for each in model.graph.initializer}
    weights |= {name for node in model.graph.node if node.op_type in ("Constant", "Identity") for name in node.output}
    return [
        node
        for node in needed(model.graph, output)
        if node.op_type in WITH_WEIGHTS and node.input[1] in weights and node.input[0] not in weights
    ]


def pooled(values: torch.Tensor) -> torch.Tensor:
    """Shape (n, ...) as float32; maps (n, channels, height, width) with sides of at most LARGEST_SIDE."""
    values = values.to(torch.float32)
    if values.ndim == 4 and max(values.shape[2:]) > LARGEST_SIDE:
        sides = (min(values.shape[2], LARGEST_SIDE), min(values.shape[3], LARGEST_SIDE))
        values = torch.nn.functional.adaptive_avg_pool2d(values, sides)
    return values.contiguous()
