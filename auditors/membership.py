"""Gaps by an attribute that is known as a probability only, such as race by surname and address (BISG).

Two estimators that err in opposite directions, and the bounds that need no more than calibrated probabilities. None of it
shows that a gap is within a tolerance.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import BadMembership, LengthMismatch
from evenhand.auditors.intervals import difference_interval, normal_quantile, tukey_z, wilson
from evenhand.auditors.metrics import FAVOURABLE_RATE, Metric, metric_named
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import Estimate, Finding, MemberRate, MembershipGap
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import number, spoken

Floats = NDArray[np.float64]

TOLERANCE = 0.1
ROUNDING = 0.01
"""How far the probabilities of a row may exceed 1 in sum, or leave [0, 1]."""

BIN_ROWS, MOST_BINS = 200, 20
"""For the bounds, rows of like probabilities are put together: many in each, so that its rate is hardly noise."""


@dataclass(frozen=True)
class Membership:
    """Probabilities of belonging to each group.

    Attributes:
        attribute: its name.
        groups: at least two.
        probabilities: shape (n, groups), in [0, 1], the sum over groups at most 1; a row with NaN is left out.

    Raises (on construction):
        BadMembership: a probability lies outside [0, 1], or a row's sum above 1.
    """

    attribute: str
    groups: tuple[str, ...]
    probabilities: Floats

    def __post_init__(self) -> None:
        p = self.probabilities[self.known]
        outside = (p < -ROUNDING) | (p > 1 + ROUNDING)
        if outside.any():
            raise BadMembership(self.attribute, "a probability lies outside [0, 1]", float(p[outside][0]))
        above = p.sum(axis=1) > 1 + ROUNDING
        if above.any():
            raise BadMembership(
                self.attribute, "the probabilities of a row sum to more than 1", float(p[above][0].sum())
            )

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows with a probability for every group."""
        return np.asarray(np.isfinite(self.probabilities).all(axis=1), dtype=bool)


def membership_gaps(
    membership: Membership,
    *,
    prediction: NDArray[np.integer],
    label: NDArray[np.integer] | None,
    favourable_is_positive: bool,
    level: float = 0.95,
    tolerance: float = TOLERANCE,
) -> tuple[list[MembershipGap], list[Finding]]:
    """The favourable rate and, with labels, both error rates: the two groups furthest apart by the weighted estimator.

    The weighted estimator counts each row to each group by its probability. If probabilities are calibrated, it misses the
    gap by the covariance of group and outcome among rows of equal probability: it is biased toward no gap where the group
    that fares worse overall fares worse there too. Counting each row to one group sharpens a gap that runs along the
    probability itself, and is then biased away from no gap (Chen et al.).

    Args:
        membership: probabilities of n rows.
        prediction, label: shape (n,), 1 or 0.
        favourable_is_positive: whether being predicted positive helps.
        level: of the intervals, over all pairs of groups (Tukey).
        tolerance: of the findings, a difference.

    Returns:
        A gap and a finding a metric. Findings are never gated and never within. They are a disparity only where the lowest
        gap that the probabilities allow and the weighted interval both lie beyond the tolerance, else inconclusive: which
        way an estimator errs is an assumption, and an assumption proves nothing.

    Raises:
        LengthMismatch: the arrays differ in length.

    Source: Chen, Kallus, Mao, Svacha and Udell (2019), Fairness Under Unawareness, FAT*; Kallus, Mao and Zhou (2022),
    Management Science 68, for the bounds.
    """
    rows = len(membership.probabilities)
    for name, array in (("prediction", prediction), ("label", label)):
        if array is not None and len(array) != rows:
            raise LengthMismatch(name, len(array), rows)
    names = [FAVOURABLE_RATE] + ([] if label is None else ["true_positive_rate", "false_positive_rate"])
    cell = (0 if label is None else label.astype(np.int64)) * 2 + prediction
    gaps = []
    for name in names:
        metric = metric_named(name, favourable_is_positive=favourable_is_positive)
        counted = np.isin(cell, metric.denominator) & membership.known
        success = np.isin(cell[counted], metric.numerator).astype(np.float64)
        gap = _gap(membership, metric, membership.probabilities[counted].clip(0, 1), success, level=level)
        if gap is not None:
            gaps.append(gap)
    return gaps, [_finding(gap, level=level, tolerance=tolerance) for gap in gaps]


@dataclass(frozen=True)
class _Counted:
    """Successes and rows by group, each row counted to one group at most."""

    successes: Floats
    rows: Floats

    @classmethod
    def of(cls, group: NDArray[np.integer], success: Floats, groups: int) -> "_Counted":
        """Of codes, -1 where a row is counted to no group."""
        inside = group >= 0
        return cls(
            np.bincount(group[inside], success[inside], groups).astype(np.float64),
            np.bincount(group[inside], minlength=groups).astype(np.float64),
        )

    def rates(self) -> list[Estimate]:
        bounds = wilson(self.successes, self.rows, z=normal_quantile(0.975))
        return [
            Estimate(estimate=float(x / n), low=float(low), high=float(high))
            if n
            else Estimate(estimate=None, reason="no row is counted to the group")
            for x, n, low, high in zip(self.successes, self.rows, bounds.low, bounds.high, strict=True)
        ]

    def gap(self, i: int, j: int, *, z: float) -> Estimate:
        if not (self.rows[i] and self.rows[j]):
            return Estimate(estimate=None, reason="no row is counted to one of the groups")
        x1, n1, x2, n2 = self.successes[i], self.rows[i], self.successes[j], self.rows[j]
        bounds = difference_interval(x1, n1, x2, n2, z=z)
        return Estimate(estimate=float(x1 / n1 - x2 / n2), low=float(bounds.low[0]), high=float(bounds.high[0]))


def _gap(membership: Membership, metric: Metric, p: Floats, success: Floats, *, level: float) -> MembershipGap | None:
    total = p.sum(axis=0)
    there = np.flatnonzero(total >= 1)
    if len(there) < 2:
        return None
    z = tukey_z(len(there), level=level)
    rate = p.T @ success / np.maximum(total, 1e-300)
    # each row's influence on the weighted rates, a ratio of two means (linearised)
    influence = p * (success[:, None] - rate) / np.maximum(total, 1e-300) * len(p)
    i, j = max(combinations(there.tolist(), 2), key=lambda pair: abs(rate[pair[0]] - rate[pair[1]]))
    if rate[i] < rate[j]:
        i, j = j, i
    error = float(np.std(influence[:, i] - influence[:, j])) / np.sqrt(len(p))
    estimate = float(rate[i] - rate[j])
    weighted = Estimate(estimate=estimate, low=max(estimate - z * error, -1.0), high=min(estimate + z * error, 1.0))
    best = p.argmax(axis=1)
    certain = p[np.arange(len(p)), best] > 0.5
    thresholded = _Counted.of(np.where(certain, best, -1), success, len(total))
    probable = _Counted.of(best, success, len(total))
    lowest, highest = _bounds(p[:, i], p[:, j], success)
    spread = np.std(influence, axis=0) / np.sqrt(len(p)) * normal_quantile(0.975)
    rates = [
        MemberRate(
            group=group,
            rows=float(total[k]),
            weighted=Estimate(
                estimate=float(rate[k]),
                low=float(max(rate[k] - spread[k], 0.0)),
                high=float(min(rate[k] + spread[k], 1.0)),
            )
            if total[k] >= 1
            else Estimate(estimate=None, reason="its probabilities sum to less than one row"),
            thresholded=by_threshold,
            most_probable=by_most,
        )
        for k, (group, by_threshold, by_most) in enumerate(
            zip(membership.groups, thresholded.rates(), probable.rates(), strict=True)
        )
    ]
    by_threshold = thresholded.gap(i, j, z=z)
    return MembershipGap(
        attribute=membership.attribute,
        metric=metric.name,
        group=membership.groups[i],
        reference=membership.groups[j],
        rates=rates,
        weighted=weighted,
        thresholded=by_threshold,
        most_probable=probable.gap(i, j, z=z),
        lowest=lowest,
        highest=highest,
        undecided=int((~certain).sum()),
        note=_note(weighted, by_threshold, lowest, highest),
    )


def _bounds(p_one: Floats, p_other: Floats, success: Floats) -> tuple[float, float]:
    """Lowest and highest gap of two groups' rates that the probabilities and the outcomes allow.

    Among rows of equal probabilities, a share p of the rows and a share y of the outcomes can overlap in anything from
    max(0, p + y - 1) to min(p, y) of them (Frechet 1951); the two groups can be at opposite ends at once. Rows are put
    together in bins of the difference of their probabilities, which widens the bounds and keeps them true.
    """
    bins = int(np.clip(len(success) // BIN_ROWS, 1, MOST_BINS))
    order = np.argsort(p_one - p_other, kind="stable")
    parts = np.array_split(order, bins)
    size = np.array([len(part) for part in parts], dtype=np.float64)
    one, other, rate = (np.array([values[part].mean() for part in parts]) for values in (p_one, p_other, success))

    def most(p: Floats) -> float:
        return float((size * np.minimum(p, rate)).sum() / (size * p).sum())

    def least(p: Floats) -> float:
        return float((size * np.maximum(p + rate - 1, 0)).sum() / (size * p).sum())

    return least(one) - most(other), most(one) - least(other)


def _note(weighted: Estimate, thresholded: Estimate, lowest: float, highest: float) -> str:
    text = (
        f"The weighted gap {number(weighted.estimate)} is biased toward no gap where, among rows of equal probability, the "
        "group that fares worse overall fares worse too. "
    )
    if thresholded.estimate is not None:
        text += (
            f"The thresholded gap {number(thresholded.estimate)} is biased away from no gap where the outcome changes more "
            "with the probability than with the group itself. Where both hold, the truth lies between them. "
        )
    return text + f"With calibrated probabilities alone, it lies between {number(lowest)} and {number(highest)}."


def _finding(gap: MembershipGap, *, level: float, tolerance: float) -> Finding:
    shown = gap.weighted
    beyond = (
        min(shown.low if shown.low is not None else -1.0, gap.lowest if gap.lowest is not None else -1.0) > tolerance
    )
    rows: dict[str, float] = {rate.group: rate.rows for rate in gap.rates}
    enough = min(rows[gap.group], rows[gap.reference]) >= SMALL_GROUP_ROWS
    verdict = Verdict.PROVEN_DISPARITY if beyond and enough else Verdict.INCONCLUSIVE
    what = (
        f"{spoken(gap.metric)} by probable {gap.attribute}: {gap.group} {number(shown.estimate)} above {gap.reference} "
        f"(weighted, {number(shown.low)} to {number(shown.high)}), {number(gap.thresholded.estimate)} thresholded."
    )
    return Finding(
        id=f"group_disparity/membership/{gap.metric}/{gap.attribute}",
        audit="group_disparity",
        metric=gap.metric,
        comparison=Comparison.DIFFERENCE,
        attribute=gap.attribute,
        group={gap.attribute: gap.group},
        reference={gap.attribute: gap.reference},
        estimate=shown.estimate,
        low=shown.low,
        high=shown.high,
        level=level,
        tolerance=tolerance,
        verdict=verdict,
        n=round(rows[gap.group]),
        reference_n=round(rows[gap.reference]),
        gate=Gate.OFF,
        message=f"{what} {gap.note} Never shown within: the weighted gap hides what the probabilities do not know.",
    )


def rows_left_out(membership: Membership) -> str | None:
    """What a reader must know about rows without probabilities; None where there are none."""
    missing = int((~membership.known).sum())
    return f"{membership.attribute} has no probabilities in {missing:,} rows: they are left out." if missing else None
