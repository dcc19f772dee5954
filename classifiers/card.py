"""What was found in a model file: the facts that a report and a page of the model show."""

from dataclasses import asdict, dataclass
from typing import Any

from evenhand.classifiers.training.record import TrainingRecord


@dataclass(frozen=True, kw_only=True)
class InputSpec:
    """One input of a model. A dimension that is free, such as the number of rows, is None."""

    name: str
    type: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, kw_only=True)
class Differentiability:
    """Whether a model can be differentiated.

    Args:
        gradients: whether it can.
        reason: why not; None where it can.
        difference: for an ONNX graph that was interpreted, the largest difference of a probability from onnxruntime.
        rows: how many made-up pictures that difference is over.
    """

    gradients: bool
    reason: str | None = None
    difference: float | None = None
    rows: int = 0


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A model file, as found.

    Args:
        kind: "convnet4", "logistic_regression", the class of a scikit-learn estimator, or "onnx graph".
        format: "onnx", "safetensors" or "skops".
        takes: "table" or "images".
        inputs: what it reads.
        features: its columns in order; empty for pictures.
        image_shape: height, width, channels; None for tables.
        classes: sorted label texts.
        scores: what the file gives: "probabilities", "logits", "labels" alone; "undecided" before the first row.
        bytes: size of the file.
        sha256: its digest, in hexadecimal.
        gradients: whether it can be differentiated.
        no_gradients: why not; None where it can.
        difference: of an interpreted ONNX graph: by how much a probability differs from onnxruntime's, at most.
        compared: on how many made-up pictures.
        layout: how rows go in: "nchw", "nhwc", "tensor" (all columns in one) or "columns"; None where it is ours.
        output: of an ONNX file, the output that is read as scores.
        outputs: all its outputs, name and type.
        confined: the confinement it runs in; None for our own networks, which are no code.
        opset, producer: of an ONNX file.
        training: how it came to be, where evenhand trained it.
    """

    kind: str
    format: str
    takes: str
    inputs: tuple[InputSpec, ...]
    features: tuple[str, ...]
    image_shape: tuple[int, int, int] | None
    classes: tuple[str, ...]
    scores: str
    bytes: int
    sha256: str
    gradients: bool
    no_gradients: str | None = None
    difference: float | None = None
    compared: int = 0
    layout: str | None = None
    output: str | None = None
    outputs: tuple[tuple[str, str], ...] = ()
    confined: str | None = None
    opset: int | None = None
    producer: str | None = None
    training: TrainingRecord | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"training": self.training.to_json() if self.training else None}
