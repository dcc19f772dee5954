"""What the scores add to group disparity, where rows have scores: the document's parts, the metrics of groups, findings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from evenhand.auditors.report import AttributeResult, Estimate, Finding, Group, GroupDisparity, GroupResult
from evenhand.auditors.scores.plan import refuse_without_scores
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject

if TYPE_CHECKING:
    from evenhand.auditors.scores.audit import ScoreAudit

PROBABILITY_THRESHOLD = 0.5


def with_scores(
    document: GroupDisparity, subject: AuditSubject, request: AuditRequest, *, rng: np.random.Generator
) -> tuple[GroupDisparity, list[Finding]]:
    """The document with what the scores say; unchanged, at no cost, where there are predictions only.

    Raises:
        PolicyError: a check asks for what these scores, or the lack of any, do not allow.
    """
    if subject.counted is not None or (subject.probabilities is None and subject.columns.score is None):
        refuse_without_scores(request.policy)
        return document, []
    from evenhand.auditors.scores.audit import audit_scores
    from evenhand.auditors.scores.data import ScoreData

    data = ScoreData(
        scores=np.asarray(subject.scores_of_positive, dtype=np.float64),
        attributes=subject.attributes,
        label=subject.outcomes.label,
        weight=subject.weight,
        favourable_is_positive=subject.outcomes.favourable_is_positive,
        scored_by=subject.columns.score or "probability of the positive class",
    )
    audit = audit_scores(
        data,
        policy=request.policy,
        family_level=document.family_level,
        threshold=_threshold(subject),
        rng=rng,
    )
    return joined(document, audit), audit.findings


def joined(document: GroupDisparity, audit: "ScoreAudit") -> GroupDisparity:
    """The document with the audit's part, and metrics of scores beside those of decisions."""
    everyone = audit.metrics[""][0]
    attributes = [
        _with_metrics(result, audit.groups[result.attribute], audit.metrics[result.attribute], everyone)
        for result in document.attributes
    ]
    return document.model_copy(update={"attributes": attributes, "scores": audit.attributes})


def _threshold(subject: AuditSubject) -> float | None:
    """The score from which a row is positive; None where several classes compete."""
    if subject.probabilities is not None:
        return PROBABILITY_THRESHOLD if subject.probabilities.shape[1] == 2 else None
    return subject.columns.threshold if subject.columns.threshold is not None else PROBABILITY_THRESHOLD


def _with_metrics(
    result: AttributeResult,
    groups: Sequence[Group],
    metrics: Sequence[Mapping[str, Estimate]],
    everyone: Mapping[str, Estimate],
) -> AttributeResult:
    """Metrics of scores beside those of decisions, group by group."""
    by_group = {tuple(group.items()): found for group, found in zip(groups, metrics, strict=True)}

    def with_found(row: GroupResult, found: Mapping[str, Estimate]) -> GroupResult:
        return row.model_copy(update={"metrics": {**row.metrics, **found}})

    return result.model_copy(
        update={
            "groups": [with_found(row, by_group.get(tuple(row.group.items()), {})) for row in result.groups],
            "overall": with_found(result.overall, everyone),
        }
    )
