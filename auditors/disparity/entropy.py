"""Generalised entropy between groups: how much of the inequality of benefits lies between groups, as one finding."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chndtr, chndtrinc

from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Z_SINGLE
from evenhand.auditors.disparity.pairwise import finding_id, undecided, verdict_of
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.disparity.words import about_small_groups, gate_words
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Verdict
from evenhand.auditors.words import group_name, number, span

BENEFIT = np.array([[1.0, 2.0], [0.0, 1.0]])
"""prediction - label + 1, by label and prediction (Speicher et al. 2018): 2 where favoured beyond the label, 0 where denied."""


def generalized_entropy_between(cells: NDArray[np.float64]) -> float:
    """Between-group part of the generalised entropy index, exponent 2; NaN where nobody has any benefit.

    Args:
        cells: shape (k, 2, 2), counts by label and prediction.

    Returns:
        Half the squared coefficient of variation of the groups' mean benefits, at least 0.

    Source: Speicher et al. (2018), KDD, equation 4; AIF360 calls it between_group_generalized_entropy_error.
    """
    size = cells.sum(axis=(1, 2))
    kept = size > 0
    mean = (cells[kept] * BENEFIT).sum(axis=(1, 2)) / size[kept]
    share = size[kept] / size.sum()
    whole = float(share @ mean)
    return float(share @ ((mean / whole) ** 2 - 1)) / 2 if whole > 0 else float("nan")


def entropy_finding(check: PlannedCheck, evidence: Evidence) -> Finding:
    """The check as a finding of value: interval from the noncentral chi-squared of the groups' weighted mean squares.

    The statistic n (sum of shares times squared distance of the means) / mean variance within groups is noncentral
    chi-squared with k - 1 degrees; its noncentrality is n times twice the index over the squared coefficient of
    variation within groups (as for an effect size in Steiger 2004, Psychological Methods 9).
    """
    counts = evidence.counts
    compared = ~counts.unknown & ~evidence.small if check.small_groups == "list" else ~counts.unknown
    k = int(compared.sum())
    if k < 2:
        return undecided(check, evidence, compared)
    cells = counts.cells[compared]
    estimate = generalized_entropy_between(cells)
    plain = Finding(
        id=finding_id(check),
        audit="group_disparity",
        metric=check.name,
        comparison=check.comparison,
        attribute=check.attribute,
        estimate=None,
        level=check.budget.level,
        tolerance=check.tolerance,
        verdict=Verdict.INCONCLUSIVE,
        n=int(counts.rows[compared].sum()),
        gate=check.gate,
        message="Generalized entropy between groups does not exist: nobody has any benefit.",
    )
    if np.isnan(estimate):
        return plain
    mean = (cells * BENEFIT).sum(axis=(1, 2)) / cells.sum(axis=(1, 2))
    scale, degrees = _scale(evidence, compared), k - 1
    statistic = 2 * estimate * scale
    level = check.budget.level
    low, inner_low = (_noncentrality(statistic, degrees, p) / (2 * scale) for p in ((1 + level) / 2, level))
    # Below what equal groups show on average the upper bound would fall to 0; there it stays where the average puts it.
    above = max(statistic, float(degrees))
    high, inner_high = (_noncentrality(above, degrees, p) / (2 * scale) for p in ((1 - level) / 2, 1 - level))
    decidable = not bool(evidence.small[compared].any())
    verdict = verdict_of(
        disparity=decidable and low > check.tolerance, within=decidable and inner_high < check.tolerance
    )
    names = [counts.groups[i] for i in np.flatnonzero(compared)]
    most, least = int(np.argmax(mean)), int(np.argmin(mean))
    message = " ".join(
        part
        for part in (
            f"Inequality of benefits between groups {number(estimate, digits=4)} ({span(low, high)}); mean benefit is "
            f"highest for {group_name(names[most])} ({number(float(mean[most]))}) and lowest for "
            f"{group_name(names[least])} ({number(float(mean[least]))}).",
            *about_small_groups(evidence, compared, proven=verdict is Verdict.PROVEN_DISPARITY),
            gate_words(check),
        )
        if part
    )
    return plain.model_copy(
        update={
            "estimate": estimate,
            "low": low,
            "high": high,
            "equivalence_low": inner_low,
            "equivalence_high": inner_high,
            "verdict": verdict,
            "message": message,
            "group": names[most],
            "reference": names[least],
        }
    )


def _scale(evidence: Evidence, compared: NDArray[np.bool_]) -> float:
    """Effective rows times squared mean benefit over the variance within groups."""
    counts = evidence.counts
    cells = counts.cells[compared]
    size = cells.sum(axis=(1, 2))
    mean = (cells * BENEFIT).sum(axis=(1, 2)) / size
    square = (cells * BENEFIT**2).sum(axis=(1, 2)) / size
    rows = counts.effective[compared].sum(axis=(1, 2))
    if evidence.design is not None:
        rows = rows * evidence.design.fraction(COUNT_METRICS["accuracy"], z=Z_SINGLE)[compared]
    share = size / size.sum()
    # Weights of 1 - share make the statistic average k - 1 among equal groups of unequal spread (Brown and Forsythe 1974).
    behind = share * rows.sum() / np.maximum(rows, 1e-9)
    variance = float(((1 - share) * (square - mean**2) * behind).sum() / (len(share) - 1))
    whole = float(share @ mean)
    return float(rows.sum()) * whole**2 / max(variance, 1e-12)


def _noncentrality(statistic: float, degrees: int, probability: float) -> float:
    """The noncentrality at which so little statistic or less has this probability; 0 where none has so much."""
    if float(chndtr(statistic, degrees, 0.0)) <= probability:
        return 0.0
    found = float(chndtrinc(statistic, degrees, probability))
    return found if np.isfinite(found) else 0.0
