"""Training networks on pictures: `convnet4`, `resnet_small`, `mlp`, `neuron`."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.architectures.registry import IMAGE_KINDS
from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.training import augment
from evenhand.classifiers.training.labels import labels_of
from evenhand.classifiers.training.loop import Settings
from evenhand.classifiers.training.networks import train_network
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.split import split_rows
from evenhand.classifiers.training.trained import SAMPLE_ROWS, Progress, Trained, silent

HIDDEN = (128, 32)


def train_images(
    kind: str,
    images: NDArray[np.uint8],
    label: NDArray[Any],
    *,
    classes: Sequence[str] | None = None,
    units: NDArray[Any] | None = None,
    seed: int,
    device: str = "auto",
    epochs: int = 30,
    valid_fraction: float = 0.15,
    flip: bool | None = None,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train a network on pictures: AdamW at 2e-3, weight decay 1e-2, one cycle, batches of 32, mirrored and shifted.

    Args:
        kind: "convnet4", "resnet_small", "mlp" or "neuron" (two classes only).
        images: shape (n, height, width, channels), bytes.
        label: shape (n,), label values, or integer codes where `classes` are given.
        classes: sorted label texts; None takes those that occur.
        units: shape (n,), whose picture it is; a unit is held out as a whole.
        seed: the only source of chance.
        device: "auto", "cpu" or "cuda".
        epochs: passes at most; fewer when the validation loss stalls (`options.patience`, ten).
        valid_fraction: held out for choosing the best epoch; 0 learns from all and keeps the last.
        flip: whether pictures are mirrored while learning; None mirrors pictures in colour.
        options: groups to watch, weights, patience, checkpoint.
        progress: called with the fraction done and a line for people.

    Raises:
        TrainingFailed: unknown kind, wrong shapes, or labels from which nothing can be learned.
    """
    if kind not in IMAGE_KINDS:
        raise TrainingFailed(kind=kind, problem="it is not known", instead=f"Choose {', '.join(IMAGE_KINDS)}.")
    images = np.asarray(images)
    if images.ndim != 4 or images.dtype != np.uint8 or 0 in images.shape[1:]:
        raise TrainingFailed(
            kind=kind,
            problem=f"pictures of shape {images.shape} and type {images.dtype}",
            instead="Pass bytes of shape (n, height, width, channels).",
        )
    labels = labels_of(kind, label, classes, rows=len(images))
    split = split_rows(
        labels.codes, fraction=valid_fraction, units=units, generator=np.random.default_rng([seed, 1]), kind=kind
    )
    options = options or TrainingOptions()
    height, width, channels = images.shape[1:]
    fractions = (images / np.float32(255)).astype(np.float32)
    changes = augment.usual(height, width, channels)
    if flip is not None:
        changes = replace(changes, flip=flip)
    classifier, record = train_network(
        Description(
            kind=kind,
            classes=labels.classes,
            hidden=HIDDEN if kind == "mlp" else (),
            image_shape=(height, width, channels),
        ),
        np.ascontiguousarray(fractions.transpose(0, 3, 1, 2)),
        labels,
        split,
        settings=Settings(epochs=epochs, patience=options.patience),
        options=options,
        seed=seed,
        device=device,
        progress=progress or silent,
        augment=changes,
    )
    record = replace(record, settings={**record.settings, **asdict(changes)})
    return Trained(classifier, record, fractions[split.train[:SAMPLE_ROWS]])
