"""The confined child's side of an ONNX model; confined.py is the other side."""

from typing import TYPE_CHECKING, Any

import numpy as np

from evenhand.classifiers.confine.message import Message, unpack_columns
from evenhand.classifiers.runtimes.onnx_model import OnnxModel

if TYPE_CHECKING:
    from evenhand.classifiers.runtimes.interpreter.check import Checked
    from evenhand.classifiers.runtimes.interpreter.logits import PictureGradients

TABLES_NEED_NONE = "it reads a table, and audits of tables ask for none"


class OnnxWorker:
    """Opens one model, then scores batches."""

    def __init__(self) -> None:
        import onnx  # noqa: F401  # counts as starting, not as opening the model
        import onnxruntime  # noqa: F401

        self._model: OnnxModel | None = None
        self._checked: Checked | None = None

    def answer(self, request: Message) -> Message:
        """`do` is "open", "columns", "images", "logits", "gradient", "middle" or "kernels"."""
        if request.head["do"] == "open":
            return Message(self._open(request))
        if request.head["do"] in ("logits", "gradient", "middle", "kernels"):
            return self._differentiate(request)
        assert self._model is not None
        if request.head["do"] == "images":
            scores = self._model.score_images(request.arrays["images"])
        else:
            scores = self._model.score_columns(unpack_columns(request.arrays, request.head["columns"]))
        return Message({"scores": self._model.outputs.scores}, {"scores": scores})

    def _differentiate(self, request: Message) -> Message:
        assert self._checked is not None
        gradients, arrays = self._checked.gradients, request.arrays
        assert gradients is not None
        if request.head["do"] == "middle":
            activations, slopes = gradients.at_middle_layer(arrays["images"], arrays["weights"])
            return Message({}, {"activations": activations, "slopes": slopes})
        if request.head["do"] == "kernels":
            return Message(
                {"names": [name for name, _ in gradients.kernels]},
                {str(index): weights for index, (_, weights) in enumerate(gradients.kernels)},
            )
        ticket, read = request.head["ticket"], request.head["read"]
        if request.head["do"] == "logits":
            return Message({}, {read: gradients.answer(arrays["images"], ticket=ticket, read=read)})
        pulled = gradients.pull(arrays["upstream"], ticket=ticket, images=arrays.get("images"), read=read)
        return Message({}, {"gradient": pulled})

    def _open(self, request: Message) -> dict[str, Any]:
        head = request.head
        shape = head.get("image_shape")
        data = request.arrays["model"].tobytes()
        self._model = model = OnnxModel(
            data,
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
            "training": model.facts.training.to_json() if model.facts.training else None,
            "layout": model.inputs.layout,
            "output": model.outputs.output,
            "outputs": [list(each) for each in model.answers],
            **self._gradients(data, model, threads=head["threads"]),
        }

    def _gradients(self, data: bytes, model: OnnxModel, *, threads: int) -> dict[str, Any]:
        """Whether there are gradients, and if not why."""
        if model.inputs.image_shape is None:
            return {"gradients": False, "no_gradients": TABLES_NEED_NONE, "difference": None, "compared": 0}
        import torch  # here, since audits of tables do without, and it takes seconds

        from evenhand.classifiers.runtimes.interpreter.check import checked_gradients

        torch.set_num_threads(threads)
        self._checked = found = checked_gradients(data, model)
        return {
            "gradients": found.gradients is not None,
            "no_gradients": found.reason,
            "difference": found.difference,
            "compared": found.rows,
            "middle_layer": _middle_layer(found.gradients, model),
            **_last_layer(found.gradients, model),
        }


def _middle_layer(gradients: "PictureGradients | None", model: OnnxModel) -> str | None:
    """Its name, where it can be looked into: tried once with made-up pictures."""
    from evenhand.classifiers.runtimes.interpreter.check import made_up

    if gradients is None or gradients.middle_layer is None or model.inputs.image_shape is None:
        return None
    pictures = made_up(model.inputs.image_shape)[:2]
    try:
        gradients.at_middle_layer(pictures, np.ones((len(pictures), len(model.classes)), dtype=np.float32))
    except MemoryError:
        raise
    except Exception:  # a stranger's graph: it can still be scored and attacked
        return None
    return gradients.middle_layer


def _last_layer(gradients: "PictureGradients | None", model: OnnxModel) -> dict[str, Any]:
    """Name of what the last linear layer reads and how many values that is, where made-up pictures can be followed there."""
    from evenhand.classifiers.runtimes.interpreter.check import made_up

    nothing = {"last_layer": None, "last_values": 0}
    if gradients is None or gradients.last_layer is None or model.inputs.image_shape is None:
        return nothing
    try:
        read = gradients.answer(made_up(model.inputs.image_shape)[:2], ticket=None, read="features")
    except MemoryError:
        raise
    except Exception:  # as above
        return nothing
    return {"last_layer": gradients.last_layer, "last_values": read.shape[1]}
