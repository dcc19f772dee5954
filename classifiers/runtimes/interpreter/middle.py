"""The middle layer of a graph, for concept vectors: what the middle one of its layers with weights reads.

The layers are counted in the file's order, which ONNX demands to be computable; of L layers with weights it is what
number L // 2 (from 0) reads. Behind the last one every picture has the same gradient, so fewer than three have no middle.
"""

from typing import Any

import torch

from evenhand.classifiers.runtimes.interpreter.graph import needed

WITH_WEIGHTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
FEWEST_LAYERS = 3
LARGEST_SIDE = 8
"""Maps larger than this are averaged over blocks before they travel."""


def middle_value(model: Any, output: str) -> str | None:
    """Name of the value; None where fewer than FEWEST_LAYERS layers lead to the output."""
    weights = {each.name for each in model.graph.initializer}
    weights |= {name for node in model.graph.node if node.op_type in ("Constant", "Identity") for name in node.output}
    layers = [
        node
        for node in needed(model.graph, output)
        if node.op_type in WITH_WEIGHTS and node.input[1] in weights and node.input[0] not in weights
    ]
    return str(layers[len(layers) // 2].input[0]) if len(layers) >= FEWEST_LAYERS else None


def pooled(values: torch.Tensor) -> torch.Tensor:
    """Shape (n, ...) as float32; maps (n, channels, height, width) with sides of at most LARGEST_SIDE."""
    values = values.to(torch.float32)
    if values.ndim == 4 and max(values.shape[2:]) > LARGEST_SIDE:
        sides = (min(values.shape[2], LARGEST_SIDE), min(values.shape[3], LARGEST_SIDE))
        values = torch.nn.functional.adaptive_avg_pool2d(values, sides)
    return values.contiguous()
