"""What would settle an open question: rows needed and detectable gap, of a whole check and of its pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.disparity import power
from evenhand.auditors.disparity.evidence import Evidence
from evenhand.auditors.disparity.pairs import Pairs
from evenhand.auditors.disparity.plan import PlannedCheck
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]


MOST_ROWS_NEEDED = 10_000_000


def rows_of(growth: float, smallest: int) -> int | None:
    """Rows of the smallest group after this growth, at least as many as anything is concluded from; None if never.

    Never is also where the estimate all but lies on the tolerance, so that no sample anybody could draw would tell.
    """
    if not np.isfinite(growth) or growth * smallest > MOST_ROWS_NEEDED:
        return None
    return max(int(np.ceil(growth * smallest)), SMALL_GROUP_ROWS)


def what_would_settle(
    check: PlannedCheck,
    evidence: Evidence,
    components: Sequence[Pairs],
    compared: NDArray[np.bool_],
    deciding: Pairs,
    at: int,
    z: float,
) -> dict[str, float | int | None]:
    """Rows of the smallest group compared that would settle the check, the others in proportion; and what was detectable.

    Returns:
        `rows_needed`, `rows_needed_at_estimate` and `detectable`, or nothing where a component is no rate.
    """
    if not all(metric.is_rate for metric in check.components):
        return {}
    growth = at_estimate = np.nan
    if any(beyond(pairs).any() for pairs in components):
        growth = power.growth_to_prove_some_disparity(
            [_beyond_rates(evidence, pairs, z) for pairs in components],
            comparison=check.comparison,
            tolerance=check.tolerance,
            z=z,
        )
    elif not any(on_tolerance(pairs).any() for pairs in components):
        growth, at_estimate = (
            power.growth_to_prove_all_within(
                [_rates(check, evidence, metric, compared, equal=equal) for metric in check.components],
                comparison=check.comparison,
                tolerance=check.tolerance,
                z_equivalence=check.budget.z_equivalence,
            )
            for equal in (True, False)
        )
    x, n = evidence.trials(deciding.metric, z=z)
    i, j = deciding.first[at], deciding.second[at]
    gap = power.detectable_gap(
        x[[j]] / n[[j]], n[[i]], n[[j]], comparison=check.comparison, tolerance=check.tolerance, z=z
    )[0]
    smallest = int(evidence.counts.rows[compared].min())
    return {
        "rows_needed": rows_of(growth, smallest),
        "rows_needed_at_estimate": rows_of(at_estimate, smallest),
        "smallest_n": smallest,
        "detectable": float(gap) if np.isfinite(gap) else None,
    }


def _rates(
    check: PlannedCheck, evidence: Evidence, metric: Metric, compared: NDArray[np.bool_], *, equal: bool
) -> tuple[float | Floats, Floats]:
    """The rate that all groups have together, or that each has, and their trials."""
    x, n = (part[compared] for part in evidence.trials(metric, z=check.budget.z_equivalence))
    return (float(x.sum() / n.sum()) if equal else x / n), n


def _beyond_rates(evidence: Evidence, pairs: Pairs, z: float) -> power.GroupRates:
    x, n = evidence.trials(pairs.metric, z=z)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = x / n
    far = beyond(pairs)
    return power.GroupRates(rate, n, pairs.first[far], pairs.second[far])


def beyond(pairs: Pairs) -> NDArray[np.bool_]:
    """Pairs whose estimate lies beyond the tolerance."""
    return pairs.gap > (pairs.tolerance if pairs.comparison is Comparison.DIFFERENCE else -pairs.tolerance) + 1e-12


def on_tolerance(pairs: Pairs) -> NDArray[np.bool_]:
    """Pairs that no number of rows would settle if the estimate is the truth."""
    return np.abs(pairs.estimate - pairs.tolerance) <= 1e-12


@dataclass(frozen=True)
class Growth:
    """By how much both groups of each pair must grow, shape (pairs,); NaN where nothing would do.

    Attributes:
        settles: proves the disparity if the estimate beyond the tolerance is the truth, else within if the groups are equal.
        at_estimate: proves within if the estimate is the truth; NaN where it lies beyond.
    """

    settles: Floats
    at_estimate: Floats


def growth_of_pairs(check: PlannedCheck, evidence: Evidence, pairs: Pairs, z: float) -> Growth:
    """What would settle each pair by itself."""
    (x, n), (ex, en) = (evidence.trials(pairs.metric, z=q) for q in (z, check.budget.z_equivalence))
    i, j = pairs.first, pairs.second
    with np.errstate(divide="ignore", invalid="ignore"):
        rate, together = x / n, (ex[i] + ex[j]) / (en[i] + en[j])
        disparity = power.growth_to_prove_disparity(
            rate[i], n[i], rate[j], n[j], comparison=check.comparison, tolerance=check.tolerance, z=z
        )
        equal, within = (
            power.growth_to_prove_within(
                one,
                en[i],
                other,
                en[j],
                comparison=check.comparison,
                tolerance=check.tolerance,
                z_equivalence=check.budget.z_equivalence,
            )
            for one, other in ((together, together), (rate[i], rate[j]))
        )
    growth, never = np.where(beyond(pairs), disparity, equal), on_tolerance(pairs) | pairs.undefined
    return Growth(np.where(never, np.nan, growth), np.where(never | beyond(pairs), np.nan, within))


def detectable_of_pairs(check: PlannedCheck, evidence: Evidence, pairs: Pairs, z: float) -> Floats:
    """Per pair, the smallest true gap that its rows would have proven; NaN where none would."""
    x, n = evidence.trials(pairs.metric, z=z)
    with np.errstate(divide="ignore", invalid="ignore"):
        return power.detectable_gap(
            (x / n)[pairs.second],
            n[pairs.first],
            n[pairs.second],
            comparison=check.comparison,
            tolerance=check.tolerance,
            z=z,
        )
