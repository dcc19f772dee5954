"""What the group disparity audit finds beyond its groups: the worst subgroups, and attributes known by probability."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute
from evenhand.auditors.disparity.subgroups import Outcome, search_subgroups
from evenhand.auditors.membership import Membership, membership_gaps, rows_left_out
from evenhand.auditors.policy import SearchSection
from evenhand.auditors.report import Finding, GroupDisparity, SubgroupSearch
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.subject import AuditSubject

SEARCHED_FROM = 3
"""Sensitive columns from which on subgroups are searched without being asked for."""


def subgroups(subject: AuditSubject, request: AuditRequest, *, rng: np.random.Generator) -> SubgroupSearch | None:
    """The worst subgroups, where the policy asks for them, in a thorough audit, or over three sensitive columns or more."""
    settings = request.policy.search
    thorough = request.thorough or request.policy.thorough
    if settings is None and not thorough and len(subject.attributes) < SEARCHED_FROM:
        return None
    settings = settings or SearchSection()
    subject.table.require("search.features", *(settings.features or ()))
    outcomes, counted = subject.outcomes, subject.counted is not None
    found = search_subgroups(
        [Attribute(name, codes, values) for name, (codes, values) in subject.attributes.items()],
        Outcome(outcomes.prediction, outcomes.label, outcomes.favourable_is_positive),
        settings=settings,
        alpha=request.policy.alpha,
        rng=rng,
        features=subject.table.features(settings.features) if settings.features else None,
        unit=units_of(subject),
        weight=None if counted else subject.weight,
        times=subject.table.times,
    )
    return found.model_copy(update={"notes": [*found.notes, *_notes_on_counts(subject)]}) if counted else found


def _notes_on_counts(subject: AuditSubject) -> list[str]:
    """What a search of rows would have done and one of counts cannot."""
    notes = [
        "This source was only counted: groups of the sensitive columns were searched. Slices by ordinary features need rows."
    ]
    if subject.columns.weight is not None:
        notes.append("Weights were not used in this search: counts do not say which half a weight lies in.")
    return notes


def units_of(subject: AuditSubject) -> NDArray[np.int64] | None:
    """Who each row is about; a row that does not say is about somebody of its own."""
    if subject.columns.unit is None:
        return None
    found = subject.table.groups(subject.columns.unit)
    unit = found.codes.astype(np.int64)
    unit[found.missing] = len(found.values) + np.arange(int(found.missing.sum()))
    return unit


def with_membership(
    document: GroupDisparity, subject: AuditSubject, request: AuditRequest
) -> tuple[GroupDisparity, list[Finding]]:
    """The audit with the attributes that are known by probability alone, and their findings.

    Raises:
        MissingColumn, NotNumeric, BadMembership: a column of the policy is not there, or holds no probabilities.
    """
    declared = request.policy.data.membership
    if not declared or subject.counted is not None:
        return document, []
    for columns in declared.values():
        subject.table.require("membership", *columns.values())
    gaps, findings, notes = [], [], list(document.notes)
    for attribute, columns in declared.items():
        membership = Membership(
            attribute, tuple(columns), np.stack([_numbers(subject, name) for name in columns.values()], axis=1)
        )
        found, said = membership_gaps(
            membership,
            prediction=subject.outcomes.prediction,
            label=subject.outcomes.label,
            favourable_is_positive=subject.outcomes.favourable_is_positive,
            level=1 - request.policy.alpha,
        )
        gaps += found
        findings += said
        notes += [note] if (note := rows_left_out(membership)) else []
    return document.model_copy(update={"membership": gaps, "notes": notes}), findings


def _numbers(subject: AuditSubject, column: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where it is empty."""
    values = subject.table.features([column])[column]
    return subject.table.numeric(column) if values.dtype.kind == "O" else values.astype(np.float64)
