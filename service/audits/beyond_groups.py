"""Hands rows to the parts of the group disparity audit that need more than its count table: the search for subgroups."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import Attribute
from evenhand.auditors.disparity.subgroups import Outcome, search_subgroups
from evenhand.auditors.policy import SearchSection
from evenhand.auditors.report import SubgroupSearch
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
    if subject.counted is not None:  # half of the rows cannot be chosen where equal rows are one
        return None
    settings = settings or SearchSection()
    outcomes = subject.outcomes
    return search_subgroups(
        [Attribute(name, codes, values) for name, (codes, values) in subject.attributes.items()],
        Outcome(outcomes.prediction, outcomes.label, outcomes.favourable_is_positive),
        settings=settings,
        alpha=request.policy.alpha,
        rng=rng,
        features=subject.table.features(settings.features) if settings.features else None,
        unit=_unit(subject),
    )


def _unit(subject: AuditSubject) -> NDArray[np.int64] | None:
    """Who each row is about; a row that does not say is about somebody of its own."""
    if subject.columns.unit is None:
        return None
    found = subject.table.groups(subject.columns.unit)
    unit = found.codes.astype(np.int64)
    unit[found.missing] = len(found.values) + np.arange(int(found.missing.sum()))
    return unit
