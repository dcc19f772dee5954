"""What an ONNX file says about itself: version, producer, class names, how each output is made. Nothing is run."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evenhand.classifiers.errors import CorruptModel, UnsupportedModel, listed
from evenhand.classifiers.training.record import TrainingRecord

CLASSES_KEY, TRAINING_KEY = "evenhand.classes", "evenhand.training"
CLASS_ATTRIBUTES = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
PASSES_ON = ("Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Dropout")
ONE_FILE = "Save it as one file: onnx.save(model, path, save_as_external_data=False)."


@dataclass(frozen=True)
class GraphFacts:
    """Of one file.

    Args:
        opset: version of the standard operators.
        producer: name and version of the program that wrote it; may be empty.
        classes: names in the order of the scores, where the file tells them.
        made_by: for each output the operator that makes it, e.g. "Softmax".
        training: how it came to be, where evenhand trained it.
    """

    opset: int
    producer: str
    classes: tuple[str, ...] | None
    made_by: dict[str, str]
    training: TrainingRecord | None


def facts_of(data: bytes, *, name: str) -> GraphFacts:
    """Read the file's description of itself.

    Raises:
        CorruptModel: it cannot be parsed, holds no graph, or a damaged training record.
        UnsupportedModel: weights lie in other files.
    """
    import onnx

    try:
        model = onnx.load_model_from_string(data)
    except Exception as problem:  # protobuf's DecodeError, whose package has no types
        raise CorruptModel(name=name, problem=f"damaged ONNX ({problem})") from None
    if not model.graph.node or not model.graph.output:
        raise CorruptModel(name=name, problem="an ONNX file without a graph")
    elsewhere = sorted({_location(tensor) for tensor in _tensors(model) if tensor.data_location == tensor.EXTERNAL})
    if elsewhere:
        raise UnsupportedModel(
            name=name, problem=f"it keeps its weights in other files: {listed(elsewhere)}", instead=ONE_FILE
        )
    return GraphFacts(
        opset=max((part.version for part in model.opset_import if part.domain in ("", "ai.onnx")), default=0),
        producer=f"{model.producer_name} {model.producer_version}".strip()[:200],
        classes=_classes(model),
        made_by={output.name: _maker(model.graph, output.name) for output in model.graph.output},
        training=_training(model, name),
    )


def _location(tensor: Any) -> str:
    return next((entry.value for entry in tensor.external_data if entry.key == "location"), "?")[:200]


def _tensors(model: Any) -> Iterator[Any]:
    yield from _tensors_of_graph(model.graph)
    for function in model.functions:
        yield from _tensors_of_nodes(function.node)


def _tensors_of_graph(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_of_nodes(graph.node)


def _tensors_of_nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for graph in (attribute.g, *attribute.graphs):
                yield from _tensors_of_graph(graph)


def _classes(model: Any) -> tuple[str, ...] | None:
    for entry in model.metadata_props:
        if entry.key == CLASSES_KEY:
            try:
                return tuple(str(name) for name in json.loads(entry.value))
            except (ValueError, TypeError):
                return None
    for node in reversed(model.graph.node):
        for attribute in node.attribute:
            if attribute.name in CLASS_ATTRIBUTES:
                labels = [text.decode(errors="replace") for text in attribute.strings] or list(attribute.ints)
                return tuple(str(label) for label in labels) or None
    return None


def _training(model: Any, name: str) -> TrainingRecord | None:
    for entry in model.metadata_props:
        if entry.key == TRAINING_KEY:
            try:
                return TrainingRecord.from_json(json.loads(entry.value))
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                raise CorruptModel(name=name, problem=f"its training record is damaged ({problem!r})") from None
    return None


def _maker(graph: Any, output: str) -> str:
    """The operator behind an output, looking through those that only pass values on."""
    makers = {name: node for node in graph.node for name in node.output}
    for _ in range(len(graph.node)):
        node = makers.get(output)
        if node is None:
            return ""
        if node.op_type not in PASSES_ON or not node.input:
            return str(node.op_type)[:100]
        output = node.input[0]
    return ""
