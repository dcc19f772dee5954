"""A network of tables as an ONNX graph, with its encoder inside: one named input a column, probabilities out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.encoder import TableEncoder
from evenhand.classifiers.runtimes.network import NetworkOfTables

IR_VERSION = 8
ML_OPSET = 3


class _Parts:
    """Nodes and constants of a graph as it grows; each name is given once."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = output or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name


def table_network(classifier: NetworkOfTables, *, opset: int) -> Any:
    """The onnx.ModelProto: numbers as 64-bit fractions (NaN: missing), levels as text, each of shape (n, 1).

    A column of numbers that training took as levels goes in as text too: 3 as "3".
    """
    from onnx import TensorProto, helper

    encoder, parts = classifier.encoder, _Parts()
    kinds = [TensorProto.DOUBLE if known is None else TensorProto.STRING for known in encoder.levels]
    # A column of nothing but missing texts has no levels, and takes no place.
    read = [place for place, known in enumerate(encoder.levels) if known != ()]
    rows = parts.node("Concat", *[_encoded(encoder, place, parts) for place in read], axis=1)
    parts.node("Softmax", _layers(classifier, rows, parts), output="probabilities", axis=1)
    graph = helper.make_graph(
        parts.nodes,
        classifier.description.kind,
        [
            helper.make_tensor_value_info(column, kind, ["n", 1])
            for column, kind in zip(encoder.features, kinds, strict=True)
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(classifier.classes)])],
        parts.constants,
    )
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return helper.make_model(graph, opset_imports=domains, ir_version=IR_VERSION, producer_name="evenhand")


def _encoded(encoder: TableEncoder, place: int, parts: _Parts) -> str:
    """One column as the network reads it, shape (n, 1) or (n, levels); the same rules as `TableEncoder.encode`."""
    column, known = encoder.features[place], encoder.levels[place]
    if known is not None:
        levels = parts.node("OneHotEncoder", column, domain="ai.onnx.ml", cats_strings=list(known), zeros=1)
        return parts.node("Reshape", levels, parts.constant(np.array([-1, len(known)])))
    mean, scale = (parts.constant(np.array(each[place])) for each in (encoder.means, encoder.scales))
    standard = parts.node("Div", parts.node("Sub", column, mean), scale)
    absent = parts.node("Or", parts.node("IsNaN", standard), parts.node("IsInf", parts.node("Cast", standard, to=1)))
    filled = parts.node("Where", absent, parts.constant(np.array(0.0)), standard)
    return parts.node("Cast", filled, to=1)


def _layers(classifier: NetworkOfTables, rows: str, parts: _Parts) -> str:
    """Logits: dense layers with rectified neurons between them."""
    from torch import nn

    layers = [layer for layer in classifier.module.modules() if isinstance(layer, nn.Linear)]
    value = rows
    for place, layer in enumerate(layers):
        weights, shift = (each.detach().cpu().numpy() for each in (layer.weight, layer.bias))
        if classifier.description.kind == "neuron":  # the logit of the second class, over 0 for the first
            weights, shift = np.concatenate([0 * weights, weights]), np.concatenate([0 * shift, shift])
        value = parts.node("Gemm", value, parts.constant(weights), parts.constant(shift), transB=1)
        if place < len(layers) - 1:
            value = parts.node("Relu", value)
    return value
