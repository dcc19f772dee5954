"""The audit of scores: from one sort of the rows to metrics by group, what the report shows, and findings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.disparity.plan import attribute_sets
from evenhand.auditors.intervals import normal_quantile, ratio_interval, wilson
from evenhand.auditors.policy import SMALL_GROUP_ROWS, Policy
from evenhand.auditors.report import (
    CalibrationBin,
    CalibrationDetail,
    CrossAreas,
    Estimate,
    Finding,
    Group,
    ScoreAttribute,
    ScoreGroup,
    ScorePair,
)
from evenhand.auditors.scores.areas import Areas, areas
from evenhand.auditors.scores.calibration import Calibration, calibration, mean_of
from evenhand.auditors.scores.catalogue import SCORE_METRICS
from evenhand.auditors.scores.curves import NullAreas, RocCurve, area_between, roc_curve
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.distances import MeanDifferences, ScoreDistances, standardized_mean_differences
from evenhand.auditors.scores.doubts import Doubts, doubts
from evenhand.auditors.scores.findings import answer
from evenhand.auditors.scores.grouped import GroupedScores, sort_rows
from evenhand.auditors.scores.measured import Measured, even
from evenhand.auditors.scores.plan import ScoreCheck, planned_on_scores, why_undefined
from evenhand.auditors.scores.sweep import (
    BeyondMedian,
    Sweep,
    beyond_median,
    edges_of,
    median_of,
    references,
    spread,
    sweep,
    thresholds_of,
)
from evenhand.auditors.verdict import Gate

Floats = NDArray[np.float64]

LEVEL = 0.95
"""Of intervals of single groups and pairs; checks hold their error for the whole audit."""

MOST_GROUPS_SHOWN = 12
DECIMALS = 6
"""Of the curves that are drawn; estimates and intervals are not rounded."""


@dataclass(frozen=True)
class ScoreAudit:
    """What the scores add to group disparity.

    Attributes:
        attributes: curves, pairs and areas across groups, by attribute and intersection.
        metrics: by attribute, then one entry a group in the order of `groups`; "" stands for everyone.
        groups: by attribute, the groups that `metrics` is about.
        findings: composites, gated ones first, then pairs.
    """

    attributes: list[ScoreAttribute]
    metrics: dict[str, list[dict[str, Estimate]]]
    groups: dict[str, tuple[Group, ...]]
    findings: list[Finding]


def audit_scores(
    data: ScoreData, *, policy: Policy, family_level: float, threshold: float | None, rng: np.random.Generator
) -> ScoreAudit:
    """Compare the scores of groups on every attribute and intersection.

    Args:
        policy: checks that name metrics of scores, and the depth of intersections.
        family_level: 1 - alpha / number of gated checks of the whole audit.
        threshold: the one that makes decisions of scores; None where there is none.
        rng: for the null distributions of areas and distances between groups.

    Raises:
        PolicyError: a check asks for what these scores do not have.
    """
    checks = planned_on_scores(policy, data, family_level=family_level)
    rows = sort_rows(data)
    everyone = rows.of()
    shared = _Shared(
        data=data,
        thresholds=thresholds_of(everyone, used=threshold),
        threshold=threshold,
        edges=edges_of(everyone.values, are_probabilities=data.are_probabilities),
        median=median_of(everyone),
        rng=rng,
    )
    found = [
        _Attribute(shared, rows.of(*chosen))
        for chosen in attribute_sets(tuple(data.attributes), depth=policy.data.intersections)
    ]
    answers = [
        answer(check, one.grouped, one.measured(check))
        for one in found
        for check in checks
        if check.attribute == one.grouped.name
    ]
    composites = sorted((answer[0] for answer in answers), key=lambda finding: finding.gate is Gate.OFF)
    whole = _Attribute(shared, everyone)
    return ScoreAudit(
        attributes=[one.document() for one in found],
        metrics={one.grouped.name: one.estimates() for one in found} | {"": whole.estimates()},
        groups={one.grouped.name: one.grouped.groups for one in found} | {"": everyone.groups},
        findings=[*composites, *(pair for answer in answers for pair in answer[1:])],
    )


@dataclass(frozen=True)
class _Shared:
    """What all attributes have in common."""

    data: ScoreData
    thresholds: Floats
    threshold: float | None
    edges: Floats
    median: float
    rng: np.random.Generator


class _Attribute:
    """Everything measured on one attribute."""

    def __init__(self, shared: _Shared, grouped: GroupedScores) -> None:
        self.shared, self.grouped = shared, grouped
        self.areas: Areas | None = None if grouped.label is None else areas(grouped)
        self.calibration: Calibration | None = (
            calibration(grouped) if grouped.label is not None and shared.data.are_probabilities else None
        )
        self.means: MeanDifferences = standardized_mean_differences(grouped)
        self.by_group = self._by_group()

    def _by_group(self) -> dict[str, Measured]:
        """The metrics of single groups, in the order of the catalogue."""
        grouped = self.grouped
        found: dict[str, Measured] = {}
        if self.areas is not None:
            area = np.diag(self.areas.area)
            lacking = {int(i): SCORE_METRICS["roc_auc"].undefined_when for i in np.flatnonzero(np.isnan(area))}
            found["roc_auc"] = even(
                area, np.diag(self.areas.error), low=0.0, high=1.0, reasons=lacking, bound=np.diag(self.areas.bound)
            )
        if self.calibration is not None:
            found["calibration_in_the_large"] = self.calibration.in_the_large
            found["expected_calibration_error"] = self.calibration.expected_error
            found["brier"] = self.calibration.brier
        found["mean_score"] = mean_of(grouped, grouped.scores, low=-np.inf, high=np.inf, bound=grouped.mean_reach)
        return found

    def measured(self, check: ScoreCheck) -> Measured | MeanDifferences | None:
        if check.undefined is not None:
            return None
        return self.means if check.metric.of_pairs else self.by_group[check.metric.name]

    def estimates(self) -> list[dict[str, Estimate]]:
        """Metrics of each group, by name."""
        z = normal_quantile((1 + LEVEL) / 2)
        columns = {name: _estimates(measured, z) for name, measured in self.by_group.items()}
        for name in ("calibration_in_the_large", "expected_calibration_error", "brier"):
            metric = SCORE_METRICS[name]
            if name not in columns and self.shared.data.label is not None:
                why = why_undefined(metric, self.shared.data)
                columns[name] = [Estimate(estimate=None, reason=why)] * len(self.grouped.groups)
        found = self._beyond_median()
        bounds = wilson(found.beyond, found.rows, z=z)
        low, high = np.maximum(bounds.low - found.doubt, 0.0), np.minimum(bounds.high + found.doubt, 1.0)
        columns["scoring_rate"] = [
            Estimate(estimate=float(found.beyond[i] / found.rows[i]), low=float(low[i]), high=float(high[i]))
            if found.rows[i] > 0
            else Estimate(estimate=None, reason=SCORE_METRICS["scoring_rate"].undefined_when)
            for i in range(len(low))
        ]
        order = [name for name in SCORE_METRICS if name in columns]
        return [{name: columns[name][i] for name in order} for i in range(len(self.grouped.groups))]

    def _beyond_median(self) -> BeyondMedian:
        return beyond_median(
            self.grouped, self.shared.median, favourable_is_positive=self.shared.data.favourable_is_positive
        )

    def document(self) -> ScoreAttribute:
        grouped, shared = self.grouped, self.shared
        shown = self._shown()
        swept = sweep(grouped, shared.thresholds, favourable_is_positive=shared.data.favourable_is_positive)
        shares = spread(grouped, shared.edges)
        impact = self._scoring_impact()
        large = ~grouped.unknown & (grouped.rows.rows >= SMALL_GROUP_ROWS)
        return ScoreAttribute(
            attribute=grouped.name,
            edges=shared.edges.tolist(),
            thresholds=shared.thresholds.tolist(),
            threshold=shared.threshold,
            median=shared.median,
            lowest_impact_ratio=_rounded(swept.impact_ratio[large].min(axis=0, initial=1.0))
            if large.any()
            else [None] * len(shared.thresholds),
            groups=[self._group(i, swept, shares, impact) for i in shown],
            left_out=len(grouped.groups) - len(shown),
            pairs=self._pairs(shown),
            cross=self._cross(shown),
            notes=self._notes(shown),
        )

    def _shown(self) -> list[int]:
        """The largest groups, in the order of all; unknown ones last in line."""
        order = np.lexsort((-self.grouped.rows.rows, self.grouped.unknown))
        return sorted(int(i) for i in order[:MOST_GROUPS_SHOWN])

    def _group(self, i: int, swept: Sweep, shares: Floats, impact: list[Estimate]) -> ScoreGroup:
        return ScoreGroup(
            group=self.grouped.groups[i],
            n=int(self.grouped.rows.rows[i]),
            shares=_rounded(shares[i]),
            selection_rate=_rounded(swept.selection_rate[i]),
            true_positive_rate=None if swept.true_positive_rate is None else _rounded(swept.true_positive_rate[i]),
            false_positive_rate=None if swept.false_positive_rate is None else _rounded(swept.false_positive_rate[i]),
            impact_ratio=_rounded(swept.impact_ratio[i]),
            scoring_impact_ratio=impact[i],
            calibration=self._calibration(i),
        )

    def _calibration(self, i: int) -> CalibrationDetail | None:
        found = self.calibration
        if found is None or i in found.expected_error.reasons:
            return None
        bins = found.bins
        return CalibrationDetail(
            base_rate=float(bins.label[i].sum() / bins.weight[i].sum()),
            chance=float(found.chance[i]),
            less_bias=float(found.debiased[i]),
            bins=[
                CalibrationBin(
                    n=int(bins.rows[i, b]),
                    mean_score=float(bins.score[i, b] / bins.weight[i, b]),
                    base_rate=float(bins.label[i, b] / bins.weight[i, b]),
                )
                for b in np.flatnonzero(bins.weight[i] > 0)
            ],
        )

    def _scoring_impact(self) -> list[Estimate]:
        """Each group's scoring rate over the highest of the known groups with rows enough."""
        found = self._beyond_median()
        x, n = found.beyond, found.rows
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(n > 0, x / n, np.nan)
        candidates = np.where(references(self.grouped) & ~np.isnan(rate), rate, -1.0)
        best = int(np.argmax(candidates))
        if candidates[best] <= 0:
            return [Estimate(estimate=None, reason="nobody scores beyond the median")] * len(n)
        bounds = ratio_interval(x, n, x[best], n[best], z=normal_quantile((1 + LEVEL) / 2))
        return [
            Estimate(estimate=1.0)
            if i == best
            else Estimate(estimate=None, reason=SCORE_METRICS["scoring_rate"].undefined_when)
            if np.isnan(rate[i])
            else Estimate(
                estimate=float(rate[i] / rate[best]), low=_number(bounds.low[i]), high=_number(bounds.high[i])
            )
            for i in range(len(n))
        ]

    def _pairs(self, shown: Sequence[int]) -> list[ScorePair]:
        """Every two of the known groups shown."""
        members = [i for i in shown if not self.grouped.unknown[i] and self.grouped.rows.total[i] > 0]
        if len(members) < 2:
            return []
        distances = ScoreDistances(self.grouped, self.shared.rng)
        curves: dict[int, RocCurve] = {}
        null: NullAreas | None = None
        if self.grouped.label is not None:
            found = {i: roc_curve(self.grouped, i) for i in members}
            curves = {i: curve for i, curve in found.items() if curve is not None}
            null = NullAreas(self.grouped, self.shared.rng)
        return [
            self._pair(one, other, distances, curves, null)
            for place, one in enumerate(members)
            for other in members[place + 1 :]
        ]

    def _pair(
        self, one: int, other: int, distances: ScoreDistances, curves: dict[int, RocCurve], null: NullAreas | None
    ) -> ScorePair:
        apart, doubt = distances.between(one, other), self.doubts
        abroca, expected, p_value = None, None, None
        if null is not None:
            if one in curves and other in curves:
                found = null.judge(area_between(curves[one], curves[other]), one, other)
                margin = found.margin + doubt.area[one] + doubt.area[other]
                abroca, expected, p_value = _within_margin(found.area, margin, 1.0), found.expected, found.p_value
            else:
                abroca = Estimate(estimate=None, reason=SCORE_METRICS["abroca"].undefined_when)
        return ScorePair(
            group=self.grouped.groups[one],
            reference=self.grouped.groups[other],
            standardized_mean_difference=self._mean_difference(one, other),
            ks=_within_margin(apart.ks, apart.ks_margin + max(doubt.step[one], doubt.step[other]), 1.0),
            ks_p_value=apart.ks_p_value,
            wasserstein=_within_margin(
                apart.wasserstein, apart.wasserstein_margin + doubt.mean[one] + doubt.mean[other], np.inf
            ),
            wasserstein_p_value=apart.wasserstein_p_value,
            abroca=abroca,
            abroca_expected=expected,
            abroca_p_value=p_value,
        )

    def _mean_difference(self, one: int, other: int) -> Estimate:
        value, error = float(self.means.value[one, other]), float(self.means.error[one, other])
        if np.isnan(value):
            return Estimate(estimate=None, reason=SCORE_METRICS["standardized_mean_difference"].undefined_when)
        z = normal_quantile((1 + LEVEL) / 2)
        half = z * error + (0.0 if self.means.bound is None else float(self.means.bound[one, other]))
        return Estimate(estimate=value, low=value - half, high=value + half)

    def _cross(self, shown: Sequence[int]) -> CrossAreas | None:
        if self.areas is None:
            return None
        index = np.ix_(shown, shown)
        area, error = self.areas.area[index], self.areas.error[index]
        half = normal_quantile((1 + LEVEL) / 2) * error + self.areas.bound[index]
        return CrossAreas(
            groups=[self.grouped.groups[i] for i in shown],
            area=[[_number(value) for value in row] for row in area],
            low=[_rounded(row) for row in np.maximum(area - half, 0.0)],
            high=[_rounded(row) for row in np.minimum(area + half, 1.0)],
            bound=float(np.nanmax(self.areas.bound[index], initial=0.0)),
        )

    def _notes(self, shown: Sequence[int]) -> list[str]:
        data, notes = self.shared.data, []
        side = "above" if data.favourable_is_positive else "below"
        notes.append(
            f"The scoring rate is the share that scores {side} the median of all rows, the favourable side (NYC Local Law 144)."
        )
        if data.label is not None:
            reason = why_undefined(SCORE_METRICS["brier"], data)
            notes.append(
                f"Calibration is not assessed: {reason}."
                if reason
                else "Calibration error: mean distance over ten bins of equal mass within each group, ties kept together. Chance "
                "alone makes it larger in small groups: what a calibrated score would show stands beside it, and the interval "
                "allows for it."
            )
        if data.reach is not None:
            notes.append(self._note_on_bins())
        if data.unit is not None:
            notes.append(self._note_on_units())
        if len(shown) < len(self.grouped.groups):
            notes.append(f"Shown are the {len(shown)} largest of {len(self.grouped.groups)} groups.")
        return notes

    @cached_property
    def doubts(self) -> Doubts:
        """How far bins can lead astray, by group."""
        return doubts(self.grouped, self.areas)

    def _note_on_bins(self) -> str:
        values, found = len(self.grouped.values), self.doubts
        if not found.mean.any():
            return f"Scores were counted by {values:,} values that they have: what is said of them is exact."
        areas = (
            "" if self.areas is None else f"areas under curves by {_most(np.nanmax(self.areas.bound, initial=0.0))}, "
        )
        return (
            f"Scores were counted in {values:,} bins. Against the rows' own scores this can change {areas}mean scores and "
            f"calibration by {_most(found.mean.max())}, and a Kolmogorov-Smirnov distance by {_most(found.step.max())} at "
            "most. Intervals and verdicts allow for it."
        )

    def _note_on_units(self) -> str:
        several = self.grouped.straddling
        apart = (
            f" {several:,} units have rows in more than one group; differences take groups as independent, which for such "
            "units mostly makes the interval too wide."
        )
        return (
            "Rows of one unit are not independent: the intervals of areas (Obuchowski 1997), calibration in the large, "
            "Brier scores, mean scores, scoring rates and mean differences, and the checks on them, are by units. Those of "
            "expected calibration error, of the area between curves, and of the Kolmogorov-Smirnov and Wasserstein "
            "distances take rows as independent." + (apart if several else "")
        )


def _most(bound: float) -> str:
    """A bound, rounded up to two digits."""
    if bound <= 0:
        return "nothing"
    digits = 1 - math.floor(math.log10(bound))
    return f"{math.ceil(bound * 10**digits) / 10**digits:.{max(digits, 0)}f}".removeprefix("0")


def _estimates(measured: Measured, z: float) -> list[Estimate]:
    low, high = measured.bounds(z)
    return [
        Estimate(estimate=None, reason=measured.reasons.get(i))
        if np.isnan(value)
        else Estimate(estimate=float(value), low=_number(low[i]), high=_number(high[i]))
        for i, value in enumerate(measured.value)
    ]


def _within_margin(value: float, margin: float, most: float) -> Estimate:
    return Estimate(estimate=value, low=max(value - margin, 0.0), high=min(value + margin, most))


def _rounded(values: Floats) -> list[float | None]:
    return [None if np.isnan(value) else round(float(value), DECIMALS) for value in values]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
