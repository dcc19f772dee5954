"""Which column of a source is what: the policy's words first, then the card of a built-in set, then what can be found out."""

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import DataSection
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.errors import NotBinary, UnknownPositive
from evenhand.datasets.table import Table
from evenhand.service.audits.errors import (
    ClassMismatch,
    NoSensitiveColumn,
    NothingToAudit,
    OneColumnTwice,
    ThresholdNeeded,
)


@dataclass(frozen=True)
class Columns:
    """The roles of columns, all known to exist once a `Subject` is made of them."""

    label: str | None
    prediction: str | None
    score: str | None
    threshold: float | None
    positive: str | None
    favourable: str | None
    sensitive: tuple[str, ...]
    features: tuple[str, ...] | None
    categorical: tuple[str, ...]
    weight: str | None
    stratum: str | None
    unit: str | None
    pair: str | None


def resolve(data: DataSection, table: Table, *, has_model: bool) -> Columns:
    """Roles of the columns; an option overrides only what it names.

    Raises:
        NothingToAudit, NoSensitiveColumn; MissingColumn for a named column that is not there.
    """
    card = table.card
    prediction, score = data.prediction, data.score
    if not has_model and prediction is None and score is None and card is not None:
        prediction, score = card.prediction, card.score
    if not has_model and prediction is None and score is None:
        raise NothingToAudit(table.name, table.columns)
    sensitive = tuple(data.sensitive) if data.sensitive else (card.sensitive if card else ())
    if not sensitive:
        raise NoSensitiveColumn(table.name, table.columns)
    columns = Columns(
        label=data.label or (card.label if card else None),
        prediction=None if has_model else prediction,
        score=None if has_model else score,
        threshold=data.threshold if data.threshold is not None else _card_threshold(card, score),
        positive=data.positive if data.positive is not None else (card.positive if card else None),
        favourable=data.favourable if data.favourable is not None else (card.favourable if card else None),
        sensitive=tuple(dict.fromkeys(sensitive)),
        features=tuple(data.features) if data.features else (card.features if card else None),
        categorical=tuple(data.categorical) if data.categorical else (card.categorical if card else ()),
        weight=data.weight,
        stratum=data.stratum,
        unit=data.unit or (card.unit if card else None),
        pair=data.pair or (card.pair if card else None),
    )
    for role, name in named_columns(columns):
        table.require(role, name)
    _refuse_two_roles(columns)
    return columns


def named_columns(columns: Columns | DataSection) -> Iterator[tuple[str, str]]:
    """Every column that is named, after the setting that named it."""
    for role in ("label", "prediction", "score", "weight", "stratum", "unit", "pair"):
        if (name := getattr(columns, role)) is not None:
            yield role, name
    for role in ("sensitive", "features", "categorical"):
        for name in getattr(columns, role) or ():
            yield role, name
    for name in getattr(columns, "where", None) or ():
        yield "where", name


def _refuse_two_roles(columns: Columns) -> None:
    """A column compared with itself, or grouped by what is audited, gives an answer that was put in by hand.

    The label may be a group: whether a picture of a 3 is as robust as one of an 8 is a question.
    """
    for role, name in {"prediction": columns.prediction, "score": columns.score}.items():
        if name is None:
            continue
        if name in columns.sensitive:
            raise OneColumnTwice(name, role, "sensitive")
        if name == columns.label:
            raise OneColumnTwice(name, "label", role)


def _card_threshold(card: DatasetCard | None, score: str | None) -> float | None:
    return card.threshold if card is not None and card.score == score else None


@dataclass(frozen=True)
class Outcomes:
    """Label and prediction as 0 and 1, shape (n,), and what the two outcomes are called.

    Attributes:
        label: 1 where the positive class is true; None without labels.
        prediction: 1 where it is predicted.
        positive, favourable: as text.
        negative: the label's one other value, as text; None without labels and where there are several.
        favourable_is_positive: whether being predicted positive helps the person.
        predicted_by: how predictions came about, for people.
    """

    label: NDArray[np.int8] | None
    prediction: NDArray[np.int8]
    positive: str
    favourable: str
    favourable_is_positive: bool
    predicted_by: str
    negative: str | None = None


def outcomes_of(
    columns: Columns, table: Table, *, scores: tuple[NDArray[np.float64], tuple[str, ...]] | None
) -> Outcomes:
    """Label and prediction of every row.

    Args:
        scores: probabilities (n, K) and classes of a model; None where the table holds the predictions.

    Raises:
        MissingValue, NotBinary, UnknownPositive: by column and row. ClassMismatch, ThresholdNeeded.
    """
    positive = columns.positive if columns.positive is not None else columns.favourable
    if positive is not None and columns.positive is None and _is_zero_one(columns, table):
        positive = None  # favourable alone was named, and 1 is the positive class of itself
    if scores is not None:
        positive = _positive_of_model(positive, scores[1])
    label = _binary(table, columns.label, positive, columns) if columns.label else None
    if scores is not None:
        prediction = _predicted(scores[0], scores[1], positive)
        predicted_by = "the model"
    elif columns.score is not None:
        values = table.scores(columns.score)
        threshold = columns.threshold
        if threshold is None:
            if values.min() < 0 or values.max() > 1:
                raise ThresholdNeeded(columns.score, float(values.min()), float(values.max()))
            threshold = 0.5
        prediction = (values >= threshold).astype(np.int8)
        predicted_by = f"{columns.score} >= {threshold:g}"
    else:
        assert columns.prediction is not None  # resolve() refuses neither
        _refuse_scores(columns.prediction, table, label=columns.label)
        prediction = _binary(table, columns.prediction, positive, columns)
        predicted_by = columns.prediction
    positive_text = positive if positive is not None else "1"
    favourable, is_positive = _favourable(columns, table, positive_text)
    negative = None if label is None else _negative(table, str(columns.label), label)
    return Outcomes(label, prediction, positive_text, favourable, is_positive, predicted_by, negative)


def _negative(table: Table, column: str, label: NDArray[np.int8]) -> str | None:
    groups = table.groups(column)
    others = [groups.values[code] for code in np.unique(groups.codes[label == 0])]
    return others[0] if len(others) == 1 else None


def refuse_outcomes(data: DataSection, table: Table, known: Container[str]) -> None:
    """Refuse what `outcomes_of` would refuse, as far as the values of label and prediction tell.

    Args:
        table: every value of the known columns at least once, each of its columns there.
        known: columns whose values are all in the table.

    Raises:
        NotBinary, UnknownPositive, ClassMismatch.
    """
    columns = resolve(data, table, has_model=False)
    if columns.prediction not in known:
        # then the label alone is asked, as if it were predicted too; which value is positive, only both could tell
        if columns.label is None or {columns.positive, columns.favourable} != {None}:
            return
        columns = replace(columns, prediction=columns.label, score=None)
    if columns.label is None or columns.label in known:
        outcomes_of(columns, table, scores=None)


def _refuse_scores(column: str, table: Table, *, label: str | None) -> None:
    """Refuse a prediction column that holds scores: next to nobody's is the positive value, and all rates would be 0.

    Whole numbers may be classes, unless the label has two values only.

    Raises:
        NotBinary: it says how to name scores.
    """
    values = table.groups(column).names
    if len(values) <= 2 or not all(map(_is_number, values)):
        return
    of_label = table.groups(label).names if label is not None else ()
    if not all(float(value).is_integer() for value in values) or 0 < len(of_label) <= 2:
        raise NotBinary(column, values)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _binary(table: Table, column: str, positive: str | None, columns: Columns) -> NDArray[np.int8]:
    """1 where the column holds the positive value; all 0 where only the other of label and prediction holds it.

    A model that selects nobody is a finding, no error in the file.
    """
    try:
        return table.binary(column, positive)
    except UnknownPositive:
        for other in (columns.label, columns.prediction):
            known = table.groups(other).names if other not in (None, column) else ()
            if any(_same(value, str(positive)) for value in known):
                return np.zeros(table.rows, dtype=np.int8)
        if all(_same(value, "0") for value in table.groups(column).names) and _same(str(positive), "1"):
            return np.zeros(table.rows, dtype=np.int8)
        raise


def _is_zero_one(columns: Columns, table: Table) -> bool:
    column = columns.label or columns.prediction
    if column is None:
        return True
    known = {value for value in table.groups(column).values if value is not None}
    return {value.lower() for value in known} <= {"0", "1", "true", "false"}


def _positive_of_model(positive: str | None, classes: tuple[str, ...]) -> str | None:
    if positive is None:
        if len(classes) == 2:
            return classes[1]
        raise ClassMismatch("positive", None, "the model's classes", classes, setting="positive")
    if positive not in classes:
        same = {"1": ("1", "1.0", "True", "true"), "0": ("0", "0.0", "False", "false")}
        for candidate in same.get(positive, ()):
            if candidate in classes:
                return candidate
        raise ClassMismatch("positive", positive, "the model's classes", classes, setting="positive")
    return positive


def _predicted(scores: NDArray[np.float64], classes: tuple[str, ...], positive: str | None) -> NDArray[np.int8]:
    """1 where the positive class has the highest probability; with two classes, where it has at least a half."""
    index = classes.index(str(positive))
    if len(classes) == 2:
        return (scores[:, index] >= 0.5).astype(np.int8)
    return (scores.argmax(axis=1) == index).astype(np.int8)


def _favourable(columns: Columns, table: Table, positive: str) -> tuple[str, bool]:
    """The favourable outcome as text, and whether it is the positive one.

    Raises:
        ClassMismatch: it is neither the positive value nor the one other value.
    """
    if columns.favourable is None or _same(columns.favourable, positive):
        return positive, True
    others: set[str] = set()
    for column in (columns.label, columns.prediction):
        if column is not None:
            others |= {v for v in table.groups(column).values if v is not None and not _same(v, positive)}
    others = others or {"0"}
    if len(others) > 1:
        raise ClassMismatch(
            "favourable",
            columns.favourable,
            "the two outcomes",
            [positive, f"not {positive}"],
            setting="positive",
            found=sorted(others | {positive}),
        )
    if not any(_same(columns.favourable, other) for other in others):
        raise ClassMismatch(
            "favourable", columns.favourable, "the outcomes", sorted(others | {positive}), setting="favourable"
        )
    return columns.favourable, False


def _same(one: str, other: str) -> bool:
    """Whether two spellings mean one outcome: 1, 1.0 and True do."""
    spellings = {"1.0": "1", "true": "1", "0.0": "0", "false": "0"}
    return spellings.get(one.lower(), one) == spellings.get(other.lower(), other)
