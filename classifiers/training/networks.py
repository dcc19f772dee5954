"""Training a network from a description: what tables and pictures share once both are numbers."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description, UnknownNetwork
from evenhand.classifiers.architectures.registry import build
from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.runtimes.network import Network, network
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.loop import Part, Settings, fit, resolve_device, seeded
from evenhand.classifiers.training.record import TrainingRecord
from evenhand.classifiers.training.split import Split
from evenhand.classifiers.training.trained import Progress

if TYPE_CHECKING:
    from evenhand.classifiers.training.loop import Augment


def train_network(
    description: Description,
    rows: NDArray[np.float32],
    labels: Labels,
    split: Split,
    *,
    settings: Settings,
    seed: int,
    device: str,
    progress: Progress,
    augment: "Augment | None" = None,
) -> tuple[Network, TrainingRecord]:
    """Build the described network and fit it.

    Args:
        rows: what the network reads, shape (n, numbers) or (n, channels, height, width).
        labels: of all rows.
        split: which rows it learns from.
        augment: changes every batch of learning rows at random.

    Raises:
        TrainingFailed: the registry has no such network.
    """
    import torch

    device = resolve_device(device)
    with seeded(seed, device):
        try:
            module = build(description)
        except UnknownNetwork as problem:
            raise TrainingFailed(
                kind=description.kind, problem=str(problem), instead="Choose another kind, or merge classes."
            ) from None
        train, valid = (
            Part(torch.from_numpy(rows[part]), torch.from_numpy(labels.codes[part])) if len(part) else None
            for part in (split.train, split.valid)
        )
        assert train is not None  # split_rows leaves two classes to learn from
        curve = fit(
            module,
            train,
            valid,
            settings=settings,
            generator=np.random.default_rng(seed),
            device=device,
            progress=progress,
            augment=augment,
        )
    record = TrainingRecord(
        kind=description.kind,
        seed=seed,
        device=device,
        split=split.words,
        train_rows=len(split.train),
        valid_rows=len(split.valid),
        class_counts=labels.counts,
        settings=asdict(settings),
        epochs=curve.epochs,
        best_epoch=curve.best_epoch,
        stopped_early=curve.stopped_early,
    )
    return network(description, module), record
