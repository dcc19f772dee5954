"""One check on one attribute: all pairs of its components, the composite over them, and what is listed beside."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Pairs, compare_pairs
from evenhand.auditors.disparity.pairwise import MOST_GROUPS, finding_id, finite, pair_findings, undecided, verdict_of
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.disparity.settle import what_would_settle
from evenhand.auditors.disparity.sharing import with_shared_error
from evenhand.auditors.disparity.versus import Reference, against_reference, against_rest
from evenhand.auditors.disparity.words import composite_message
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict


@dataclass(frozen=True)
class Answer:
    """What one check found.

    Attributes:
        composite: the finding that counts for the gate.
        pairs: the pairs listed, then each group against the rest and against the reference, if any.
        pairs_total: how many pairs there are.
        pairs_listed: how many of `pairs` are pairs.
    """

    check: PlannedCheck
    composite: Finding
    pairs: list[Finding]
    pairs_total: int
    pairs_listed: int = 0


def answer(check: PlannedCheck, evidence: Evidence, *, reference: Reference | None = None) -> Answer:
    """Compare all pairs on all components, then take the composite over them."""
    counts, small = evidence.counts, evidence.small
    compared = ~counts.unknown & ~small if check.small_groups == "list" else ~counts.unknown
    if not 2 <= compared.sum() <= MOST_GROUPS:
        return Answer(check, undecided(check, evidence, compared), [], 0)
    check = with_shared_error(check, evidence, compared)
    z = check.budget.z_all_pairs(int(compared.sum()))
    components = [
        compare_pairs(
            counts,
            metric=metric,
            comparison=check.comparison,
            tolerance=check.tolerance,
            compared=compared,
            decidable=~small,
            z=z,
            z_equivalence=check.budget.z_equivalence,
            design=evidence.design,
        )
        for metric in check.components
    ]
    composite = _composite(check, evidence, components, compared, z)
    if check.gate is Gate.OFF:
        return Answer(check, composite, [], 0)
    pairs = [finding for each in components for finding in pair_findings(check, evidence, each, z)]
    beside = [
        finding
        for metric in check.components
        for finding in (
            *against_rest(check, evidence, metric, compared),
            *(against_reference(check, evidence, metric, compared, reference) if reference else ()),
        )
    ]
    return Answer(check, composite, pairs + beside, sum(len(each.estimate) for each in components), len(pairs))


def _composite(
    check: PlannedCheck, evidence: Evidence, components: list[Pairs], compared: NDArray[np.bool_], z: float
) -> Finding:
    """The largest gap over all pairs of all components, or the mean of the components' largest gaps."""
    counts = evidence.counts
    undefined = any(pairs.undefined.any() for pairs in components)
    disparity = any(pairs.disparity.any() for pairs in components)
    within = not undefined and all(pairs.within.all() for pairs in components)
    worst = np.max if check.comparison is Comparison.DIFFERENCE else np.min
    across = np.mean if check.average else worst

    def over_pairs(name: str) -> float | None:
        if undefined:
            return None
        return finite(float(across([worst(getattr(pairs, name)) for pairs in components])))

    estimate, low, high = over_pairs("estimate"), over_pairs("low"), over_pairs("high")
    equivalence_low, equivalence_high = over_pairs("equivalence_low"), over_pairs("equivalence_high")
    if check.average:
        small = bool(evidence.small[compared].any())
        disparity, within = (
            _mean_decides(check, low, high, equivalence_low, equivalence_high)
            if not undefined and not small
            else (False, False)
        )
    verdict = verdict_of(disparity=disparity, within=within)
    deciding, at = _deciding(components, verdict)
    finding = Finding(
        id=finding_id(check),
        audit="group_disparity",
        metric=check.name,
        comparison=check.comparison,
        attribute=check.attribute,
        group=counts.groups[deciding.first[at]],
        reference=counts.groups[deciding.second[at]],
        estimate=estimate,
        low=low,
        high=high,
        level=check.budget.level,
        equivalence_low=equivalence_low,
        equivalence_high=equivalence_high,
        tolerance=check.tolerance,
        verdict=verdict,
        n=int(counts.rows[deciding.first[at]]),
        reference_n=int(counts.rows[deciding.second[at]]),
        gate=check.gate,
        message="",
    )
    if verdict is Verdict.INCONCLUSIVE and estimate is not None and not check.average:
        finding = finding.model_copy(update=what_would_settle(check, evidence, components, compared, deciding, at, z))
    message = composite_message(finding, check, evidence, components, deciding, at, compared)
    return finding.model_copy(update={"message": message})


def _mean_decides(
    check: PlannedCheck,
    low: float | None,
    high: float | None,
    equivalence_low: float | None,
    equivalence_high: float | None,
) -> tuple[bool, bool]:
    """Disparity and within of a mean of gaps; an infinite bound decides nothing."""
    if check.comparison is Comparison.DIFFERENCE:
        return low is not None and low > check.tolerance, (
            equivalence_high is not None and equivalence_high < check.tolerance
        )
    return high is not None and high < check.tolerance, (
        equivalence_low is not None and equivalence_low > check.tolerance
    )


def _deciding(components: list[Pairs], verdict: Verdict) -> tuple[Pairs, int]:
    """The pair that decides: the surest proof, or the pair that is furthest from being shown within.

    Of an open check an undefined pair comes first; one of a group too small to decide comes only where no other is open.
    """
    difference = components[0].comparison is Comparison.DIFFERENCE

    def best(pairs: Pairs) -> tuple[int, float, int]:
        if verdict is Verdict.PROVEN_DISPARITY:
            standing, bound = pairs.disparity.astype(int), pairs.low if difference else -pairs.high
        else:
            standing = np.where(pairs.undefined, 2, (pairs.decidable & ~pairs.within).astype(int))
            bound = pairs.equivalence_high if difference else -pairs.equivalence_low
        bound = np.nan_to_num(bound)
        at = int(np.lexsort((-bound, -standing))[0])
        return int(standing[at]), float(bound[at]), at

    found = [best(pairs) for pairs in components]
    chosen = max(range(len(components)), key=lambda index: found[index][:2])
    return components[chosen], found[chosen][2]
