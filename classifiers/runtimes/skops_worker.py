"""The confined child's side of a scikit-learn model; confined.py is the other side."""

from typing import Any

from evenhand.classifiers.confine.message import Message, unpack_columns
from evenhand.classifiers.runtimes import skops_file
from evenhand.classifiers.runtimes.pipeline import Pipeline


class SkopsWorker:
    """Opens one model, then scores batches."""

    def __init__(self) -> None:
        import pandas  # noqa: F401  # counts as starting, not as opening the model
        import sklearn  # noqa: F401
        import skops.io  # noqa: F401

        self._model: Pipeline | None = None

    def answer(self, request: Message) -> Message:
        """`do` is "open" or "columns"."""
        if request.head["do"] == "open":
            return Message(self._open(request))
        assert self._model is not None
        columns = unpack_columns(request.arrays, request.head["columns"])
        return Message({"scores": "probabilities"}, {"scores": self._model.predict_proba(columns)})

    def _open(self, request: Message) -> dict[str, Any]:
        self._model, record = skops_file.from_bytes(
            request.arrays["model"].tobytes(),
            name=request.head["name"],
            features=request.head.get("features"),
            classes=request.head.get("classes"),
        )
        last = self._model.estimator[-1] if hasattr(self._model.estimator, "steps") else self._model.estimator
        return {
            "kind": record.kind if record else type(last).__name__,
            "features": list(self._model.features),
            "image_shape": None,
            "classes": list(self._model.classes),
            "inputs": [[name, "column", [None]] for name in self._model.features],
            "scores": "probabilities",
            "opset": None,
            "producer": None,
            "training": record.to_json() if record else None,
            "no_gradients": "scikit-learn's models give none",
        }
