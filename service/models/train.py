"""Trains what somebody asked for, in a child process: `python -m evenhand.service.models.train ORDER.json FOLDER`."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.service.devices import fixed_threads
from evenhand.service.errors import LabelMissing
from evenhand.service.jobs.child import Voice, speak
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.holdout import SPLIT_COLUMN, Holdout, holdout, settings
from evenhand.service.models.inspection import describe
from evenhand.service.wording import Fields, spoken

if TYPE_CHECKING:
    from evenhand.classifiers.training import Trained, TrainingOptions
    from evenhand.datasets.imageset import ImageSet
    from evenhand.datasets.table import Table


def train(
    request: TrainingRequest,
    *,
    source: str,
    folder: Path,
    progress: Callable[[float, str], None],
    checkpoint: Path | None = None,
) -> dict[str, Any]:
    """Train a classifier and save it.

    Args:
        request: what was asked for; gaps are filled from the card of a built-in set.
        source: path of the data, or the name of a built-in set.
        folder: where the classifier is saved.
        progress: called with the fraction done and a line for people.
        checkpoint: file that holds the last epoch of a network while it learns; what it holds is gone on from.

    Returns:
        What `describe` says of it, and its `filename` in the folder.

    Raises:
        LabelMissing: neither the request nor a card names the label.
        MissingColumn: a column that is named is not there; it says by which setting.
        DatasetError, ClassifierError: of the data, the training, and a format that the kind cannot be saved in.
    """
    from evenhand.classifiers.loading import load_classifier
    from evenhand.classifiers.savable import format_for
    from evenhand.classifiers.saving import save
    from evenhand.datasets.sources import open_source

    ending = format_for(request.kind, request.format)
    progress(0.0, "read: opening the data")
    data = open_source(source, picture_size=request.picture_size)
    label = request.label or (data.card.label if data.card else None)
    if label is None:
        raise LabelMissing()
    unit = request.unit or (data.card.unit if data.card else None)
    _table(data).require("label", label)
    _table(data).require("unit", unit)
    _table(data).require("sensitive", *request.sensitive)
    _table(data).require("features", *(request.features or ()))
    _table(data).require("categorical", *request.categorical)
    kept = holdout(_table(data), seed=request.seed, label=label, unit=unit)
    trained = _trained(
        request,
        data.take(np.flatnonzero(kept.train)),
        label=label,
        unit=unit,
        checkpoint=checkpoint,
        progress=lambda fraction, message: progress(0.02 + 0.9 * fraction, f"train: {message}"),
    )
    progress(0.93, "check: looking for rows on both sides of the split")
    trained = _with_provenance(trained, data, kept)
    progress(0.98, "save: writing the model")
    path = folder / f"{request.kind}.{ending}"
    save(trained, path)
    with load_classifier(path) as loaded:
        return {**describe(loaded.card), "filename": path.name}


def _trained(
    request: TrainingRequest,
    data: "Table | ImageSet",
    *,
    label: str,
    unit: str | None,
    checkpoint: Path | None,
    progress: Callable[[float, str], None],
) -> "Trained":
    from evenhand.classifiers.training import train_images, train_table
    from evenhand.datasets.table import Table

    table, card = _table(data), data.card
    classes = table.classes(label)
    chosen: dict[str, Any] = {
        "classes": classes.names,
        "units": None if unit is None else table.groups(unit).codes,
        "seed": request.seed,
        "device": request.device,
        "epochs": request.epochs,
        "options": _options(request, table, checkpoint),
        "progress": progress,
    }
    with fixed_threads():
        if not isinstance(data, Table):
            return train_images(request.kind, data.images, classes.codes, **chosen)
        names = request.features or (list(card.features) if card and card.features else None)
        names = names or _features(table, (label, unit, SPLIT_COLUMN, *request.sensitive))
        categorical = request.categorical or (list(card.categorical) if card else [])
        chosen["categorical"] = [name for name in categorical if name in names]
        return train_table(request.kind, table.features(names), classes.codes, **chosen)


def _options(request: TrainingRequest, table: "Table", checkpoint: Path | None) -> "TrainingOptions":
    from evenhand.classifiers.training import TrainingOptions

    watched = request.sensitive or (list(table.card.sensitive) if table.card else [])
    return TrainingOptions(
        groups={name: _values(table, name) for name in watched},
        class_weight=request.class_weight,
        group_weight=request.group_weight,
        patience=request.patience,
        deterministic=request.deterministic,
        checkpoint=checkpoint,
    )


def _values(table: "Table", name: str) -> NDArray[np.object_]:
    groups = table.groups(name)
    return np.array([*groups.values, None], dtype=object)[groups.codes]


def _with_provenance(trained: "Trained", data: "Table | ImageSet", kept: Holdout) -> "Trained":
    """The record with the split, with rows found on both of its sides, and with digests of the rows learned from."""
    from evenhand.classifiers.training import leakage, seen_rows
    from evenhand.datasets.table import Table

    rows: Any = data.features(_features(data, (SPLIT_COLUMN,))) if isinstance(data, Table) else data.images
    of_train = (
        {name: column[kept.train] for name, column in rows.items()} if isinstance(rows, dict) else rows[kept.train]
    )
    found = leakage(rows, train=kept.train)
    notes = (*trained.record.notes, f"Kept for audits: {kept.words}.", *([found.warning] if found.warning else []))
    record = replace(
        trained.record,
        settings={**trained.record.settings, **settings(data.sha256, kept)},
        leakage=found,
        seen=seen_rows(of_train),
        notes=notes,
    )
    return replace(trained, record=record)


def _table(data: "Table | ImageSet") -> "Table":
    from evenhand.datasets.table import Table

    return data if isinstance(data, Table) else data.table


def _features(table: "Table", left_out: Sequence[str | None]) -> list[str]:
    return [name for name in table.columns if name not in left_out]


def work(order_path: Path, folder: Path, voice: Voice) -> None:
    """Train what the order file asks for."""
    order = json.loads(order_path.read_bytes())
    request = TrainingRequest.model_validate(order["request"])
    with spoken(Fields("training")):
        made = train(
            request,
            source=order["source"],
            folder=folder,
            progress=voice.progress,
            checkpoint=Path(order["checkpoint"]) if order.get("checkpoint") else None,
        )
    voice.result(made)


def main(arguments: list[str]) -> int:
    order_path, folder = map(Path, arguments)
    return speak(lambda voice: work(order_path, folder, voice))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
