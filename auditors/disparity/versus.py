"""Each group against all others together, and against one reference group: beside the pairs, gate off.

A reference named beforehand, or the largest group, is compared at Dunnett's quantile over k - 1; the most favoured group
was chosen by the outcome itself, so it is compared at the quantile of all pairs.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Z_SINGLE, delta_bounds, gap_between, rate_bounds
from evenhand.auditors.disparity.pairwise import finding_id, finite, other_comparison, verdict_of
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.errors import UnknownGroup
from evenhand.auditors.intervals import Interval, normal_quantile
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Counterpart, Finding, Group
from evenhand.auditors.verdict import Comparison, Verdict
from evenhand.auditors.words import group_name, number, quoted_group, span, spoken

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

MOST_LISTED = 100

REFERENCE_WORDS = {
    "declared": "the declared reference",
    "majority": "the largest group",
    "most_selected": "the most favoured",
}


@dataclass(frozen=True)
class Reference:
    """The group that others are compared with: its index, and how it was chosen."""

    index: int
    chosen: str


def reference_of(wanted: str | dict[str, str] | None, counts: GroupCounts, *, favourable: Metric) -> Reference | None:
    """The reference that the policy declares for these groups; None where it declares none for this attribute.

    Args:
        wanted: "majority", "most_selected", or attribute to value.
        favourable: the rate that says who is most favoured.

    Raises:
        UnknownGroup: the value named is not among the groups of the attribute.
    """
    known = np.flatnonzero(~counts.unknown)
    if wanted is None or len(known) < 2:
        return None
    if wanted == "majority":
        return Reference(int(known[np.argmax(counts.rows[known])]), "majority")
    if wanted == "most_selected":
        rates = np.nan_to_num(favourable.value(counts.cells)[known], nan=-1.0)
        return Reference(int(known[np.argmax(rates)]), "most_selected")
    assert isinstance(wanted, dict)
    if not set(counts.attributes) <= set(wanted):
        return None
    group: Group = {name: wanted[name] for name in counts.attributes}
    if group in counts.groups:
        return Reference(counts.groups.index(group), "declared")
    if len(counts.attributes) > 1:
        return None  # an intersection that nobody is in; its single values are refused on their own
    raise UnknownGroup(group_name(group), [group_name(g) for g in counts.groups])


def against_rest(check: PlannedCheck, evidence: Evidence, metric: Metric, compared: NDArray[np.bool_]) -> list[Finding]:
    """Each group against all other groups compared, together; nothing for two groups, whose pair says it all."""
    members = np.flatnonzero(compared)
    if len(members) < 3:
        return []
    z = normal_quantile(1 - check.budget.alpha / (2 * len(members)))
    sides = _Sides.with_rest(evidence, metric, members, (z, check.budget.z_equivalence))
    first, second = np.arange(len(members)), np.arange(len(members)) + len(members)
    small = evidence.small[members]
    decidable = ~small & (evidence.independent[members].sum() - evidence.independent[members] >= SMALL_GROUP_ROWS)
    names = [f"rest/{quoted_group(evidence.counts.groups[m])}" for m in members]
    return _findings(check, evidence, metric, sides, members, None, first, second, decidable, names, z)


def against_reference(
    check: PlannedCheck, evidence: Evidence, metric: Metric, compared: NDArray[np.bool_], reference: Reference
) -> list[Finding]:
    """Each group against the reference; nothing where the reference itself is not compared."""
    others = np.flatnonzero(compared)
    others = others[others != reference.index]
    if not compared[reference.index] or not len(others):
        return []
    if reference.chosen == "most_selected":
        z = check.budget.z_all_pairs(len(others) + 1)
    else:
        z = dunnett_z(_correlations(evidence, metric, others, reference.index), level=check.budget.level)
    sides = _Sides.of(evidence, metric, (z, check.budget.z_equivalence))
    second = np.full(len(others), reference.index)
    decidable = ~evidence.small[others] & ~evidence.small[reference.index]
    names = [f"reference/{quoted_group(evidence.counts.groups[m])}" for m in others]
    return _findings(check, evidence, metric, sides, others, reference, others, second, decidable, names, z)


def dunnett_z(loadings: Floats, *, level: float) -> float:
    """Quantile of the largest of several |normal|s that share one comparison group.

    Args:
        loadings: shape (m,); two comparisons correlate by the product of theirs. Root of n / (n + n of the reference).

    Returns:
        1.96 for one comparison at .95; 2.21 for two and 2.51 for five of equal size.

    Source: Dunnett (1964), Biometrics 20.
    """
    u = np.linspace(-9.0, 9.0, 721)
    density = np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi) * (u[1] - u[0])
    shift, scale = np.outer(u, loadings), np.sqrt(1 - loadings**2)

    def inside(z: float) -> float:
        each = ndtr((z - shift) / scale) - ndtr((-z - shift) / scale)
        return float(density @ np.prod(each, axis=1))

    low, high = 0.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < level else (low, middle)
    return (low + high) / 2


def _correlations(evidence: Evidence, metric: Metric, others: Indices, reference: int) -> Floats:
    """Loadings by the groups' sizes or by their spreads, whichever makes comparisons depend less on one another."""
    if not metric.is_rate:
        weight = np.maximum(evidence.counts.effective.sum(axis=(1, 2)), 1.0)
        return _root(weight[others] / (weight[others] + weight[reference]))
    x, n = evidence.trials(metric, z=Z_SINGLE)
    n = np.maximum(n, 1e-9)
    rate = (x + 0.5) / (n + 1)
    spread = rate * (1 - rate) / n
    by_size = n[others] / (n[others] + n[reference])
    by_spread = spread[reference] / (spread[reference] + spread[others])
    return _root(np.minimum(by_size, by_spread))


def _root(correlation: Floats) -> Floats:
    loadings: Floats = np.sqrt(np.clip(correlation, 0.0, 0.999))
    return loadings


@dataclass(frozen=True)
class _Sides:
    """Values of several groups or unions of groups, with what their intervals need at two quantiles.

    Attributes:
        value: shape (s,); rows: shape (s,).
        one, other: at the simultaneous and at the equivalence quantile, trials and successes of a rate, or errors.
    """

    metric: Metric
    value: Floats
    rows: NDArray[np.int64]
    simultaneous: tuple[Floats, Floats]
    equivalence: tuple[Floats, Floats]

    @classmethod
    def of(cls, evidence: Evidence, metric: Metric, quantiles: tuple[float, float]) -> "_Sides":
        value = metric.value(evidence.counts.cells)
        parts = [_weight(evidence, metric, z) for z in quantiles]
        return cls(metric, value, evidence.counts.rows, parts[0], parts[1])

    @classmethod
    def with_rest(
        cls, evidence: Evidence, metric: Metric, members: Indices, quantiles: tuple[float, float]
    ) -> "_Sides":
        """Each member, then the union of the other members, in the same order."""
        cells = evidence.counts.cells[members]
        union = cells.sum(axis=0) - cells
        value = metric.value(np.concatenate([cells, union]))
        rows = evidence.counts.rows[members]
        parts = [_with_rest(evidence, metric, members, value, union, z) for z in quantiles]
        return cls(metric, value, np.concatenate([rows, rows.sum() - rows]), parts[0], parts[1])

    def bounds(
        self, comparison: Comparison, first: Indices, second: Indices, *, z: float, equivalence: bool
    ) -> Interval:
        a, b = self.equivalence if equivalence else self.simultaneous
        if self.metric.is_rate:
            return rate_bounds(a[first], b[first], a[second], b[second], comparison, z=z)
        return delta_bounds(self.value[first], b[first], self.value[second], b[second], comparison, z=z)


def _weight(evidence: Evidence, metric: Metric, z: float) -> tuple[Floats, Floats]:
    """Effective successes and trials of a rate; else the value and its standard error."""
    if metric.is_rate:
        return evidence.trials(metric, z=z)
    return metric.value(evidence.counts.cells), evidence.error(metric, z=z)


def _with_rest(
    evidence: Evidence, metric: Metric, members: Indices, value: Floats, union: Floats, z: float
) -> tuple[Floats, Floats]:
    """As `_weight` for each member and the union of the others; a union's variance is the weighted sum of its parts'."""
    a, b = (part[members] for part in _weight(evidence, metric, z))
    k = len(members)
    if metric.is_rate:
        _, behind = metric.fraction(evidence.counts.cells[members])
        share = np.divide(behind**2, b, out=np.zeros_like(b), where=b > 0)
        total, squares = behind.sum() - behind, share.sum() - share
        trials = np.divide(total**2, squares, out=np.zeros_like(b), where=squares > 0)
        return np.concatenate([a, np.nan_to_num(value[k:]) * trials]), np.concatenate([b, trials])
    size = evidence.counts.effective[members].sum(axis=(1, 2))
    merged = replace(evidence.counts, groups=evidence.counts.groups[:0], cells=union, effective=union)
    fraction = np.divide(
        size.sum() - size, union.sum(axis=(1, 2)), out=np.ones_like(size), where=union.sum(axis=(1, 2)) > 0
    )
    repeated = np.ones(k) if evidence.design is None else evidence.design.fraction(metric, z=z)[members]
    error = Evidence(merged).error(metric, z=z) / np.sqrt(np.minimum(fraction, 1.0) * repeated.min())
    return value, np.concatenate([b, error])


def _findings(
    check: PlannedCheck,
    evidence: Evidence,
    metric: Metric,
    sides: _Sides,
    members: Indices,
    reference: Reference | None,
    first: Indices,
    second: Indices,
    decidable: NDArray[np.bool_],
    names: list[str],
    z: float,
) -> list[Finding]:
    counts = evidence.counts
    estimate = gap_between(sides.value[first], sides.value[second], comparison=check.comparison)
    other = other_comparison(check.comparison)
    counterpart = gap_between(sides.value[first], sides.value[second], comparison=other)
    bounds = sides.bounds(check.comparison, first, second, z=z, equivalence=False)
    beside = sides.bounds(other, first, second, z=z, equivalence=False)
    inner = sides.bounds(check.comparison, first, second, z=check.budget.z_equivalence, equivalence=True)
    limits = (
        (-check.tolerance, check.tolerance)
        if check.comparison is Comparison.DIFFERENCE
        else (check.tolerance, 1 / check.tolerance)
    )
    away = np.abs(estimate if check.comparison is Comparison.DIFFERENCE else np.log(np.maximum(estimate, 1e-12)))
    order = np.sort(np.argsort(-np.nan_to_num(away, nan=-1.0), kind="stable")[:MOST_LISTED])
    name = check.name if len(check.components) == 1 else metric.name
    findings = []
    for at in order:
        undefined = bool(np.isnan(estimate[at]))
        able = bool(decidable[at]) and not undefined
        verdict = verdict_of(
            disparity=able and bool(bounds.low[at] > limits[1] or bounds.high[at] < limits[0]),
            within=able and bool(inner.low[at] > limits[0] and inner.high[at] < limits[1]),
        )
        other_known = not undefined and np.isfinite(counterpart[at])
        finding = Finding(
            id=f"{finding_id(check)}/{metric.name}/{names[at]}",
            audit="group_disparity",
            metric=name,
            comparison=check.comparison,
            attribute=check.attribute,
            group=counts.groups[members[at]],
            reference=None if reference is None else counts.groups[reference.index],
            estimate=finite(estimate[at]),
            low=None if undefined else finite(bounds.low[at]),
            high=None if undefined else finite(bounds.high[at]),
            level=check.budget.level,
            equivalence_low=None if undefined else finite(inner.low[at]),
            equivalence_high=None if undefined else finite(inner.high[at]),
            tolerance=check.tolerance,
            verdict=verdict,
            n=int(sides.rows[first[at]]),
            reference_n=int(sides.rows[second[at]]),
            message="",
            counterpart=Counterpart(
                comparison=other,
                estimate=finite(counterpart[at]),
                low=finite(beside.low[at]) if other_known else None,
                high=finite(beside.high[at]) if other_known else None,
            ),
        )
        values = float(sides.value[first[at]]), float(sides.value[second[at]])
        message = _message(finding, metric, values, reference, decidable=bool(decidable[at]), noun=evidence.noun)
        findings.append(finding.model_copy(update={"message": message}))
    return findings


def _message(
    finding: Finding,
    metric: Metric,
    values: tuple[float, float],
    reference: Reference | None,
    *,
    decidable: bool,
    noun: str,
) -> str:
    against = "against" if finding.comparison is Comparison.DIFFERENCE else "over"
    other = (
        "all other groups"
        if reference is None
        else f"{group_name(finding.reference)}, {REFERENCE_WORDS[reference.chosen]},"
    )
    one = group_name(finding.group)
    if finding.estimate is None:
        return f"{spoken(metric.name)} of {one} and of {other.rstrip(',')} cannot be compared: {metric.undefined_when}."
    text = (
        f"{spoken(metric.name)}: {one} {number(values[0])} {against} {other} {number(values[1])}: "
        f"{finding.comparison.value} {number(finding.estimate)} ({span(finding.low, finding.high)})."
    )
    if not decidable and finding.verdict is Verdict.INCONCLUSIVE:
        text += f" Nothing is concluded from under {SMALL_GROUP_ROWS} {noun}."
    return text
