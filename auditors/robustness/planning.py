"""What it would take to know more: rows needed, and the smallest gap that this many rows would have proven."""

import math
from dataclasses import dataclass

from scipy.stats import norm

from evenhand.auditors.robustness.gaps import TEST_LEVEL, Member

POWER = 0.80


@dataclass(frozen=True)
class Plan:
    """`rows_needed` in the smaller group; `detectable` as a gap. None: cannot be told."""

    rows_needed: int | None
    detectable: float | None


def plan(member: Member, *, tolerance: float) -> Plan:
    """Sizes for 80 % power, with the standard error shrinking as one over the root of the rows.

    Observed beyond the tolerance: to prove the disparity if the truth is the estimate. Observed inside: to prove within
    if the truth is equality. On the tolerance: None.
    """
    if member.spread is None:
        return Plan(None, None)
    error, size = member.spread.standard_error, member.size
    rows = min(member.first.n, member.second.n)
    if not error > 0:
        return Plan(None, None)
    test, power = float(norm.ppf((1 + TEST_LEVEL) / 2)), float(norm.ppf(POWER))
    detectable = max((test + power) * error, tolerance + power * error)
    if math.isclose(size, tolerance):
        return Plan(None, min(detectable, 1.0))
    if size > tolerance:
        factor = max((test + power) * error / size, power * error / (size - tolerance))
    else:
        equivalence = float(norm.ppf(0.95) + norm.ppf((1 + POWER) / 2))
        factor = equivalence * error / tolerance
    return Plan(max(rows, math.ceil(rows * factor**2)), min(detectable, 1.0))
