"""Classifiers trained anew for the proxy audit: without a feature, on rows that the audit does not look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies import Retraining
from evenhand.datasets.table import Table
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject
from evenhand.service.devices import fixed_threads

if TYPE_CHECKING:
    from evenhand.auditors.proxies.interventions import Decide
    from evenhand.classifiers.training import TrainingOptions, TrainingRecord

STAND_IN = "hist_gradient_boosting"
LEAST_ROWS = 200
MOST_ROWS = 100_000
LEARNING_SHARE = 0.5


def retraining_of(subject: AuditSubject, request: AuditRequest) -> Retraining | None:
    """How to train anew: as the model was trained where its record says so, else a stated stand-in.

    Where the rows the model learned from are at hand, from these; else from one half of the audited rows, units kept
    together, so that only the other half is compared. None without labels, for pictures, or with fewer than 200 rows
    on either side.
    """
    from evenhand.classifiers.training import TABLE_KINDS

    if subject.columns.label is None or subject.outcomes.label is None or subject.images is not None:
        return None
    record = subject.model.card.training if subject.model is not None else None
    known = record is not None and record.kind in TABLE_KINDS
    kind = record.kind if record is not None and known else STAND_IN
    if subject.learned is not None and known:
        learned, unseen = subject.learned(), np.ones(subject.rows, bool)
    else:
        chosen = _half(subject, np.random.default_rng([request.seed, 7]))
        learned, unseen = subject.table.take(np.flatnonzero(chosen)), ~chosen
    if min(learned.rows, int(unseen.sum())) < LEAST_ROWS:
        return None
    same_rows = subject.learned is not None and known and learned.rows <= MOST_ROWS
    if learned.rows > MOST_ROWS:
        rows = np.random.default_rng([request.seed, 8]).choice(learned.rows, MOST_ROWS, replace=False)
        learned = learned.take(np.sort(rows))
    trainer = Trainer(
        kind=kind,
        table=learned,
        label=subject.columns.label,
        positive=subject.outcomes.positive,
        categorical=tuple(subject.columns.categorical),
        sensitive=tuple(subject.columns.sensitive),
        unit=subject.columns.unit,
        record=record if known else None,
        seed=request.seed,
    )
    return Retraining(trainer, unseen, kind, stand_in=not known, same_rows=same_rows, rows=learned.rows)


@dataclass(frozen=True)
class Trainer:
    """Trains one kind of classifier on the same rows with whatever features are named.

    Where there is a record, with its seed and settings, so that all features give the recorded classifier again.
    """

    kind: str
    table: Table
    label: str
    positive: str
    categorical: tuple[str, ...]
    sensitive: tuple[str, ...]
    unit: str | None
    record: "TrainingRecord | None"
    seed: int

    def __call__(self, features: Sequence[str]) -> "Decide":
        from evenhand.classifiers.training import train_table

        classes = self.table.classes(self.label)
        with fixed_threads():
            trained = train_table(
                self.kind,
                self.table.features(features),
                classes.codes,
                classes=classes.names,
                categorical=[name for name in self.categorical if name in features],
                units=self.table.groups(self.unit).codes if self.unit else None,
                seed=self.record.seed if self.record is not None else self.seed,
                device="cpu",
                options=self._options(),
            )
        classifier: Any = trained.classifier
        index = tuple(classes.names).index(self.positive)

        def decide(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
            with fixed_threads():
                scores: NDArray[np.float64] = classifier.predict_proba(columns)[:, index]
            return scores

        return decide

    def _options(self) -> "TrainingOptions":
        from evenhand.classifiers.training import TrainingOptions

        settings = {} if self.record is None else self.record.settings
        balanced = {name: "balanced" for name in ("class_weight", "group_weight") if settings.get(name) == "balanced"}
        return TrainingOptions(groups={name: _values(self.table, name) for name in self.sensitive}, **balanced)


def _half(subject: AuditSubject, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Rows to learn from, shape (n,); the rows of one unit stay together."""
    units = subject.table.groups(subject.columns.unit).codes if subject.columns.unit else np.arange(subject.rows)
    of_unit: NDArray[np.bool_] = rng.random(int(units.max(initial=-1)) + 1) < LEARNING_SHARE
    return of_unit[units]


def _values(table: Table, name: str) -> NDArray[np.object_]:
    groups = table.groups(name)
    return np.array([*groups.values, None], dtype=object)[groups.codes]
