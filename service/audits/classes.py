"""Labels of more than two classes, as the multi-class audit takes them; None where there are two, or nothing to compare."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject, label_codes

if TYPE_CHECKING:
    from evenhand.auditors.report import Multiclass

MOST_CLASSES = 50


def multiclass(subject: AuditSubject, request: AuditRequest) -> "Multiclass | None":
    """Every class against the rest, by group: where there are labels, and predictions or a model, of 3 to 50 classes."""
    found = _classes(subject)
    if found is None or not 2 < len(found[0]) <= MOST_CLASSES:
        return None
    from evenhand.auditors.counting.confusion import count_confusion
    from evenhand.auditors.counts import Attribute
    from evenhand.auditors.multiclass import audit_multiclass

    classes, label, prediction = found
    outcomes = subject.outcomes
    table = count_confusion(
        [Attribute(name, codes, values) for name, (codes, values) in subject.attributes.items()],
        classes=classes,
        label=label,
        prediction=prediction,
        weight=subject.weight,
        times=subject.table.times,
        square=None if subject.counted is None else subject.counted.squares,
    )
    return audit_multiclass(
        table,
        label=str(subject.columns.label),
        prediction=outcomes.predicted_by,
        favourable=outcomes.favourable if outcomes.favourable in classes else None,
        depth=request.policy.data.intersections,
        alpha=request.policy.alpha,
    )


def _classes(subject: AuditSubject) -> tuple[tuple[str, ...], NDArray[np.integer], NDArray[np.integer]] | None:
    """Classes, and label and prediction of every row as indices into them."""
    columns = subject.columns
    if columns.label is None:
        return None
    if subject.model is not None and subject.probabilities is not None:
        classes = tuple(subject.model.classifier.classes)
        if len(classes) <= 2:
            return None
        return classes, label_codes(subject.table, columns.label, classes), subject.probabilities.argmax(axis=1)
    if columns.prediction is None:
        return None
    label, prediction = subject.table.classes(columns.label), subject.table.classes(columns.prediction)
    classes = (*label.names, *(name for name in prediction.names if name not in label.names))
    place = {name: index for index, name in enumerate(classes)}
    return classes, label.codes, np.array([place[name] for name in prediction.names], dtype=np.int32)[prediction.codes]
