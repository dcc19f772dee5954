"""Trains what somebody asked for, in a child process: `python -m evenhand.service.models.train ORDER.json FOLDER`."""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evenhand.service.devices import fixed_threads
from evenhand.service.errors import LabelMissing
from evenhand.service.jobs.child import Voice, speak
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.holdout import SPLIT_COLUMN, holdout, settings
from evenhand.service.models.inspection import describe

NETWORKS = {"neuron", "mlp", "convnet4"}


def train(
    request: TrainingRequest,
    *,
    source: str,
    folder: Path,
    progress: Callable[[float, str], None],
) -> dict[str, Any]:
    """Train a classifier and save it.

    Args:
        request: what was asked for; gaps are filled from the card of a built-in set.
        source: path of the data, or the name of a built-in set.
        folder: where the classifier is saved.
        progress: called with the fraction done and a line for people.

    Returns:
        What `describe` says of it, and its `filename` in the folder.

    Raises:
        LabelMissing: neither the request nor a card names the label.
        DatasetError, ClassifierError: of the data and the training.
    """
    from evenhand.classifiers.loading import load_classifier
    from evenhand.classifiers.saving import save
    from evenhand.classifiers.training import train_images, train_table
    from evenhand.datasets.sources import open_source
    from evenhand.datasets.table import Table

    progress(0.0, "read: opening the data")
    data = open_source(source)
    card = data.card
    label = request.label or (card.label if card else None)
    if label is None:
        raise LabelMissing()
    whole = data if isinstance(data, Table) else data.table
    chosen_rows = holdout(whole, seed=request.seed)
    data = data.take(np.flatnonzero(chosen_rows.train))
    table = data if isinstance(data, Table) else data.table
    classes = table.classes(label)
    unit = card.unit if card else None
    chosen: dict[str, Any] = {
        "classes": classes.names,
        "units": None if unit is None else table.groups(unit).codes,
        "seed": request.seed,
        "device": request.device,
        "progress": lambda fraction, message: progress(0.02 + 0.95 * fraction, f"train: {message}"),
    }
    if isinstance(data, Table):
        names = request.features or (list(card.features) if card and card.features else None)
        names = names or _features(table, label, request)
        categorical = request.categorical or (list(card.categorical) if card else [])
        chosen["categorical"] = [name for name in categorical if name in names]
        with fixed_threads():
            trained = train_table(request.kind, table.features(names), classes.codes, **chosen)
    else:
        with fixed_threads():
            trained = train_images(request.kind, data.images, classes.codes, **chosen)
    record = replace(
        trained.record,
        settings={**trained.record.settings, **settings(data.sha256, chosen_rows)},
        notes=(*trained.record.notes, f"Kept for audits: {chosen_rows.words}."),
    )
    trained = replace(trained, record=record)
    progress(0.98, "save: writing the model")
    path = folder / f"{request.kind}{'.safetensors' if request.kind in NETWORKS else '.skops'}"
    save(trained, path)
    with load_classifier(path) as loaded:
        return {**describe(loaded.card), "filename": path.name}


def _features(table: Any, label: str, request: TrainingRequest) -> list[str]:
    left_out = {label, SPLIT_COLUMN, *request.sensitive}
    return [name for name in table.columns if name not in left_out]


def work(order_path: Path, folder: Path, voice: Voice) -> None:
    """Train what the order file asks for."""
    order = json.loads(order_path.read_bytes())
    request = TrainingRequest.model_validate(order["request"])
    voice.result(
        train(
            request,
            source=order["source"],
            folder=folder,
            progress=voice.progress,
        )
    )


def main(arguments: list[str]) -> int:
    order_path, folder = map(Path, arguments)
    return speak(lambda voice: work(order_path, folder, voice))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
