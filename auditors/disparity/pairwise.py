"""Pairs of groups as findings of their own, gate off, each with what would settle it and, in small cells, exact tests."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Pairs, bounds_between, gap_between
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.disparity.settle import Growth, detectable_of_pairs, growth_of_pairs, rows_of
from evenhand.auditors.disparity.words import pair_message
from evenhand.auditors.exact_tests import exact, is_small
from evenhand.auditors.report import Counterpart, ExactTests, Finding
from evenhand.auditors.verdict import Comparison, Verdict
from evenhand.auditors.words import quoted_group

MOST_GROUPS = 500
"""Groups of one attribute or intersection that are compared pair by pair."""

MOST_PAIRS_LISTED = 300
MOST_ENUMERATED = 40
"""Pairs of one check that Boschloo's test is enumerated for."""


def finding_id(check: PlannedCheck) -> str:
    return f"group_disparity/{check.name}/{check.comparison.value}/{check.attribute}"


def verdict_of(*, disparity: bool, within: bool) -> Verdict:
    """A proof stands before what is shown within."""
    return Verdict.PROVEN_DISPARITY if disparity else Verdict.PROVEN_WITHIN if within else Verdict.INCONCLUSIVE


def finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def other_comparison(comparison: Comparison) -> Comparison:
    return Comparison.RATIO if comparison is Comparison.DIFFERENCE else Comparison.DIFFERENCE


def undecided(check: PlannedCheck, evidence: Evidence, compared: NDArray[np.bool_]) -> Finding:
    """The finding of a check with fewer than two groups to compare, or more than can be compared pair by pair."""
    counts = evidence.counts
    many = int(compared.sum())
    one = many == 1
    if many > MOST_GROUPS:
        message = (
            f"{check.attribute} has {many:,} groups; up to {MOST_GROUPS:,} are compared pair by pair: nothing is said."
        )
    else:
        message = f"{check.attribute} has {'one group' if one else 'no group'} to compare: nothing can be said."
    return Finding(
        id=finding_id(check),
        audit="group_disparity",
        metric=check.name,
        comparison=check.comparison,
        attribute=check.attribute,
        group=counts.groups[int(np.flatnonzero(compared)[0])] if one else None,
        estimate=None,
        level=check.budget.level,
        tolerance=check.tolerance,
        verdict=Verdict.INCONCLUSIVE,
        n=int(counts.rows[compared].sum()),
        gate=check.gate,
        message=message,
    )


def pair_findings(check: PlannedCheck, evidence: Evidence, pairs: Pairs, z: float) -> list[Finding]:
    """The pairs as findings; the largest gaps where there are very many."""
    counts = evidence.counts
    order = np.arange(len(pairs.estimate))
    if len(order) > MOST_PAIRS_LISTED:
        order = np.sort(np.argsort(-np.nan_to_num(pairs.gap, nan=-np.inf), kind="stable")[:MOST_PAIRS_LISTED])
    disparity, within = pairs.disparity, pairs.within
    unsettled = ~disparity & ~within
    nothing = np.full(len(pairs.estimate), np.nan)
    growth, detectable = Growth(nothing, nothing), nothing
    if pairs.metric.is_rate and unsettled.any():
        growth = growth_of_pairs(check, evidence, pairs, z)
        detectable = detectable_of_pairs(check, evidence, pairs, z)
    counterparts = _counterparts(evidence, pairs, order, z)
    name = check.name if len(check.components) == 1 else pairs.metric.name
    findings, enumerated = [], 0
    for at, counterpart in zip(order, counterparts, strict=True):
        first, second = int(pairs.first[at]), int(pairs.second[at])
        tests = _exact(evidence, pairs, first, second, boschloo=enumerated < MOST_ENUMERATED)
        enumerated += tests is not None
        smaller = int(min(counts.rows[first], counts.rows[second]))
        finding = Finding(
            id=f"{finding_id(check)}/{pairs.metric.name}/"
            f"{quoted_group(counts.groups[first])}:{quoted_group(counts.groups[second])}",
            audit="group_disparity",
            metric=name,
            comparison=check.comparison,
            attribute=check.attribute,
            group=counts.groups[first],
            reference=counts.groups[second],
            estimate=finite(pairs.estimate[at]),
            low=finite(pairs.low[at]),
            high=finite(pairs.high[at]),
            level=check.budget.level,
            equivalence_low=finite(pairs.equivalence_low[at]),
            equivalence_high=finite(pairs.equivalence_high[at]),
            tolerance=check.tolerance,
            verdict=verdict_of(disparity=bool(disparity[at]), within=bool(within[at])),
            n=int(counts.rows[first]),
            reference_n=int(counts.rows[second]),
            p_value=finite(pairs.p_value[at]),
            message="",
            rows_needed=rows_of(growth.settles[at], smaller) if unsettled[at] else None,
            rows_needed_at_estimate=rows_of(growth.at_estimate[at], smaller) if unsettled[at] else None,
            detectable=finite(detectable[at]) if unsettled[at] else None,
            counterpart=counterpart,
            exact=tests,
        )
        message = pair_message(finding, pairs.metric, evidence, first, second)
        findings.append(finding.model_copy(update={"message": message}))
    return findings


def _counterparts(evidence: Evidence, pairs: Pairs, order: NDArray[np.intp], z: float) -> list[Counterpart]:
    """The other comparison of the listed pairs, at the same quantile."""
    comparison = other_comparison(pairs.comparison)
    first, second = pairs.first[order], pairs.second[order]
    value = pairs.metric.value(evidence.counts.cells)
    estimate = gap_between(value[first], value[second], comparison=comparison)
    bounds = bounds_between(evidence, pairs.metric, comparison, first, second, z=z)
    return [
        Counterpart(comparison=comparison, estimate=finite(e), low=finite(low), high=finite(high))
        if np.isfinite(e)
        else Counterpart(comparison=comparison, estimate=None, low=None, high=None)
        for e, low, high in zip(estimate, bounds.low, bounds.high, strict=True)
    ]


def _exact(evidence: Evidence, pairs: Pairs, first: int, second: int, *, boschloo: bool) -> ExactTests | None:
    """Exact tests of a rate on whole, independent rows where a cell or a group is small; else None."""
    if (
        not pairs.metric.is_rate
        or evidence.design is not None
        or evidence.counts.effective is not evidence.counts.cells
    ):
        return None
    x, n = pairs.metric.fraction(evidence.counts.cells)
    table = int(x[first]), int(n[first]), int(x[second]), int(n[second])
    if min(table[1], table[3]) == 0 or not is_small(*table):
        return None
    found = exact(*table, boschloo=boschloo)
    return ExactTests(fisher=found.fisher, mid_p=found.mid_p, boschloo=found.boschloo)
