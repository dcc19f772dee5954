"""What is audited, opened: the rows, the model if there is one, and the plain arrays that audits take."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.errors import Part, listed
from evenhand.auditors.policy import DataSection
from evenhand.auditors.report import AuditName, ModelFile, ModelValue, SubjectModel
from evenhand.datasets.counting.asked import Counted
from evenhand.datasets.groups import lookalikes
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.sources import open_source
from evenhand.datasets.table import Table
from evenhand.service.audits.columns import Columns, Outcomes, outcomes_of, resolve
from evenhand.service.audits.counted import AUDITS_OF_COUNTS, counts_of, table_of
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.endpoints import endpoint_of, is_endpoint
from evenhand.service.audits.errors import NO_FEATURES, NO_MODEL, ClassMismatch, NoRowsLeft, UnfitModel
from evenhand.service.audits.training_rows import warnings_of
from evenhand.service.models.holdout import kept_rows

if TYPE_CHECKING:
    from evenhand.auditors.perception.records import LearningRecord
    from evenhand.auditors.robustness import ImageData
    from evenhand.classifiers.card import ModelCard
    from evenhand.classifiers.loading import LoadedClassifier
    from evenhand.classifiers.training.record import TrainingRecord

Codes = tuple[NDArray[np.int32], tuple[str | None, ...]]


@dataclass(frozen=True)
class AuditSubject:
    """Rows, columns and model of one audit.

    Attributes:
        name: of the data.
        sha256: of the source's bytes.
        table: one row each, after `where`.
        images: shape (n, height, width, channels), uint8; None for tables.
        columns, outcomes: which column is what, and label and prediction as 0 and 1.
        model: the loaded classifier, or None.
        probabilities: of the model, shape (n, K).
        notes: what a reader of the report must know about how rows were chosen.
        counted: where rows are only counted, their counts; the table then holds equal rows once.
        warnings: what the training of the model means for figures on these rows.
        learned: where the audited rows are those kept from the model, gives the rows it learned from.
    """

    name: str
    sha256: str
    table: Table
    images: NDArray[np.uint8] | None
    columns: Columns
    outcomes: Outcomes
    model: "LoadedClassifier | None"
    probabilities: NDArray[np.float64] | None
    notes: tuple[str, ...]
    counted: Counted | None = None
    warnings: tuple[str, ...] = ()
    learned: Callable[[], Table] | None = None

    @property
    def rows(self) -> int:
        return self.table.total

    @property
    def source_columns(self) -> tuple[str, ...]:
        """All columns of the source."""
        return self.table.columns if self.counted is None else self.counted.columns

    def count_table(self) -> CountTable:
        """Counts by all sensitive attributes together, label and prediction."""
        return self.counts([Attribute(name, codes, values) for name, (codes, values) in self.attributes.items()])

    def counts(self, attributes: Sequence[Attribute]) -> CountTable:
        """Counts by these attributes, label and prediction; codes have one entry for each row of the table."""
        prediction, label = self.outcomes.prediction, self.outcomes.label
        if self.counted is None:
            return count(attributes, prediction=prediction, label=label, weight=self.weight)
        return table_of(attributes, prediction=prediction, label=label, weight=self.weight, counted=self.counted)

    @cached_property
    def attributes(self) -> dict[str, Codes]:
        """Sensitive columns as codes and values."""
        groups = {name: self.table.groups(name) for name in self.columns.sensitive}
        return {name: (found.codes, found.values) for name, found in groups.items()}

    @property
    def lookalikes(self) -> tuple[str, ...]:
        """What a reader must know of groups that may be one, written in two ways."""
        columns = self.attributes | ({str(self.columns.stratum): self.stratum} if self.stratum else {})
        return tuple(
            f"{name} has {' and '.join(json.dumps(value, ensure_ascii=False) for value in alike)}, which differ by blanks "
            "or capitals only and are counted as different groups. Where they are one, write them alike."
            for name, (_, values) in columns.items()
            for alike in lookalikes(values)
        )

    @property
    def weight(self) -> NDArray[np.float64] | None:
        return self.table.weights(self.columns.weight) if self.columns.weight else None

    @property
    def stratum(self) -> Codes | None:
        if self.columns.stratum is None:
            return None
        groups = self.table.groups(self.columns.stratum)
        return groups.codes, groups.values

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The model's features, else those named."""
        if self.model is not None and self.images is None:
            return tuple(self.model.classifier.features)
        return self.columns.features or ()

    @property
    def scores_of_positive(self) -> NDArray[np.float64]:
        """Score of the positive class; the prediction itself where there are no scores."""
        if self.probabilities is not None:
            return self.probabilities[:, self._positive_index]
        if self.columns.score is not None:
            return self.table.numeric(self.columns.score)
        return self.outcomes.prediction.astype(np.float64)

    @property
    def score_threshold(self) -> float:
        """The score from which a row is positive: as named for a score column, else .5."""
        named = self.columns.threshold if self.probabilities is None and self.columns.score is not None else None
        return 0.5 if named is None else named

    @property
    def _positive_index(self) -> int:
        assert self.model is not None
        return tuple(self.model.classifier.classes).index(self.outcomes.positive)

    @property
    def positive_score(self) -> Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float64]] | None:
        """The model as the proxy audit takes it: columns in, scores of the positive class out."""
        if self.model is None or self.images is not None:
            return None
        classifier, index = self.model.classifier, self._positive_index

        def score(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
            scores: NDArray[np.float64] = classifier.predict_proba(columns)[:, index]
            return scores

        return score

    def why_not(self, audit: AuditName) -> str | None:
        """Why an audit cannot run on this subject, or None."""
        if self.counted is not None and audit not in AUDITS_OF_COUNTS:
            return "it needs rows, and this source is only counted"
        if audit == "perception" and self.images is None:
            return "it looks at pictures, and the data are a table"
        if audit in ("robustness", "perception"):
            if self.model is None:
                return NO_MODEL
            if self.images is not None and self.columns.label is None:
                return "it needs a label column"
        if audit == "proxy":
            if self.images is not None:
                return "it is about columns, and the data are pictures"
            if not self.feature_names:
                return NO_FEATURES
        return None

    def missing_by_column(self) -> dict[str, int]:
        if self.counted is not None:
            return self.counted.missing_by_column()
        return {name: self.table.column(name).null_count for name in self.table.columns}

    def image_classifier(self) -> Any:
        assert self.model is not None
        return self.model.classifier

    def image_data(self) -> "ImageData":
        """Pictures, labels, attributes and units as the image audits take them."""
        from evenhand.auditors.robustness import ImageData

        assert self.images is not None and self.model is not None and self.columns.label is not None
        classes = tuple(self.model.classifier.classes)
        unit = self.table.groups(self.columns.unit).codes if self.columns.unit else None
        pair = self.table.groups(self.columns.pair).codes if self.columns.pair else None
        return ImageData(
            images=self.images,
            label=label_codes(self.table, self.columns.label, classes),
            classes=classes,
            attributes=self.attributes,
            unit=unit,
            pair=pair,
            ids=np.arange(self.rows, dtype=np.int64),
        )

    def learning_record(self) -> "LearningRecord | None":
        """How the model was trained, as the perception audit takes it; None where its file does not say."""
        from evenhand.service.audits.learning import learning_record

        return learning_record(self.model.card.training) if self.model is not None else None

    def model_document(self, name: str | None) -> SubjectModel | None:
        """The model as the report describes it."""
        if self.model is None:
            return None
        card = self.model.card
        return SubjectModel(
            name=name or f"{card.kind} ({card.format})",
            sha256=card.sha256,
            kind=card.kind,
            classes=list(self.model.classifier.classes),
            gradients=card.gradients,
            no_gradients=card.no_gradients,
            gradient_difference=card.difference,
            file=_model_file(card),
            training=card.training.shown() if card.training is not None else None,
            warnings=list(self.warnings),
            confinement=card.confined,
        )


def _model_file(card: "ModelCard") -> ModelFile:
    return ModelFile(
        format=card.format,
        bytes=card.bytes,
        opset=card.opset,
        producer=card.producer,
        inputs=[ModelValue(name=each.name, type=each.type, shape=list(each.shape)) for each in card.inputs],
        layout=card.layout,
        outputs=[ModelValue(name=name, type=kind) for name, kind in card.outputs],
        output=card.output,
        scores=card.scores,
    )


def label_codes(table: Table, label: str, classes: tuple[str, ...]) -> NDArray[np.int32]:
    """Labels as indices into a model's classes, shape (n,).

    Raises:
        ClassMismatch: a label is none of them.
    """
    found = table.classes(label)
    unknown = [value for value in found.names if value not in classes]
    if unknown:
        raise ClassMismatch("label", unknown[0], "the model's classes", classes, setting="model.classes")
    translate = np.array([classes.index(value) for value in found.names], dtype=np.int32)
    return translate[found.codes]


@contextmanager
def open_subject(request: AuditRequest, source: Table | ImageSet | None = None) -> Iterator[AuditSubject]:
    """Open what the request names; the model's child process, if any, ends with the block.

    Args:
        source: the rows, where they are in memory; absent: what the request names.

    Raises:
        DatasetError, ClassifierError, RequestProblem: by what is wrong.
    """
    if source is None and (counted := counts_of(request)) is not None:
        yield _counted_subject(*counted)
        return
    if source is None:
        source = open_source(request.source, request.source_name, picture_size=request.policy.data.picture_size)
    if request.model_path is None:
        rows, notes = _rows_asked_for(source, request, trained=None)
        table, images = _parts(rows)
        columns = resolve(request.policy.data, table, has_model=False)
        outcomes = outcomes_of(columns, table, scores=None)
        yield AuditSubject(source.name, source.sha256, table, images, columns, outcomes, None, None, notes)
        return
    whole, _ = _parts(source)
    model = _load(request, resolve(request.policy.data, whole, has_model=True), source)
    try:
        rows, notes = _rows_asked_for(source, request, trained=model.card.training)
        table, images = _parts(rows)
        kept = bool(notes) and not request.policy.data.where
        warnings = warnings_of(model.card.training, table, images, kept=kept)
        notes = (*notes, *_what_it_was(model))
        columns = resolve(request.policy.data, table, has_model=True)
        probabilities = _score(model, table, images, request)
        outcomes = outcomes_of(columns, table, scores=(probabilities, tuple(model.classifier.classes)))
        yield AuditSubject(
            source.name,
            source.sha256,
            table,
            images,
            columns,
            outcomes,
            model,
            probabilities,
            notes,
            warnings=warnings,
            learned=partial(_learned_rows, whole, source.sha256, model.card.training) if kept else None,
        )
    finally:
        model.close()


def _counted_subject(counted: Counted, data: DataSection) -> AuditSubject:
    """What is only counted: label, prediction and sensitive columns, equal rows together."""
    notes = counted.notes
    if data.where:
        rows = counted.take(np.flatnonzero(matching(counted.table, data.where)))
        notes = (_chosen_rows(rows.table, counted.table, _spoken(data.where)), *notes)
        counted = rows
    table = counted.table
    columns = resolve(data, table, has_model=False)
    outcomes = outcomes_of(columns, table, scores=None)
    return AuditSubject(table.name, table.sha256, table, None, columns, outcomes, None, None, notes, counted)


def _parts(source: Table | ImageSet) -> tuple[Table, NDArray[np.uint8] | None]:
    return (source.table, source.images) if isinstance(source, ImageSet) else (source, None)


def _rows_asked_for(
    source: Table | ImageSet, request: AuditRequest, *, trained: "TrainingRecord | None"
) -> tuple[Table | ImageSet, tuple[str, ...]]:
    """The rows with the values of `where`; else, of the data a model was trained on, those it has not seen."""
    where = request.policy.data.where
    table, _ = _parts(source)
    if where:
        keep = matching(table, where)
        said = _spoken(where)
    else:
        kept = kept_rows(table, source.sha256, trained.settings) if trained is not None else None
        if kept is None:
            return source, ()
        keep, said = ~kept.train, f"those the model was not trained on: {kept.words}"
    rows = source.take(np.flatnonzero(keep))
    return rows, (_chosen_rows(_parts(rows)[0], table, said),)


def _learned_rows(table: Table, sha256: str, trained: "TrainingRecord") -> Table:
    """The rows that training took; `trained` names these very data."""
    kept = kept_rows(table, sha256, trained.settings)
    assert kept is not None
    return table.take(np.flatnonzero(kept.train))


def _spoken(where: Mapping[str, str]) -> str:
    return " and ".join(f"{column} = {value}" for column, value in where.items())


def _chosen_rows(rows: Table, of: Table, said: str) -> str:
    return f"Audited are {rows.total:,} of {of.total:,} rows, {said}."


def matching(table: Table, where: Mapping[str, str]) -> NDArray[np.bool_]:
    """Rows that have every value asked for.

    Raises:
        MissingColumn; NoRowsLeft: no row has them all.
    """
    table.require("where", *where)
    keep = np.ones(table.rows, dtype=bool)
    for column, value in where.items():
        groups = table.groups(column)
        if value in groups.values:
            keep &= groups.codes == groups.values.index(value)
        else:
            keep[:] = False
        if not keep.any():
            raise NoRowsLeft(table.name, column, value, groups.names)
    return keep


def _load(request: AuditRequest, columns: Columns, source: Table | ImageSet) -> "LoadedClassifier":
    from evenhand.classifiers.loading import load_classifier, load_endpoint

    assert request.model_path is not None
    table, images = _parts(source)
    section = request.policy.model
    classes = tuple(section.classes) if section and section.classes else None
    if classes is None and columns.label is not None:
        classes = table.classes(columns.label).names
    if is_endpoint(request.model_path):
        return load_endpoint(
            endpoint_of(request.model_path, section),
            features=columns.features,
            classes=classes,
            image_shape=_picture_size(images),
            seed=request.seed,
        )
    loaded = load_classifier(
        Path(request.model_path),
        name=request.model_name,
        features=columns.features,
        classes=classes,
        image_shape=_picture_size(images),
        output=(section.probability_output or section.label_output) if section else None,
    )
    if request.device == "cuda" and loaded.card.gradients and hasattr(loaded.classifier, "to"):
        loaded.classifier.to(request.device)
    return loaded


def _what_it_was(model: "LoadedClassifier") -> tuple[str, ...]:
    """What a reader must know of a model that was asked and not held."""
    if model.card.format != "endpoint":
        return ()
    return (
        "The model was asked over HTTP. The digest of the model is that of its description: whether the same model "
        "answered before, or will answer again, cannot be told from this report.",
    )


def _picture_size(images: NDArray[np.uint8] | None) -> tuple[int, int, int] | None:
    if images is None:
        return None
    height, width, channels = images.shape[1:]
    return int(height), int(width), int(channels)


def _score(
    model: "LoadedClassifier", table: Table, images: NDArray[np.uint8] | None, request: AuditRequest
) -> NDArray[np.float64]:
    """Probabilities of every row.

    Raises:
        UnfitModel: the model reads pictures and the data are a table, or the other way round; or other columns.
    """
    classifier = model.classifier
    name = request.model_name or str(request.model_path)
    reads_images = hasattr(classifier, "image_shape")
    if reads_images and images is None:
        raise UnfitModel(name, "it reads pictures, and the data are a table", "Name an image folder, .zip or .npz.")
    if images is None:
        _refuse_missing(name, classifier.features, table)
        scores: NDArray[np.float64] = classifier.predict_proba(table.features(classifier.features))
        return scores
    if not reads_images:
        raise UnfitModel(name, "it reads columns, and the data are pictures", "Name a table.")
    if tuple(images.shape[1:]) != tuple(classifier.image_shape):
        wanted, found = (" × ".join(map(str, shape)) for shape in (classifier.image_shape, images.shape[1:]))
        raise UnfitModel(name, f"it reads pictures of {wanted}, and these are {found}", *_resizing(classifier, images))
    parts = [
        classifier.predict_proba(images[start : start + 512].astype(np.float32) / 255)
        for start in range(0, len(images), 512)
    ]
    return np.concatenate(parts)


def _refuse_missing(model: str, features: Sequence[str], table: Table) -> None:
    missing = [feature for feature in features if feature not in table.columns]
    if missing:
        problem = f"it reads {listed(missing)}, which {table.name} has not. {table.name} has: {listed(table.columns)}"
        raise UnfitModel(model, problem, "Name data with the columns that the model was trained on.")


def _resizing(classifier: Any, images: NDArray[np.uint8]) -> tuple[Part, ...]:
    """What to do about pictures of another shape than the model's."""
    height, width, channels = classifier.image_shape
    if channels != images.shape[3]:
        return ("Hand in pictures of as many channels as the model reads (1 grey, 3 colour).",)
    return (
        f"Resize the pictures to a width of {width} and a height of {height}, or have it done: ",
        ("picture_size", None),
        ".",
    )
