"""Groups compared among people of the same stratum: tables by stratum, conditional disparity, the common odds ratio.

Each group stands against all others of its attribute. Whether a gap over all rows turns within strata is said in words.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.clusters import UnitRows
from evenhand.auditors.counts import CountTable
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.groups import LEVEL
from evenhand.auditors.disparity.pairs import Z_SINGLE
from evenhand.auditors.disparity.pairwise import finding_id, finite, undecided, verdict_of
from evenhand.auditors.disparity.plan import Attributes, PlannedCheck
from evenhand.auditors.disparity.words import about_small_groups, gate_words
from evenhand.auditors.intervals import difference_interval, normal_quantile, wilson
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import intersection
from evenhand.auditors.report import ConditionalGroup, Estimate, Finding, Group, StrataResult, Stratum, StratumGroup
from evenhand.auditors.strata import (
    HOMOGENEITY_LEVEL,
    CommonOdds,
    Conditional,
    Homogeneity,
    StratifiedTable,
    common_odds,
    conditional_disparity,
    demographic_disparity,
    homogeneity,
)
from evenhand.auditors.verdict import Comparison, Verdict
from evenhand.auditors.words import group_name, number

Floats = NDArray[np.float64]

MOST_STRATA = 60
MOST_GROUPS = 50


@dataclass(frozen=True)
class Strata:
    """The count table with the stratum as its last axis, and the units behind its rows where rows repeat persons."""

    table: CountTable
    units: UnitRows | None = None

    @property
    def column(self) -> str:
        return self.table.attributes[-1]


@dataclass(frozen=True)
class Within:
    """One attribute within strata: k groups that are known, s strata that are known.

    Attributes:
        groups: the k groups; strata: the s strata, largest first.
        rows: shape (k, s).
        favoured, n: shape (k, s), people (or weights); effective_favoured, effective_n: the same for intervals.
        missing: rows without a stratum.
    """

    attribute: str
    column: str
    groups: tuple[Group, ...]
    strata: tuple[str, ...]
    rows: NDArray[np.int64]
    favoured: Floats
    n: Floats
    effective_favoured: Floats
    effective_n: Floats
    missing: int

    def table(self, index: int, *, effective: bool) -> StratifiedTable:
        """The group against all others, by stratum."""
        x, n = (self.effective_favoured, self.effective_n) if effective else (self.favoured, self.n)
        others_x, others_n = x.sum(axis=0) - x[index], n.sum(axis=0) - n[index]
        parts = x[index], n[index] - x[index], others_x, others_n - others_x
        return StratifiedTable(*(np.maximum(part, 0.0) for part in parts))


@dataclass(frozen=True)
class Answered:
    """What the strata say about one group against the others."""

    disparity: float
    by_stratum: Floats
    conditional: Conditional
    odds: CommonOdds
    crude_odds: float
    agreement: Homogeneity
    crude_low: float
    crude_high: float

    @property
    def homogeneous(self) -> bool | None:
        p = self.agreement.p_value
        return None if np.isnan(p) else p >= HOMOGENEITY_LEVEL

    @property
    def reversed(self) -> bool:
        """Whether the gap over all rows, shown with its interval, is gone or turned within strata."""
        if not (self.crude_low > 0 or self.crude_high < 0) or np.isnan(self.conditional.estimate):
            return False
        worse_overall = self.crude_high < 0
        return self.conditional.estimate < 0 if worse_overall else self.conditional.estimate > 0


def within_strata(strata: Strata, chosen: Attributes, favourable: Metric) -> Within:
    """Counts of one attribute or intersection by stratum."""
    counts = strata.table.of(*chosen, strata.column)
    design = strata.units.design(counts) if strata.units is not None else None
    x, n = favourable.fraction(counts.cells)
    effective_x, effective_n = Evidence(counts, design).trials(favourable, z=Z_SINGLE)
    known = ~counts.unknown
    missing = int(counts.rows[[group[strata.column] is None for group in counts.groups]].sum())
    sizes: dict[str, float] = {}
    groups: dict[tuple[str | None, ...], Group] = {}
    for at in np.flatnonzero(known):
        group = dict(counts.groups[at])
        level = str(group.pop(strata.column))
        sizes[level] = sizes.get(level, 0.0) + float(n[at])
        groups.setdefault(tuple(group.values()), group)
    names = sorted(sizes, key=lambda level: (-sizes[level], level))
    position = {key: i for i, key in enumerate(groups)}
    column = {level: i for i, level in enumerate(names)}
    tables = [np.zeros((len(groups), len(names))) for _ in range(5)]
    for at in np.flatnonzero(known):
        group = dict(counts.groups[at])
        level = str(group.pop(strata.column))
        cell = position[tuple(group.values())], column[level]
        for table, value in zip(tables, (counts.rows, x, n, effective_x, effective_n), strict=True):
            table[cell] = value[at]
    return Within(
        intersection(*chosen), strata.column, tuple(groups.values()), tuple(names), tables[0].astype(np.int64),
        tables[1], tables[2], tables[3], tables[4], missing,
    )  # fmt: skip


def answered(within: Within, index: int) -> Answered:
    """One group against the others: estimates from the counts, spread and tests from the effective counts."""
    table, effective = within.table(index, effective=False), within.table(index, effective=True)
    conditional = conditional_disparity(table)
    error = conditional_disparity(effective, weights=table.n).error
    plain, tested = common_odds(table), common_odds(effective)
    a, b, c, d = _totals(table)
    ea, eb, ec, ed = _totals(effective)
    crude = difference_interval(ea, ea + eb, ec, ec + ed, z=Z_SINGLE)
    return Answered(
        disparity=float(demographic_disparity(table.pooled())[0]),
        by_stratum=demographic_disparity(table),
        conditional=Conditional(conditional.estimate, error, conditional.left_out),
        odds=CommonOdds(plain.odds_ratio, tested.log_error, tested.p_value, tested.p_value_corrected),
        crude_odds=a * d / (b * c) if b * c > 0 else float("nan"),
        agreement=homogeneity(effective),
        crude_low=float(crude.low[0]),
        crude_high=float(crude.high[0]),
    )


def _totals(table: StratifiedTable) -> tuple[float, float, float, float]:
    """Favoured and refused of the group, then of the others, over all strata."""
    return (
        float(table.favoured.sum()),
        float(table.refused.sum()),
        float(table.others_favoured.sum()),
        float(table.others_refused.sum()),
    )


def strata_result(within: Within) -> StrataResult:
    """The attribute as the report shows it; the largest strata and groups where there are very many."""
    listed = range(min(len(within.strata), MOST_STRATA))
    largest = np.sort(np.argsort(-within.n.sum(axis=1), kind="stable")[:MOST_GROUPS])
    notes = []
    if within.missing:
        notes.append(
            f"{within.column} is missing in {within.missing:,} rows: they are in no stratum and left out here."
        )
    if len(within.strata) > MOST_STRATA or len(within.groups) > MOST_GROUPS:
        notes.append(
            f"Listed are the {len(listed)} largest of {len(within.strata):,} strata and {len(largest)} of "
            f"{len(within.groups):,} groups; all strata count."
        )
    return StrataResult(
        attribute=within.attribute,
        stratum=within.column,
        total=len(within.strata),
        strata=[_stratum(within, at, largest) for at in listed],
        groups=[_group(within, int(index), len(listed)) for index in largest] if len(within.groups) > 1 else [],
        notes=notes,
    )


def _stratum(within: Within, at: int, largest: NDArray[np.intp]) -> Stratum:
    interval = wilson(within.effective_favoured[:, at], within.effective_n[:, at], z=normal_quantile((1 + LEVEL) / 2))
    return Stratum(
        stratum=within.strata[at],
        n=int(within.rows[:, at].sum()),
        groups=[
            StratumGroup(
                group=within.groups[i],
                n=int(within.rows[i, at]),
                favourable_rate=Estimate(
                    estimate=float(within.favoured[i, at] / within.n[i, at]),
                    low=finite(interval.low[i]),
                    high=finite(interval.high[i]),
                )
                if within.n[i, at] > 0
                else Estimate(estimate=None, reason="the group has no rows in the stratum"),
            )
            for i in largest
        ],
    )


def _group(within: Within, index: int, listed: int) -> ConditionalGroup:
    found = answered(within, index)
    conditional, odds, z = found.conditional, found.odds, normal_quantile((1 + LEVEL) / 2)
    return ConditionalGroup(
        group=within.groups[index],
        disparity=finite(found.disparity),
        by_stratum=[finite(value) for value in found.by_stratum[:listed]],
        conditional=Estimate(estimate=None, reason="no stratum has both outcomes")
        if np.isnan(conditional.estimate)
        else Estimate(
            estimate=conditional.estimate,
            low=max(conditional.estimate - z * conditional.error, -1.0),
            high=min(conditional.estimate + z * conditional.error, 1.0),
        ),
        odds_ratio=Estimate(estimate=float(odds.odds_ratio), low=finite(odds.low(z)), high=finite(odds.high(z)))
        if np.isfinite(odds.odds_ratio)
        else Estimate(estimate=None, reason="a cell is empty in every stratum"),
        crude_odds_ratio=finite(found.crude_odds),
        p_value=finite(odds.p_value),
        p_value_corrected=finite(odds.p_value_corrected),
        tarone=finite(found.agreement.statistic),
        tarone_p_value=finite(found.agreement.p_value),
        homogeneous=found.homogeneous,
        reversed=found.reversed,
        message=_in_words(within, index, found),
    )


def _in_words(within: Within, index: int, found: Answered) -> str:
    """What the strata do to the gap: kept, gone or turned, and whether they agree."""
    name = group_name(within.groups[index])
    rate = within.favoured[index].sum() / within.n[index].sum()
    others_n = within.n.sum() - within.n[index].sum()
    others = (within.favoured.sum() - within.favoured[index].sum()) / others_n if others_n > 0 else float("nan")
    overall = f"favourable outcome over all rows: {name} {number(rate)}, the others {number(others)}"
    if np.isnan(found.conditional.estimate):
        return f"{overall}. Within {within.column} nothing can be compared: no stratum has both outcomes."
    lower, higher = int((found.by_stratum > 0).sum()), int((found.by_stratum < 0).sum())
    inside = (
        f"within {within.column} {name} gets it less often than the others in {lower} and more often in {higher} of "
        f"{len(within.strata)} strata (conditional disparity {number(found.conditional.estimate)})"
    )
    text = f"{overall}; {inside}."
    if found.reversed:
        text = f"Simpson's reversal: {overall}, but {inside}."
    if found.homogeneous is False:
        text += (
            f" The strata differ (Tarone's test, p {number(found.agreement.p_value, digits=4)}): read them one by one, "
            "for no one odds ratio stands for them."
        )
    elif np.isfinite(found.odds.odds_ratio):
        text += f" Odds over the others' within strata {number(float(found.odds.odds_ratio))}."
    left_out = [within.strata[i] for i in np.flatnonzero(found.conditional.left_out)]
    if left_out:
        more = f" and {len(left_out) - 4} more" if len(left_out) > 4 else ""
        text += f" Everybody has one outcome in {', '.join(left_out[:4])}{more}: no disparity exists there."
    return text[0].upper() + text[1:]


def strata_finding(check: PlannedCheck, evidence: Evidence, within: Within) -> Finding:
    """The check over all groups: proven against where one group's interval lies beyond, within where all lie inside."""
    counts = evidence.counts
    compared = ~counts.unknown & ~evidence.small if check.small_groups == "list" else ~counts.unknown
    members = [i for i in np.flatnonzero(compared) if counts.groups[i] in within.groups]
    if len(members) < 2:
        return undecided(check, evidence, compared)
    found = [answered(within, within.groups.index(counts.groups[i])) for i in members]
    comparisons = 1 if len(members) == 2 else len(members)
    z, inner = normal_quantile(1 - check.budget.alpha / (2 * comparisons)), check.budget.z_equivalence
    bounds = [_Bounds.of(check, each, z, inner) for each in found]
    able = [bool(not evidence.small[i]) for i in members]
    at = max(range(len(members)), key=lambda i: bounds[i].rank(check))
    disparity = any(b.beyond(check) and ok for b, ok in zip(bounds, able, strict=True))
    if disparity:
        at = max(
            (i for i in range(len(members)) if able[i] and bounds[i].beyond(check)), key=lambda i: bounds[i].rank(check)
        )
    whole = all(able) and not any(each.conditional.left_out.any() for each in found)
    verdict = verdict_of(disparity=disparity, within=whole and all(b.inside(check) for b in bounds))
    chosen, shown = found[at], bounds[at]
    parts = [_in_words(within, within.groups.index(counts.groups[members[at]]), chosen)]
    parts += about_small_groups(evidence, compared, proven=verdict is Verdict.PROVEN_DISPARITY)
    parts.append(gate_words(check))
    return Finding(
        id=finding_id(check),
        audit="group_disparity",
        metric=check.name,
        comparison=check.comparison,
        attribute=check.attribute,
        group=counts.groups[members[at]],
        estimate=finite(shown.estimate),
        low=finite(shown.low),
        high=finite(shown.high),
        level=check.budget.level,
        equivalence_low=finite(shown.inner_low),
        equivalence_high=finite(shown.inner_high),
        tolerance=check.tolerance,
        verdict=verdict,
        n=int(counts.rows[members[at]]),
        reference_n=int(counts.rows[members].sum() - counts.rows[members[at]]),
        p_value=finite(chosen.odds.p_value),
        gate=check.gate,
        message=" ".join(part for part in parts if part),
    )


@dataclass(frozen=True)
class _Bounds:
    """Estimate with both intervals; all NaN where it is undefined, as an odds ratio over strata that differ is."""

    estimate: float
    low: float
    high: float
    inner_low: float
    inner_high: float

    @classmethod
    def of(cls, check: PlannedCheck, found: Answered, z: float, inner: float) -> "_Bounds":
        if check.comparison is Comparison.RATIO:
            odds = found.odds
            if found.homogeneous is False or not np.isfinite(odds.odds_ratio):
                return cls(*[float("nan")] * 5)
            return cls(odds.odds_ratio, odds.low(z), odds.high(z), odds.low(inner), odds.high(inner))
        value, error = found.conditional.estimate, found.conditional.error
        return cls(value, value - z * error, value + z * error, value - inner * error, value + inner * error)

    def limits(self, check: PlannedCheck) -> tuple[float, float]:
        if check.comparison is Comparison.RATIO:
            return check.tolerance, 1 / check.tolerance
        return -check.tolerance, check.tolerance

    def beyond(self, check: PlannedCheck) -> bool:
        lowest, highest = self.limits(check)
        return self.high < lowest or self.low > highest

    def inside(self, check: PlannedCheck) -> bool:
        lowest, highest = self.limits(check)
        return self.inner_low > lowest and self.inner_high < highest

    def rank(self, check: PlannedCheck) -> tuple[float, bool]:
        """Undefined first, then the furthest from equality, then the one that fares worse."""
        if np.isnan(self.estimate):
            return float("inf"), True
        if check.comparison is Comparison.RATIO:
            return round(abs(float(np.log(self.estimate))), 9) if self.estimate > 0 else 1e9, self.estimate < 1
        return round(abs(self.estimate), 9), self.estimate > 0
