"""The confined child's side of an ONNX model; confined.py is the other side."""

from typing import Any

from evenhand.classifiers.confine.message import Message, unpack_columns
from evenhand.classifiers.runtimes.onnx_model import OnnxModel


class OnnxWorker:
    """Opens one model, then scores batches."""

    def __init__(self) -> None:
        import onnx  # noqa: F401  # counts as starting, not as opening the model
        import onnxruntime  # noqa: F401

        self._model: OnnxModel | None = None

    def answer(self, request: Message) -> Message:
        """`do` is "open", "columns" or "images"."""
        if request.head["do"] == "open":
            return Message(self._open(request))
        assert self._model is not None
        if request.head["do"] == "images":
            scores = self._model.score_images(request.arrays["images"])
        else:
            scores = self._model.score_columns(unpack_columns(request.arrays, request.head["columns"]))
        return Message({"scores": self._model.outputs.scores}, {"scores": scores})

    def _open(self, request: Message) -> dict[str, Any]:
        head = request.head
        shape = head.get("image_shape")
        self._model = model = OnnxModel(
            request.arrays["model"].tobytes(),
            name=head["name"],
            features=head.get("features"),
            classes=head.get("classes"),
            image_shape=tuple(shape) if shape else None,
            output=head.get("output"),
            threads=head["threads"],
        )
        return {
            "kind": "onnx graph",
            "features": list(model.inputs.features),
            "image_shape": list(model.inputs.image_shape) if model.inputs.image_shape else None,
            "classes": list(model.classes),
            "inputs": [[each.name, each.type, list(each.shape)] for each in model.inputs.inputs],
            "scores": model.outputs.scores,
            "opset": model.facts.opset,
            "producer": model.facts.producer,
            "training": None,
        }
