"""Networks as safetensors: weights as tensors, the description and the training record as JSON in the metadata."""

import json
from typing import Any

import numpy as np

from evenhand.classifiers.architectures.description import Description, UnknownNetwork
from evenhand.classifiers.architectures.registry import build
from evenhand.classifiers.errors import CorruptModel, UnsupportedModel
from evenhand.classifiers.runtimes.network import Network, network
from evenhand.classifiers.training.record import TrainingRecord

KEY = "evenhand"


def to_bytes(classifier: Network, record: TrainingRecord) -> bytes:
    """The whole file."""
    from safetensors.numpy import save

    weights = {f"weights.{name}": tensor.cpu().numpy() for name, tensor in classifier.module.state_dict().items()}
    encoder = classifier.description.encoder
    numbers = encoder.numbers() if encoder else {}
    document = {"description": classifier.description.to_json(), "training": record.to_json()}
    return save({**weights, **numbers}, metadata={KEY: json.dumps(document)})


def from_bytes(data: bytes, *, name: str) -> tuple[Network, TrainingRecord | None]:
    """The network in a file that anybody may have written; it is built by the registry, so no code of theirs runs.

    Raises:
        CorruptModel: the file, or its description, is damaged.
        UnsupportedModel: no description, a network that the registry does not know, or weights that do not fit it.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
    except (SafetensorError, KeyError, ValueError, TypeError) as problem:
        raise CorruptModel(name=name, problem=f"damaged safetensors ({problem})") from None
    document = _document(data, name)
    try:
        description = Description.from_json(document["description"], arrays)
        record = TrainingRecord.from_json(document["training"]) if document.get("training") else None
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise CorruptModel(name=name, problem=f"its description is damaged ({problem!r})") from None
    try:
        with torch.device("meta"):
            module = build(description)
    except UnknownNetwork as problem:
        raise UnsupportedModel(
            name=name, problem=f"there is no such network here ({problem})", instead=_TO_ONNX
        ) from None
    weights = {key.removeprefix("weights."): value for key, value in arrays.items() if key.startswith("weights.")}
    _check(module.state_dict(), weights, name)
    module = module.to_empty(device="cpu")
    module.load_state_dict({key: torch.from_numpy(np.array(value)) for key, value in weights.items()})
    return network(description, module), record


_TO_ONNX = "Export it to ONNX instead, which carries its own graph."


def _document(data: bytes, name: str) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    if KEY not in metadata:
        raise UnsupportedModel(
            name=name,
            problem=f"these are weights without a description of their network (metadata key {KEY!r})",
            instead=_TO_ONNX,
        )
    try:
        document = json.loads(metadata[KEY])
        if not isinstance(document["description"], dict):
            raise TypeError("the description is no object")
    except (ValueError, TypeError, KeyError, RecursionError) as problem:
        raise CorruptModel(name=name, problem=f"its description is damaged ({problem!r})") from None
    return dict(document)


def _check(wanted: dict[str, Any], weights: dict[str, Any], name: str) -> None:
    """Weights of exactly the network's names and shapes, checked before any memory is taken for the network."""
    shapes = {key: tuple(tensor.shape) for key, tensor in wanted.items()}
    found = {key: tuple(array.shape) for key, array in weights.items()}
    odd = sorted(key for key in shapes.keys() | found.keys() if shapes.get(key) != found.get(key))
    if odd:
        first = odd[0]
        raise UnsupportedModel(
            name=name,
            problem=f"weights do not fit the described network: {first} is {found.get(first)}, not {shapes.get(first)}",
            instead="Save it again with evenhand, or export it to ONNX.",
        )
    if any(array.dtype != np.float32 or not np.isfinite(array).all() for array in weights.values()):
        raise UnsupportedModel(
            name=name, problem="weights are not all finite 32-bit numbers", instead="Save it again as float32."
        )
