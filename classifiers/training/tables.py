"""Training on table rows: networks (`neuron`, `mlp`) and scikit-learn's methods, with preprocessing inside."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.architectures.encoder import fit_encoder
from evenhand.classifiers.architectures.registry import TABLE_KINDS as NETWORK_KINDS
from evenhand.classifiers.columns import Columns, chosen, row_count, rows_of
from evenhand.classifiers.errors import TrainingFailed, listed
from evenhand.classifiers.runtimes.network import NetworkOfTables
from evenhand.classifiers.training.labels import Labels, labels_of
from evenhand.classifiers.training.loop import Settings
from evenhand.classifiers.training.networks import train_network
from evenhand.classifiers.training.options import TrainingOptions
from evenhand.classifiers.training.pipelines import PIPELINE_KINDS, train_pipeline
from evenhand.classifiers.training.split import Split, split_rows
from evenhand.classifiers.training.trained import SAMPLE_ROWS, Progress, Trained, silent
from evenhand.classifiers.training.weighted_sum import weighted_sum

TABLE_KINDS = (*PIPELINE_KINDS, *NETWORK_KINDS)
HIDDEN = (64, 32)
MANY_ROWS = 5000


def train_table(
    kind: str,
    columns: Columns,
    label: NDArray[Any],
    *,
    classes: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    units: NDArray[Any] | None = None,
    seed: int,
    device: str = "auto",
    valid_fraction: float = 0.15,
    epochs: int = 30,
    options: TrainingOptions | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train a classifier that takes the raw columns.

    Args:
        kind: "logistic_regression", "random_forest", "hist_gradient_boosting", "neuron" (two classes only) or "mlp".
        columns: features by name, float64 (NaN: missing) or objects (text; None: missing), each of shape (n,).
        label: shape (n,), label values, or integer codes where `classes` are given.
        classes: sorted label texts; None takes those that occur.
        categorical: columns of numbers that are names of levels rather than amounts; text always is.
        units: shape (n,), whose row it is; a unit is held out as a whole.
        seed: the only source of chance.
        device: "auto", "cpu" or "cuda"; networks alone use it.
        valid_fraction: held out to score the classifier, and for networks to choose the best epoch.
        epochs: passes of networks at most; fewer when the validation loss stalls (`options.patience`, ten).
        options: groups to watch, weights, patience, checkpoint.
        progress: called with the fraction done and a line for people.

    Raises:
        TrainingFailed: unknown kind, or rows or labels from which nothing can be learned.
        WrongInput: columns of different lengths or types.
    """
    if kind not in TABLE_KINDS:
        raise TrainingFailed(kind=kind, problem="it is not known", instead=f"Choose {', '.join(TABLE_KINDS)}.")
    taken = chosen(columns, tuple(columns))
    unknown = sorted(set(categorical) - set(taken))
    if unknown or not taken:
        problem = f"there is no column {listed(unknown)}" if unknown else "there are no columns"
        raise TrainingFailed(kind=kind, problem=problem, instead=f"Name some of {listed(list(taken))}.")
    labels = labels_of(kind, label, classes, rows=row_count(taken))
    split = split_rows(
        labels.codes, fraction=valid_fraction, units=units, generator=np.random.default_rng([seed, 1]), kind=kind
    )
    report, options = progress or silent, options or TrainingOptions()
    if kind in PIPELINE_KINDS:
        return train_pipeline(
            kind, taken, labels, split, categorical=categorical, options=options, seed=seed, progress=report
        )
    return _train_network(kind, taken, labels, split, categorical, seed, device, epochs, options, report)


def _train_network(
    kind: str,
    columns: Columns,
    labels: Labels,
    split: Split,
    categorical: Sequence[str],
    seed: int,
    device: str,
    epochs: int,
    options: TrainingOptions,
    progress: Progress,
) -> Trained:
    encoder = fit_encoder(rows_of(columns, split.train), categorical)
    hidden = HIDDEN if kind == "mlp" else ()
    classifier, record = train_network(
        Description(kind=kind, classes=labels.classes, hidden=hidden, encoder=encoder),
        encoder.encode(columns),
        labels,
        split,
        settings=Settings(
            epochs=epochs,
            batch_rows=32 if len(split.train) < MANY_ROWS else 256,
            learning_rate=1e-2,
            patience=options.patience,
        ),
        options=options,
        seed=seed,
        device=device,
        progress=progress,
    )
    if kind == "neuron" and isinstance(classifier, NetworkOfTables):
        record = replace(record, weighted_sum=weighted_sum(classifier, rows_of(columns, split.train)))
    return Trained(classifier, record, rows_of(columns, split.train[:SAMPLE_ROWS]))
