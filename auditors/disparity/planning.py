"""Before any data: how many rows a group it takes to prove a disparity of a stated size, or to prove equality within.

For groups of one size and stated true rates. What rows already counted could show belongs in `power`, which the same
normal approximation of the score test underlies.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from evenhand.auditors.disparity.plan import Budget
from evenhand.auditors.errors import ImpossiblePlan
from evenhand.auditors.intervals import normal_quantile, score_z_difference, score_z_ratio
from evenhand.auditors.verdict import Comparison

MOST_TRIALS = 10**9
FIXED_POINT_STEPS = 4
"""The finite-sample factor N / (N - 1) of the score test settles in two."""

SOURCE = "score test of Miettinen and Nurminen (1985); sizes as in Farrington and Manning (1990), Statistics in Medicine 9(12)"


@dataclass(frozen=True)
class Trials:
    """Rows a group that count in the metric (all rows for a selection rate, positives for a true positive rate).

    Attributes:
        disparity: to prove the stated gap beyond the tolerance; None where the gap does not lie beyond it.
        within: to prove every pair of groups within the tolerance where all have the base rate; None where no number of
            rows would.
    """

    disparity: int | None
    within: int | None


def trials_needed(
    *,
    base: float,
    other: float,
    comparison: Comparison,
    tolerance: float,
    groups: int,
    alpha: float,
    power: float,
) -> Trials:
    """Trials a group for both proofs.

    Args:
        base: rate of the group with the higher rate, in (0, 1).
        other: rate of the group it is compared with, in [0, base].
        comparison: difference (base - other) or ratio (other / base).
        tolerance: of the check: a difference in [0, 1), or a ratio in (0, 1].
        groups: how many groups are compared, at least 2; all pairs hold the error together.
        alpha: of this check, the audit's over its gated checks.
        power: chance of the proof, a fraction in (0, 1).

    Raises:
        ImpossiblePlan: a rate, the tolerance, the power or the number of groups is out of range.

    Source: see SOURCE; the range of several groups from its distribution, as `tukey_z`.
    """
    _refuse(base, other, comparison, tolerance, groups, alpha, power)
    budget = Budget(alpha)
    z, z_equivalence, z_power = budget.z_all_pairs(groups), budget.z_equivalence, normal_quantile(power)
    return Trials(
        disparity=_to_prove_disparity(base, other, comparison, tolerance, z=z, z_power=z_power),
        within=_to_prove_within(base, comparison, tolerance, groups=groups, z=z_equivalence, power=power),
    )


def _refuse(
    base: float, other: float, comparison: Comparison, tolerance: float, groups: int, alpha: float, power: float
) -> None:
    if not 0 < base < 1:
        raise ImpossiblePlan(f"the base rate is {base:g}", "between 0 and 1")
    if not 0 <= other <= base:
        raise ImpossiblePlan(f"the gap puts the other group at {other:g}", f"from 0 to the base rate, {base:g}")
    if comparison is Comparison.RATIO and not 0 < tolerance <= 1:
        raise ImpossiblePlan(f"the tolerance of a ratio is {tolerance:g}", "above 0 and at most 1, such as .8")
    if comparison is Comparison.DIFFERENCE and not 0 <= tolerance < 1:
        raise ImpossiblePlan(f"the tolerance of a difference is {tolerance:g}", "at least 0 and under 1, such as .1")
    if groups < 2:
        raise ImpossiblePlan(f"{groups} group is compared", "2 or more")
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0 < value < 1:
            raise ImpossiblePlan(f"the {name} is {value:g}", "between 0 and 1")


def _tested_spread(high: float, low: float, comparison: Comparison, tolerance: float, trials: float) -> float:
    """Standard error, times the root of the trials, that the score test of the tolerance uses at these rates."""
    x = (np.array([high * trials]), np.array([trials]), np.array([low * trials]), np.array([trials]))
    if comparison is Comparison.DIFFERENCE:
        distance, z = high - low - tolerance, score_z_difference(*x, tolerance)
    else:
        other = (x[2], x[3], x[0], x[1])
        distance, z = low - tolerance * high, score_z_ratio(*other, tolerance)
    return float(abs(distance / z[0]) * np.sqrt(trials)) if z[0] and np.isfinite(z[0]) else 0.0


def _to_prove_disparity(
    high: float, low: float, comparison: Comparison, tolerance: float, *, z: float, z_power: float
) -> int | None:
    """((z tested + z_power true) / beyond)^2, where `beyond` is how far the truth lies past the tolerance."""
    factor = 1.0 if comparison is Comparison.DIFFERENCE else tolerance
    beyond = high - low - tolerance if comparison is Comparison.DIFFERENCE else tolerance * high - low
    if beyond <= 1e-12:
        return None
    if comparison is Comparison.DIFFERENCE:
        true = np.sqrt(high * (1 - high) + low * (1 - low))
    else:
        true = np.sqrt(low * (1 - low) + factor**2 * high * (1 - high))
    return _settled(
        lambda trials: ((z * _tested_spread(high, low, comparison, tolerance, trials) + z_power * true) / beyond) ** 2
    )


def _to_prove_within(
    rate: float, comparison: Comparison, tolerance: float, *, groups: int, z: float, power: float
) -> int | None:
    """((c + z tested) / room)^2, where c is what the groups' rates stray apart by in all but 1 - power of samples."""
    room = tolerance if comparison is Comparison.DIFFERENCE else rate * (1 - tolerance)
    if room <= 1e-12:
        return None
    factor = 1.0 if comparison is Comparison.DIFFERENCE else tolerance
    stray = largest_stray(groups, factor=factor, probability=power) * np.sqrt(rate * (1 - rate))
    return _settled(
        lambda trials: ((stray + z * _tested_spread(rate, rate, comparison, tolerance, trials)) / room) ** 2
    )


def _settled(trials_at: Callable[[float], float]) -> int | None:
    """The size at which the formula, whose spread depends on the size by N / (N - 1), asks for that size."""
    trials = 1e6
    for _ in range(FIXED_POINT_STEPS):
        trials = max(trials_at(max(trials, 2.0)), 1.0)
    return None if trials > MOST_TRIALS else int(np.ceil(trials - 1e-9))


def largest_stray(groups: int, *, factor: float, probability: float) -> float:
    """c with P(factor * largest - smallest <= c) = probability, of so many standard normals.

    With factor 1 it is the quantile of their range (Tukey 1953). From the distribution of the smallest, by the
    trapezoidal rule: the others must lie between it and (c + it) / factor.
    """
    smallest = np.linspace(-12.0, 12.0, 4001)
    density = np.exp(-(smallest**2) / 2) / np.sqrt(2 * np.pi) * (smallest[1] - smallest[0])

    def below(c: float) -> float:
        among = ndtr((c + smallest) / factor) - ndtr(smallest)
        return float(groups * np.sum(density * np.maximum(among, 0.0) ** (groups - 1)))

    low, high = -20.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < probability else (low, middle)
    return (low + high) / 2
