"""Shares of groups against a reference population: a test of all together, and a verdict for each."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from evenhand.auditors.errors import PolicyError, listed, nearest
from evenhand.auditors.intervals import Interval, normal_quantile, wilson
from evenhand.auditors.report import Estimate, Finding, Group, PopulationComparison, PopulationShare
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from evenhand.auditors.words import group_name, number

Floats = NDArray[np.float64]

TOLERANCE = 0.05
"""Difference of shares tolerated where no check names another."""

SMALLEST_EXPECTATION = 5.0


@dataclass(frozen=True)
class Tolerated:
    """How far apart numbers may lie, and how the answer counts.

    Attributes:
        tolerance: the largest difference, or the smallest ratio.
        comparison: of share to expected share.
        gate: off unless a check of the policy says otherwise.
        level: 1 - alpha of this check.
    """

    tolerance: float
    comparison: Comparison = Comparison.DIFFERENCE
    gate: Gate = Gate.OFF
    level: float = 0.95


def compare_with_population(
    attribute: str, counts: Mapping[str, int], population: Mapping[str, float], *, tolerated: Tolerated
) -> tuple[PopulationComparison, Finding]:
    """Shares among the rows whose group has a share in the population, each beside that share.

    Intervals are Wilson's at Bonferroni's level: all shares of the attribute hold together. The population's shares are
    taken as known without error.

    Args:
        attribute: its name.
        counts: rows by group, unknown ones left out.
        population: group to share, above 0; scaled to sum to 1.
        tolerated: tolerance, gate and level.

    Raises:
        PolicyError: the population names a group that does not occur, while another that occurs has no share.

    Source: Pearson (1900) for the test; Wilson (1927) and Bonferroni for simultaneous shares.
    """
    strangers = [group for group in counts if group not in population and counts[group]]
    absent = [group for group in population if not counts.get(group)]
    if strangers and absent:
        raise PolicyError(
            f"population.{attribute} has a share for '{absent[0]}', which does not occur, and none for "
            f"'{strangers[0]}', which does.{nearest(absent[0], strangers)} {attribute} has: {listed(sorted(counts))}."
        )
    groups = list(population)
    n = np.array([counts.get(group, 0) for group in groups], dtype=np.float64)
    expected = np.array([population[group] for group in groups]) / sum(population.values())
    total = float(n.sum())
    alpha = 1 - tolerated.level
    together = wilson(n, np.full(len(n), total), z=normal_quantile(1 - alpha / (2 * len(n))))
    alone = wilson(n, np.full(len(n), total), z=normal_quantile(tolerated.level))
    with np.errstate(invalid="ignore"):
        share = n / total if total else np.full(len(n), np.nan)
    low, high = _away(together, expected, tolerated.comparison)
    inner_low, inner_high = _away(alone, expected, tolerated.comparison)
    estimate = share - expected if tolerated.comparison is Comparison.DIFFERENCE else share / expected
    verdicts = [_verdict(*bounds, tolerated) for bounds in zip(low, high, inner_low, inner_high, strict=True)]
    statistic = float(((n - total * expected) ** 2 / (total * expected)).sum()) if total else None
    shares = [
        PopulationShare(
            group={attribute: group},
            n=int(n[i]),
            expected=float(expected[i]),
            share=_estimate(share[i], together.low[i], together.high[i]),
            difference=_estimate(share[i] - expected[i], together.low[i] - expected[i], together.high[i] - expected[i]),
            ratio=_estimate(share[i] / expected[i], together.low[i] / expected[i], together.high[i] / expected[i]),
            verdict=verdicts[i],
        )
        for i, group in enumerate(groups)
    ]
    document = PopulationComparison(
        rows=int(total),
        statistic=statistic,
        degrees_of_freedom=len(n) - 1,
        p_value=None if statistic is None else float(chdtrc(len(n) - 1, statistic)),
        comparison=tolerated.comparison,
        tolerance=tolerated.tolerance,
        level=tolerated.level,
        shares=shares,
        note=_note(attribute, strangers, counts, total * expected),
    )
    worst = _worst(verdicts, estimate, low, high, inner_low, inner_high, tolerated)
    finding = Finding(
        id=f"representation/share/{tolerated.comparison.value}/{attribute}",
        audit="representation",
        metric="share",
        comparison=tolerated.comparison,
        attribute=attribute,
        group=shares[worst].group,
        estimate=_finite(estimate[worst]),
        low=_finite(low[worst]),
        high=_finite(high[worst]),
        level=tolerated.level,
        equivalence_low=_finite(inner_low[worst]),
        equivalence_high=_finite(inner_high[worst]),
        tolerance=tolerated.tolerance,
        verdict=_of_all(verdicts),
        n=int(n[worst]),
        p_value=document.p_value,
        gate=tolerated.gate,
        message=_message(shares[worst], _of_all(verdicts), tolerated, total),
    )
    return document, finding


def _away(interval: Interval, expected: Floats, comparison: Comparison) -> tuple[Floats, Floats]:
    if comparison is Comparison.DIFFERENCE:
        return interval.low - expected, interval.high - expected
    return interval.low / expected, interval.high / expected


def _verdict(low: float, high: float, inner_low: float, inner_high: float, tolerated: Tolerated) -> Verdict:
    least, most = _limits(tolerated)
    if low > most or high < least:
        return Verdict.PROVEN_DISPARITY
    if inner_low > least and inner_high < most:
        return Verdict.PROVEN_WITHIN
    return Verdict.INCONCLUSIVE


def _limits(tolerated: Tolerated) -> tuple[float, float]:
    if tolerated.comparison is Comparison.DIFFERENCE:
        return -tolerated.tolerance, tolerated.tolerance
    return tolerated.tolerance, 1 / tolerated.tolerance


def _of_all(verdicts: list[Verdict]) -> Verdict:
    if Verdict.PROVEN_DISPARITY in verdicts:
        return Verdict.PROVEN_DISPARITY
    return Verdict.PROVEN_WITHIN if set(verdicts) == {Verdict.PROVEN_WITHIN} else Verdict.INCONCLUSIVE


def _worst(
    verdicts: list[Verdict],
    estimate: Floats,
    low: Floats,
    high: Floats,
    inner_low: Floats,
    inner_high: Floats,
    tolerated: Tolerated,
) -> int:
    """The share that decides: the surest proof, else the one that could lie furthest out."""
    least, most = _limits(tolerated)
    if Verdict.PROVEN_DISPARITY in verdicts:
        beyond = np.maximum(low - most, least - high)
        return int(np.argmax(beyond))
    out = np.maximum(inner_high - most, least - inner_low)
    return int(np.argmax(np.nan_to_num(out, nan=-np.inf)))


def _estimate(value: float, low: float, high: float) -> Estimate:
    if not np.isfinite(value):
        return Estimate(estimate=None, reason="no row has a group of the population")
    return Estimate(estimate=float(value), low=float(low), high=float(high))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _note(attribute: str, strangers: list[str], counts: Mapping[str, int], expected: Floats) -> str:
    parts = []
    if strangers:
        rows = sum(counts[group] for group in strangers)
        parts.append(
            f"The population has no share for {listed(strangers)} of {attribute}: these {rows:,} rows are listed and not "
            "compared."
        )
    if (expected < SMALLEST_EXPECTATION).any():
        parts.append("A group is expected in fewer than five rows: the chi-square test is approximate there.")
    return " ".join(parts)


def _message(share: PopulationShare, verdict: Verdict, tolerated: Tolerated, rows: float) -> str:
    group: Group = share.group
    if share.share.estimate is None:
        return "No row has a group of the population: nothing can be said."
    shown = share.difference if tolerated.comparison is Comparison.DIFFERENCE else share.ratio
    what = f"{number(share.share.estimate)} of {int(rows):,} rows against {number(share.expected)} of the population"
    bounds = f"{tolerated.comparison.value} {number(shown.estimate)} ({number(shown.low)} to {number(shown.high)})"
    if verdict is Verdict.PROVEN_DISPARITY:
        return f"{group_name(group)} is {what}: {bounds}, beyond {number(tolerated.tolerance)}. It needs justification."
    if verdict is Verdict.PROVEN_WITHIN:
        return (
            f"Every share is shown within {number(tolerated.tolerance)} of the population's; furthest: "
            f"{group_name(group)}, {what}."
        )
    return f"Open because of {group_name(group)}: {what}, {bounds}, with {number(tolerated.tolerance)} tolerated."
