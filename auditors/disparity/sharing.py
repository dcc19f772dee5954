"""The error of a check over several rates, shared by them. That of an audit, shared by its checks, belongs in `plan`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.plan import Budget, PlannedCheck
from evenhand.auditors.intervals import tukey_p_value, tukey_z
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]

NEXT_TO_NOTHING = 1e-3
"""Share of alpha that the normal approximation does not tell: up to it nothing is taken from a check."""

HALVINGS = 40
SMALLEST_ERROR = 1e-9


@dataclass(frozen=True)
class RateErrors:
    """The largest standard error that the gap of each decidable pair can have on one rate.

    Attributes:
        groups: that have the rate and rows enough to decide anything.
        errors: shape (pairs,); of a ratio, on the logarithm.
    """

    groups: int
    errors: Floats


def with_shared_error(check: PlannedCheck, evidence: Evidence, compared: NDArray[np.bool_]) -> PlannedCheck:
    """The check with what each of its rates may spend, so that together they falsely prove a disparity in at most alpha.

    One rate of two groups that lie just on the tolerance t errs at Tukey's z in alpha / 2, for only one direction is
    beyond; the other would have to stray by 2t further. So two rates hold alpha as they are, unless t is small beside the
    standard error s, where each errs in up to alpha. The error of r rates at quantile z is at most the sum over them of

        near(k, z) + sum over pairs of far,    far = Phi(-z - 2t/s) of two groups, 2 Phi(-z - t/s) of more.

    The probability that no pair of k normal rates strays beyond z is log-concave in the true rates (Prekopa 1973). So the
    error is largest at a corner of what the tolerance allows: a groups together, the other k - a of them t above. `near` is
    the error of the pairs across in their own direction, largest for halves: at Tukey's z it is .50 alpha for two groups and
    under .37 alpha for more. `far` bounds all others by Bonferroni: across they lie 2t from a false proof, within a part t.
    s is the largest that the counts allow, so that no observed gap decides it: of a difference with rates of 1/2;
    of a ratio, on the logarithm and with t = -log(tolerance), with the tolerance times the rate of all groups
    together, which does not say who has more. Groups too small to decide cannot err.

    z is Tukey's at alpha where this sum is at most alpha, else the smallest for which it is; never above Tukey's z at
    alpha / r, where it holds whatever t is. The level stated is the one whose Tukey's z this is.
    """
    rates = len(check.components)
    if rates < 2:
        return check
    alpha, groups = check.budget.alpha, int(compared.sum())
    low, high = (tukey_z(groups, level=1 - share) for share in (alpha, alpha / rates))
    divided = replace(check, budget=Budget(alpha / rates))
    if not all(metric.is_rate for metric in check.components):
        return divided
    decidable = compared & ~evidence.small
    each = [_rate_errors(check, evidence, number, decidable, z=low) for number in range(rates)]
    tolerance = check.tolerance if check.comparison is Comparison.DIFFERENCE else -float(np.log(check.tolerance))

    def errs(z: float) -> float:
        return false_proofs(each, tolerance=tolerance, z=z) / alpha

    if errs(low) <= 1 + NEXT_TO_NOTHING:
        return check
    if errs(high) >= 1 - NEXT_TO_NOTHING:
        return divided
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if errs(middle) > 1 else (low, middle)
    return replace(check, budget=Budget(tukey_p_value(high, groups)))


def false_proofs(rates: Sequence[RateErrors], *, tolerance: float, z: float) -> float:
    """At most in this share of samples some rate is falsely proven beyond the tolerance; see `with_shared_error`."""
    total = 0.0
    for rate in rates:
        if rate.groups < 2:
            continue
        room = np.divide(tolerance, rate.errors)
        far = ndtr(-z - 2 * room) if rate.groups == 2 else 2 * ndtr(-z - room)
        total += one_way(z, rate.groups) + float(far.sum())
    return total


def one_way(z: float, groups: int) -> float:
    """Probability that some group of one half strays above some group of the other by more than z, in one direction.

    From the smallest of the second half by the trapezoidal rule, as `tukey_z`: all of the first must lie below it and more.
    """
    first = groups // 2
    second = groups - first
    smallest = np.linspace(-10.0, 10.0, 1001)
    density = np.exp(-(smallest**2) / 2) / np.sqrt(2 * np.pi) * (smallest[1] - smallest[0])
    inside = second * density * ndtr(-smallest) ** (second - 1) * ndtr(smallest + np.sqrt(2) * z) ** first
    return max(0.0, 1.0 - float(inside.sum()))


def _rate_errors(
    check: PlannedCheck, evidence: Evidence, number: int, decidable: NDArray[np.bool_], *, z: float
) -> RateErrors:
    x, n = evidence.trials(check.components[number], z=z)
    members = np.flatnonzero(decidable & (n > 0))
    i, j = np.triu_indices(len(members), 1)
    first, second = members[i], members[j]
    together = evidence.between(check.components[number], first, second)
    if check.comparison is Comparison.DIFFERENCE:
        of_one_row = 0.25
    else:
        rate = check.tolerance * x[members].sum() / max(n[members].sum(), 1e-9)
        of_one_row = (1 - rate) / rate if rate > 0 else np.inf
    variance = np.divide(of_one_row, n, out=np.full_like(n, np.inf), where=n > 0)
    errors = np.sqrt((variance[first] + variance[second]) / together)
    return RateErrors(len(members), np.maximum(errors, SMALLEST_ERROR))
