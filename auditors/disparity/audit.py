"""The group disparity audit: from the count table and the policy to results by group and findings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.bounds import bounds_of
from evenhand.auditors.counts import CountTable, GroupCounts
from evenhand.auditors.disparity import power
from evenhand.auditors.disparity.groups import expected_largest_gap, group_results
from evenhand.auditors.disparity.pairs import Pairs, compare_pairs
from evenhand.auditors.disparity.plan import Attributes, PlannedCheck, attribute_sets, planned
from evenhand.auditors.disparity.words import composite_message, pair_message
from evenhand.auditors.errors import NothingToCompare
from evenhand.auditors.metrics import COUNT_METRICS, Metric, favourable_rate
from evenhand.auditors.policy import SMALL_GROUP_ROWS, Policy
from evenhand.auditors.report import AttributeResult, Finding, GroupDisparity, PairsListed, UnknownBounds
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import quoted_group

MOST_PAIRS_LISTED = 300


@dataclass(frozen=True)
class Meaning:
    """What the columns mean, for people.

    Attributes:
        positive, favourable: the values, as text.
        label, prediction: how the columns are called; label None where there is none.
        favourable_is_positive: whether being predicted positive helps the person.
    """

    positive: str
    favourable: str
    label: str | None
    prediction: str
    favourable_is_positive: bool


def audit_group_disparity(
    table: CountTable, *, policy: Policy, meaning: Meaning, rng: np.random.Generator
) -> tuple[GroupDisparity, list[Finding]]:
    """Compare groups of every attribute and intersection on every metric of the policy.

    Args:
        table: counts over all sensitive attributes.
        policy: checks, tolerances, alpha; an empty one asks for the defaults.
        rng: for the null expectation of the largest gap.

    Raises:
        NothingToCompare: every attribute has fewer than two known groups.
        PolicyError: a check names what is not there.
    """
    _refuse_one_group(table)
    checks = planned(
        policy,
        sensitive=table.attributes,
        with_labels=table.has_labels,
        favourable_is_positive=meaning.favourable_is_positive,
    )
    metrics = _metrics(table, meaning)
    attributes: list[AttributeResult] = []
    composites: list[Finding] = []
    pairs: list[Finding] = []
    for chosen in attribute_sets(table.attributes, depth=policy.data.intersections):
        counts = table.of(*chosen)
        answers = [_answer(check, counts) for check in checks if check.attributes == chosen]
        composites += [answer.composite for answer in answers]
        pairs += [finding for answer in answers for finding in answer.pairs]
        attributes.append(_attribute_result(chosen, counts, table, metrics, answers, rng))
    budget = checks[0].budget if checks else None
    document = GroupDisparity(
        positive=meaning.positive,
        favourable=meaning.favourable,
        label=meaning.label,
        prediction=meaning.prediction,
        family_level=budget.level if budget else 1 - policy.alpha,
        weighted=table.weights is not None,
        attributes=attributes,
        bounds=_bounds(table, checks),
        notes=_notes(table),
    )
    return document, [*sorted(composites, key=lambda finding: finding.gate is Gate.OFF), *pairs]


def _refuse_one_group(table: CountTable) -> None:
    known = {}
    for name in table.attributes:
        counts = table.of(name)
        known[name] = [str(g[name]) for g, unknown in zip(counts.groups, counts.unknown, strict=True) if not unknown]
    if all(len(values) < 2 for values in known.values()):
        raise NothingToCompare(known)


def _metrics(table: CountTable, meaning: Meaning) -> list[Metric]:
    favourable = favourable_rate(favourable_is_positive=meaning.favourable_is_positive)
    return [favourable, *(m for m in COUNT_METRICS.values() if table.has_labels or not m.needs_labels)]


def _notes(table: CountTable) -> list[str]:
    notes = []
    for name in table.attributes:
        counts = table.of(name)
        missing = int(counts.rows[counts.unknown].sum())
        if missing:
            notes.append(
                f"{name} is missing in {missing:,} of {int(counts.rows.sum()):,} rows: they are listed as unknown and left "
                "out of comparisons."
            )
    if table.weights is not None:
        notes.append("Rates are weighted; intervals use the effective sample size of each group (Kish 1965).")
    return notes


def _bounds(table: CountTable, checks: Sequence[PlannedCheck]) -> list[UnknownBounds] | None:
    """What the rows without an attribute could hide, for every check that they touch."""
    if not any(None in values for values in table.values):
        return None
    found = [
        bounds_of(
            table.of(*check.attributes),
            name=check.name,
            components=check.components,
            comparison=check.comparison,
            tolerance=check.tolerance,
            average=check.average,
        )
        for check in checks
    ]
    return [bound for bound in found if bound is not None] or None


@dataclass(frozen=True)
class Answer:
    """What one check found: its composite finding, the pairs that are listed, and how many pairs there are."""

    check: PlannedCheck
    composite: Finding
    pairs: list[Finding]
    pairs_total: int


def _attribute_result(
    chosen: Attributes,
    counts: GroupCounts,
    table: CountTable,
    metrics: Sequence[Metric],
    answers: Sequence[Answer],
    rng: np.random.Generator,
) -> AttributeResult:
    compared = ~counts.unknown
    known = replace(
        counts,
        groups=tuple(g for g, keep in zip(counts.groups, compared, strict=True) if keep),
        rows=counts.rows[compared],
        cells=counts.cells[compared],
        effective=counts.effective[compared],
    )
    expected = {
        answer.check.name: expected_largest_gap(known, answer.check.components[0], answer.check.comparison, rng=rng)
        for answer in answers
        if len(answer.check.components) == 1
    }
    labelled = table.has_labels
    return AttributeResult(
        attribute=counts.name,
        groups=group_results(counts, metrics, small_rows=SMALL_GROUP_ROWS, has_labels=labelled),
        overall=group_results(table.overall(), metrics, small_rows=SMALL_GROUP_ROWS, has_labels=labelled)[0],
        pairs=PairsListed(
            total=sum(answer.pairs_total for answer in answers),
            listed=sum(len(answer.pairs) for answer in answers),
            rule=f"all pairs of gated checks, or the {MOST_PAIRS_LISTED} largest gaps where there are more",
        ),
        expected_largest_gap=expected,
    )


def _answer(check: PlannedCheck, counts: GroupCounts) -> Answer:
    """One check on one attribute: all pairs of all components, then the composite over them."""
    small = counts.rows < SMALL_GROUP_ROWS
    compared = ~counts.unknown & ~small if check.small_groups == "list" else ~counts.unknown
    if compared.sum() < 2:
        return Answer(check, _undecided(check, counts, compared), [], 0)
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
        )
        for metric in check.components
    ]
    composite = _composite(check, counts, components, compared, z)
    if check.gate is Gate.OFF:
        return Answer(check, composite, [], 0)
    listed = [finding for pairs in components for finding in _pair_findings(check, counts, pairs, z)]
    return Answer(check, composite, listed, sum(len(pairs.estimate) for pairs in components))


def _finding_id(check: PlannedCheck) -> str:
    return f"group_disparity/{check.name}/{check.comparison.value}/{check.attribute}"


def _undecided(check: PlannedCheck, counts: GroupCounts, compared: NDArray[np.bool_]) -> Finding:
    one = int(compared.sum()) == 1
    return Finding(
        id=_finding_id(check),
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
        message=f"{check.attribute} has {'one group' if one else 'no group'} to compare: nothing can be said.",
    )


def _composite(
    check: PlannedCheck, counts: GroupCounts, components: list[Pairs], compared: NDArray[np.bool_], z: float
) -> Finding:
    """The largest gap over all pairs of all components, or the mean of the components' largest gaps."""
    undefined = any(pairs.undefined.any() for pairs in components)
    disparity = any(pairs.disparity.any() for pairs in components)
    within = not undefined and all(pairs.within.all() for pairs in components)
    worst = np.max if check.comparison is Comparison.DIFFERENCE else np.min
    across = np.mean if check.average else worst

    def over_pairs(name: str) -> float | None:
        if undefined:
            return None
        return _number(float(across([worst(getattr(pairs, name)) for pairs in components])))

    estimate, low, high = over_pairs("estimate"), over_pairs("low"), over_pairs("high")
    equivalence_low, equivalence_high = over_pairs("equivalence_low"), over_pairs("equivalence_high")
    if check.average:
        small = bool((counts.rows[compared] < SMALL_GROUP_ROWS).any())
        disparity = not undefined and not small and low is not None and low > check.tolerance
        within = not undefined and not small and equivalence_high is not None and equivalence_high < check.tolerance
    verdict = Verdict.PROVEN_DISPARITY if disparity else Verdict.PROVEN_WITHIN if within else Verdict.INCONCLUSIVE
    deciding, at = _deciding(components, verdict)
    finding = Finding(
        id=_finding_id(check),
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
        finding = finding.model_copy(update=_what_would_settle(check, counts, components, compared, deciding, at, z))
    message = composite_message(finding, check, counts, components, deciding, at, compared)
    return finding.model_copy(update={"message": message})


def _deciding(components: list[Pairs], verdict: Verdict) -> tuple[Pairs, int]:
    """The pair that decides: the surest proof, or the pair that is furthest from being shown within."""
    difference = components[0].comparison is Comparison.DIFFERENCE

    def rank(pairs: Pairs) -> NDArray[np.float64]:
        if verdict is Verdict.PROVEN_DISPARITY:
            bound = pairs.low if difference else -pairs.high
            return np.where(pairs.disparity, np.nan_to_num(bound, nan=-np.inf), -np.inf)
        bound = pairs.equivalence_high if difference else -pairs.equivalence_low
        return np.where(pairs.undefined, np.inf, bound)

    ranks = [rank(pairs) for pairs in components]
    chosen = int(np.argmax([r.max() for r in ranks]))
    return components[chosen], int(np.argmax(ranks[chosen]))


def _what_would_settle(
    check: PlannedCheck,
    counts: GroupCounts,
    components: list[Pairs],
    compared: NDArray[np.bool_],
    deciding: Pairs,
    at: int,
    z: float,
) -> dict[str, float | int | None]:
    """Rows of the smallest group compared that would settle the check, the others in proportion; and what was detectable."""
    if not all(metric.is_rate for metric in check.components):
        return {}
    smallest = int(counts.rows[compared].min())
    growth = np.nan
    beyond = [_beyond(pairs) for pairs in components]
    if any(b.any() for b in beyond):
        needed = [_growth_of_pairs(counts, pairs, check, z)[b] for pairs, b in zip(components, beyond, strict=True)]
        growth = float(np.nanmin(np.concatenate(needed)))
    elif not any(_on_tolerance(pairs).any() for pairs in components):
        each = []
        for metric in check.components:
            x, n = metric.fraction(counts.effective[compared])
            each.append(
                power.growth_to_prove_all_within(
                    float(x.sum() / n.sum()),
                    n,
                    comparison=check.comparison,
                    tolerance=check.tolerance,
                    z_equivalence=check.budget.z_equivalence,
                )
            )
        growth = float(np.max(each))
    x, n = deciding.metric.fraction(counts.effective)
    i, j = deciding.first[at], deciding.second[at]
    gap = power.detectable_gap(
        x[[j]] / n[[j]], n[[i]], n[[j]], comparison=check.comparison, tolerance=check.tolerance, z=z
    )[0]
    rows = None if not np.isfinite(growth) else max(int(np.ceil(growth * smallest)), SMALL_GROUP_ROWS)
    return {"rows_needed": rows, "detectable": _number(float(gap))}


def _beyond(pairs: Pairs) -> NDArray[np.bool_]:
    return pairs.gap > (pairs.tolerance if pairs.comparison is Comparison.DIFFERENCE else -pairs.tolerance) + 1e-12


def _on_tolerance(pairs: Pairs) -> NDArray[np.bool_]:
    return np.abs(pairs.estimate - pairs.tolerance) <= 1e-12


def _growth_of_pairs(counts: GroupCounts, pairs: Pairs, check: PlannedCheck, z: float) -> NDArray[np.float64]:
    """Per pair, by how much both groups must grow to settle it; NaN where nothing would."""
    x, n = pairs.metric.fraction(counts.effective)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = x / n
    i, j = pairs.first, pairs.second
    with np.errstate(divide="ignore", invalid="ignore"):
        disparity = power.growth_to_prove_disparity(
            rate[i], n[i], rate[j], n[j], comparison=check.comparison, tolerance=check.tolerance, z=z
        )
        within = power.growth_to_prove_within(
            (x[i] + x[j]) / (n[i] + n[j]),
            n[i],
            n[j],
            comparison=check.comparison,
            tolerance=check.tolerance,
            z_equivalence=check.budget.z_equivalence,
        )
    growth = np.where(_beyond(pairs), disparity, within)
    return np.where(_on_tolerance(pairs) | pairs.undefined, np.nan, growth)


def _pair_findings(check: PlannedCheck, counts: GroupCounts, pairs: Pairs, z: float) -> list[Finding]:
    """The pairs as findings of their own, gate off; the largest gaps where there are very many."""
    order = np.arange(len(pairs.estimate))
    if len(order) > MOST_PAIRS_LISTED:
        order = np.sort(np.argsort(-np.nan_to_num(pairs.gap, nan=-np.inf), kind="stable")[:MOST_PAIRS_LISTED])
    disparity, within = pairs.disparity, pairs.within
    open_pairs = ~disparity & ~within
    growth = np.full(len(pairs.estimate), np.nan)
    detectable = np.full(len(pairs.estimate), np.nan)
    if pairs.metric.is_rate and open_pairs.any():
        growth = _growth_of_pairs(counts, pairs, check, z)
        x, n = pairs.metric.fraction(counts.effective)
        with np.errstate(divide="ignore", invalid="ignore"):
            detectable = power.detectable_gap(
                (x / n)[pairs.second],
                n[pairs.first],
                n[pairs.second],
                comparison=check.comparison,
                tolerance=check.tolerance,
                z=z,
            )
    name = check.name if len(check.components) == 1 else pairs.metric.name
    findings = []
    for at in order:
        first, second = int(pairs.first[at]), int(pairs.second[at])
        verdict = (
            Verdict.PROVEN_DISPARITY if disparity[at] else Verdict.PROVEN_WITHIN if within[at] else Verdict.INCONCLUSIVE
        )
        smaller = int(min(counts.rows[first], counts.rows[second]))
        unsettled = bool(open_pairs[at])
        rows = (
            max(int(np.ceil(growth[at] * smaller)), SMALL_GROUP_ROWS) if unsettled and np.isfinite(growth[at]) else None
        )
        finding = Finding(
            id=f"{_finding_id(check)}/{pairs.metric.name}/"
            f"{quoted_group(counts.groups[first])}:{quoted_group(counts.groups[second])}",
            audit="group_disparity",
            metric=name,
            comparison=check.comparison,
            attribute=check.attribute,
            group=counts.groups[first],
            reference=counts.groups[second],
            estimate=_number(pairs.estimate[at]),
            low=_number(pairs.low[at]),
            high=_number(pairs.high[at]),
            level=check.budget.level,
            equivalence_low=_number(pairs.equivalence_low[at]),
            equivalence_high=_number(pairs.equivalence_high[at]),
            tolerance=check.tolerance,
            verdict=verdict,
            n=int(counts.rows[first]),
            reference_n=int(counts.rows[second]),
            p_value=_number(pairs.p_value[at]),
            message="",
            rows_needed=rows,
            detectable=_number(detectable[at]) if unsettled else None,
        )
        findings.append(
            finding.model_copy(update={"message": pair_message(finding, pairs.metric, counts, first, second)})
        )
    return findings


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
