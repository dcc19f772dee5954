"""What the scores add to group disparity, where rows have scores: the document's parts, the metrics of groups, findings."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.report import AttributeResult, Estimate, Finding, Group, GroupDisparity, GroupResult
from evenhand.auditors.scores.plan import refuse_without_scores
from evenhand.datasets.counting.asked import CountedScores
from evenhand.service.audits.beyond_groups import units_of
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject, matching

if TYPE_CHECKING:
    from evenhand.auditors.scores.audit import ScoreAudit
    from evenhand.auditors.scores.data import ScoreData

PROBABILITY_THRESHOLD = 0.5


def with_scores(
    document: GroupDisparity, subject: AuditSubject, request: AuditRequest, *, rng: np.random.Generator
) -> tuple[GroupDisparity, list[Finding]]:
    """The document with what the scores say; unchanged, at no cost, where there are predictions only.

    Raises:
        PolicyError: a check asks for what these scores, or the lack of any, do not allow.
    """
    if _has_no_scores(subject):
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
        unit=units_of(subject),
    )
    if subject.counted is not None and subject.counted.scores is not None:
        data = _of_counts(data, subject, subject.counted.scores, where=request.policy.data.where or {})
    audit = audit_scores(
        data,
        policy=request.policy,
        family_level=document.family_level,
        threshold=_threshold(subject),
        rng=rng,
    )
    return joined(document, audit), audit.findings


def _has_no_scores(subject: AuditSubject) -> bool:
    if subject.counted is not None:
        return subject.counted.scores is None
    return subject.probabilities is None and subject.columns.score is None


def _of_counts(
    data: "ScoreData", subject: AuditSubject, counted: CountedScores, *, where: Mapping[str, str]
) -> "ScoreData":
    """The same with rows as they were counted, each bin's score in the middle of what lies in it."""
    keep = _in_one_order(counted, np.flatnonzero(matching(counted.table, where)), subject)
    table = counted.table.take(keep)
    lowest, highest = counted.lowest[keep], counted.highest[keep]
    label = None
    if subject.columns.label is not None and subject.outcomes.label is not None:
        known = subject.table.groups(subject.columns.label)
        code_of = {known.values[value]: code for value, code in zip(known.codes, subject.outcomes.label, strict=True)}
        found = table.groups(subject.columns.label)
        label = np.array([code_of[value] for value in found.values], dtype=np.int8)[found.codes]
    groups = {name: table.groups(name) for name in subject.columns.sensitive}
    return replace(
        data,
        scores=lowest + (highest - lowest) / 2,
        attributes={name: (found.codes, found.values) for name, found in groups.items()},
        label=label,
        weight=None if counted.weight is None else counted.weight[keep],
        times=table.times,
        squares=None if counted.squares is None else counted.squares[keep],
        reach=(highest - lowest) / 2,
    )


def _in_one_order(counted: CountedScores, rows: NDArray[np.intp], subject: AuditSubject) -> NDArray[np.intp]:
    """The rows by bin, groups, label and number, for an engine answers in any order, and sums of floats keep to one."""
    columns = [name for name in (*subject.columns.sensitive, subject.columns.label) if name is not None]
    assert counted.table.times is not None
    keys = [
        counted.table.times[rows],
        *(counted.table.groups(name).codes[rows] for name in columns),
        counted.lowest[rows],
    ]
    return rows[np.lexsort(keys)]


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
