"""Training a network from a description: what tables and pictures share once both are numbers."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description, UnknownNetwork
from evenhand.classifiers.architectures.registry import build
from evenhand.classifiers.errors import TrainingFailed
from evenhand.classifiers.runtimes.network import Network, network
from evenhand.classifiers.training.cells import cell_curves, partitions
from evenhand.classifiers.training.checkpoint import Keeper, fingerprint
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.loop import Part, Settings, fit, resolve_device, seeded
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.record import TrainingRecord
from evenhand.classifiers.training.split import Split
from evenhand.classifiers.training.trained import Progress
from evenhand.classifiers.training.weights import row_weights

if TYPE_CHECKING:
    from evenhand.classifiers.training.loop import Augment


def train_network(
    description: Description,
    rows: NDArray[np.float32],
    labels: Labels,
    split: Split,
    *,
    settings: Settings,
    options: TrainingOptions,
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
    device = resolve_device(device)
    weights = row_weights(description.kind, labels, split, options)
    with seeded(seed, device, deterministic=options.deterministic):
        try:
            module = build(description)
        except UnknownNetwork as problem:
            raise TrainingFailed(
                kind=description.kind, problem=str(problem), instead="Choose another kind, or merge classes."
            ) from None
        train, valid = (
            _part(rows, labels, weights, part) if len(part) else None for part in (split.train, split.valid)
        )
        assert train is not None  # split_rows leaves two classes to learn from
        keeper = Keeper(
            options.checkpoint, lambda: fingerprint(description, rows, labels, weights, split, settings, seed, device)
        )
        curve = fit(
            module,
            train,
            valid,
            settings=settings,
            generator=np.random.default_rng(seed),
            device=device,
            progress=progress,
            keeper=keeper,
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
        settings=asdict(settings) | options.said(),
        epochs=curve.epochs,
        best_epoch=curve.best_epoch,
        stopped_early=curve.stopped_early,
        cells=cell_curves(partitions(labels, options), split, curve.train, curve.valid),
    )
    keeper.forget()
    return network(description, module), record


def _part(
    rows: NDArray[np.float32], labels: Labels, weights: NDArray[np.float64] | None, chosen: NDArray[np.int64]
) -> Part:
    import torch

    of_rows = None if weights is None else torch.from_numpy(weights[chosen].astype(np.float32))
    return Part(torch.from_numpy(rows[chosen]), torch.from_numpy(labels.codes[chosen]), of_rows)
