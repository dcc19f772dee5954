"""Robustness of a classifier of tables: its rows and its decisions as the auditors take them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import Progress
from evenhand.auditors.report import Finding, Robustness
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject

if TYPE_CHECKING:
    from evenhand.auditors.robustness.tables import Decide, RowData

ENDPOINT_ROWS = 50
"""Rows of each group and decision that an endpoint is asked about, where the policy names no number: each is a request."""
SMALLEST = 1e-12
"""Probabilities are kept this far from 0 and 1 in log odds."""


def changes(
    subject: AuditSubject, request: AuditRequest, progress: Progress, tolerances: Mapping[str, float]
) -> tuple[Robustness, list[Finding]]:
    """Recourse and fragility by group.

    Raises:
        PolicyError: `[robustness]` asks for what the features do not allow. UndefinedScores.
    """
    from evenhand.auditors.robustness.tables import audit_changes

    assert subject.model is not None
    return audit_changes(
        row_data(subject),
        decide_of(subject),
        favourable=subject.outcomes.favourable,
        settings=request.policy.robustness,
        rows_per_group=ENDPOINT_ROWS if subject.model.card.format == "endpoint" else None,
        sensitive=subject.columns.sensitive,
        thorough=request.thorough or request.policy.thorough,
        seed=request.seed,
        tolerances=tolerances,
        progress=progress,
    )


def row_data(subject: AuditSubject) -> "RowData":
    """The model's features, with labels, groups and units."""
    from evenhand.auditors.robustness.tables import RowData

    outcomes, card = subject.outcomes, subject.table.card
    return RowData(
        columns=subject.table.features(subject.feature_names),
        attributes=subject.attributes,
        ids=np.arange(subject.rows, dtype=np.int64),
        label=None if outcomes.label is None else (outcomes.label == 1) == outcomes.favourable_is_positive,
        unit=_units(subject),
        categorical=frozenset(subject.columns.categorical),
        fixed=frozenset(card.fixed) if card is not None else frozenset(),
    )


def decide_of(subject: AuditSubject) -> "Decide":
    """The model's decisions as the report counts them, with log odds of the favourable outcome as the margin."""
    from evenhand.auditors.robustness.tables import Decisions

    assert subject.model is not None
    classifier, helps = subject.model.classifier, subject.outcomes.favourable_is_positive
    positive = tuple(classifier.classes).index(subject.outcomes.positive)

    def decide(columns: Mapping[str, NDArray[Any]]) -> Decisions:
        scores = classifier.predict_proba(columns)
        others = np.delete(scores, positive, axis=1).max(axis=1)
        if scores.shape[1] == 2:
            predicted = scores[:, positive] >= 0.5
        else:
            predicted = scores.argmax(axis=1) == positive
        with np.errstate(invalid="ignore"):
            margin = np.log(np.maximum(scores[:, positive], SMALLEST)) - np.log(np.maximum(others, SMALLEST))
        return Decisions(predicted == helps, margin if helps else -margin)

    return decide


def _units(subject: AuditSubject) -> NDArray[np.int64] | None:
    """The person behind each row; a row without one is a person of its own."""
    if subject.columns.unit is None:
        return None
    found = subject.table.groups(subject.columns.unit)
    codes = found.codes.astype(np.int64)
    if None not in found.values:
        return codes
    alone = codes == found.values.index(None)
    return np.where(alone, -1 - np.arange(len(codes)), codes)
