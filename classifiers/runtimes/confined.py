"""Models that score in a confined child, seen from here: batches go there, scores come back and are checked.

What a child says about a model is said by whoever wrote the model; it is checked for form before anything uses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.card import Differentiability, InputSpec
from evenhand.classifiers.columns import Columns, chosen, row_count, rows_of
from evenhand.classifiers.confine.message import Message, pack_columns
from evenhand.classifiers.confine.process import ConfinedProcess
from evenhand.classifiers.errors import ChildFailed, WrongOutput
from evenhand.classifiers.images import ImageShape, checked
from evenhand.classifiers.limits import Limits
from evenhand.classifiers.models import ImageModel, TableModel, batches
from evenhand.classifiers.training.record import TrainingRecord

WORKERS = {
    "onnx": "evenhand.classifiers.runtimes.onnx_worker:OnnxWorker",
    "skops": "evenhand.classifiers.runtimes.skops_worker:SkopsWorker",
}
GUESSED_TEXT_BYTES = 24


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a child found in a model."""

    kind: str
    features: tuple[str, ...]
    image_shape: ImageShape | None
    classes: tuple[str, ...]
    inputs: tuple[InputSpec, ...]
    scores: str
    opset: int | None
    producer: str | None
    training: TrainingRecord | None
    layout: str | None
    output: str | None
    outputs: tuple[tuple[str, str], ...]
    differentiability: Differentiability
    middle_layer: str | None = None
    last_layer: str | None = None
    last_values: int = 0


def open_confined(
    data: bytes,
    format_name: str,
    *,
    name: str,
    features: Sequence[str] | None,
    classes: Sequence[str] | None,
    image_shape: ImageShape | None,
    output: str | None,
    limits: Limits,
) -> tuple["ConfinedTable | ConfinedImages", Opened, str]:
    """Start a child, have it open the model, and return the classifier, what was found, and the confinement.

    Raises:
        ConfinementUnavailable, ChildFailed: as `ConfinedProcess`.
        UnsupportedModel, CorruptModel, WrongInput: what the child found.
    """
    process = ConfinedProcess(WORKERS[format_name], name=name, limits=limits)
    try:
        head = {
            "do": "open",
            "name": name,
            "features": list(features) if features is not None else None,
            "classes": list(classes) if classes is not None else None,
            "image_shape": list(image_shape) if image_shape is not None else None,
            "output": output,
            "threads": limits.threads,
        }
        answer = process.ask(Message(head, {"model": np.frombuffer(data, dtype=np.uint8)}))
        opened = _opened(answer.head, name)
    except BaseException:
        process.close()
        raise
    if opened.image_shape is None:
        return ConfinedTable(process, opened), opened, process.mode
    if opened.differentiability.gradients:
        from evenhand.classifiers.runtimes.confined_gradients import DifferentiableImages

        return DifferentiableImages(process, opened, opened.image_shape), opened, process.mode
    return ConfinedImages(process, opened, opened.image_shape), opened, process.mode


class ConfinedTable(TableModel):
    """A classifier of rows in a child."""

    def __init__(self, process: ConfinedProcess, opened: Opened) -> None:
        self.process, self.features, self.classes = process, opened.features, opened.classes

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """As in `TableModel`."""
        taken = chosen(columns, self.features)
        count = row_count(taken)
        bytes_a_row = sum(GUESSED_TEXT_BYTES if column.dtype == object else 8 for column in taken.values())
        scores = np.zeros((count, len(self.classes)))
        for rows in batches(count, bytes_a_row, most_bytes=self.process.limits.batch_bytes):
            request = Message({"do": "columns", "columns": list(taken)}, pack_columns(rows_of(taken, rows)))
            scores[rows] = _checked_scores(self.process, request, rows.stop - rows.start, len(self.classes))
        return scores

    def close(self) -> None:
        """End the child."""
        self.process.close()


class ConfinedImages(ImageModel):
    """A classifier of pictures in a child."""

    def __init__(self, process: ConfinedProcess, opened: Opened, image_shape: ImageShape) -> None:
        self.process, self.image_shape, self.classes = process, image_shape, opened.classes
        self.middle_layer = opened.middle_layer
        self.last_layer, self.last_values = opened.last_layer, opened.last_values

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """As in `ImageModel`."""
        images = checked(images, self.image_shape)
        scores = np.zeros((len(images), len(self.classes)))
        bytes_a_row = 4 * int(np.prod(self.image_shape))
        for rows in batches(len(images), bytes_a_row, most_bytes=self.process.limits.batch_bytes):
            request = Message({"do": "images"}, {"images": images[rows]})
            scores[rows] = _checked_scores(self.process, request, rows.stop - rows.start, len(self.classes))
        return scores

    def close(self) -> None:
        """End the child."""
        self.process.close()


def _checked_scores(process: ConfinedProcess, request: Message, rows: int, classes: int) -> NDArray[np.float64]:
    scores = process.ask(request).arrays.get("scores")
    expected = f"probabilities of shape ({rows}, {classes})"
    if scores is None or scores.shape != (rows, classes) or scores.dtype != np.float64:
        raise WrongOutput(name=process.name, expected=expected, got="something else")
    if not (np.isfinite(scores).all() and (scores >= -1e-3).all() and (np.abs(scores.sum(axis=1) - 1) < 1e-2).all()):
        raise WrongOutput(name=process.name, expected=expected, got="rows that do not sum to 1")
    return scores


def _opened(head: dict[str, Any], name: str) -> Opened:
    try:
        shape = head["image_shape"]
        height, width, channels = (int(size) for size in shape) if shape else (0, 0, 0)
        opened = Opened(
            kind=str(head["kind"]),
            features=tuple(str(feature) for feature in head["features"]),
            image_shape=(height, width, channels) if shape else None,
            classes=tuple(str(label) for label in head["classes"]),
            inputs=tuple(
                InputSpec(name=str(each), type=str(kind), shape=tuple(size and int(size) for size in sizes))
                for each, kind, sizes in head["inputs"]
            ),
            scores=str(head["scores"]),
            opset=head["opset"] and int(head["opset"]),
            producer=head["producer"] and str(head["producer"]),
            training=TrainingRecord.from_json(head["training"]) if head["training"] else None,
            layout=head.get("layout") and str(head["layout"]),
            output=head.get("output") and str(head["output"]),
            outputs=tuple((str(each), str(kind)) for each, kind in head.get("outputs", ())),
            differentiability=_differentiability(head),
            middle_layer=head.get("middle_layer") and str(head["middle_layer"])[:200],
            last_layer=head.get("last_layer") and str(head["last_layer"])[:200],
            last_values=int(head.get("last_values", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise ChildFailed(name=name, reason="error", detail=f"it described the model as {problem!r}") from None
    if list(opened.classes) != sorted(set(opened.classes)) or (opened.image_shape and min(opened.image_shape) < 1):
        raise ChildFailed(name=name, reason="error", detail="it described classes or sizes that cannot be")
    return opened


def _differentiability(head: dict[str, Any]) -> Differentiability:
    difference = head.get("difference")
    return Differentiability(
        gradients=head.get("gradients") is True,
        reason=head.get("no_gradients") and str(head["no_gradients"]),
        difference=None if difference is None else float(difference),
        rows=int(head.get("compared", 0)),
    )
