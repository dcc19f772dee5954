"""What it would take to know more: rows needed to settle pairs of groups, and the gap that these rows would have shown.

Everything is vectorised over pairs and turned as in `Pairs`: the first group has the higher rate of a difference and the
lower of a ratio. Sizes grow in proportion, so that every spread shrinks with the root of the growth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from evenhand.auditors.intervals import normal_quantile, score_z_difference, score_z_ratio
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]

POWER = 0.8
Z_POWER = normal_quantile(POWER)
MOST_GROWTH = 1e8
DRAWS = 2_000
MOST_PAIR_DRAWS = 4_000_000


def _distance(p1: Floats, p2: Floats, *, comparison: Comparison, bound: float) -> Floats:
    """What the score test of `bound` is about: 0 on the bound, negative below it."""
    return p1 - p2 - bound if comparison is Comparison.DIFFERENCE else p1 - bound * p2


def _room(p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, bound: float) -> Floats:
    """How far these rates lie within the bound; the sizes play no part."""
    distance = _distance(p1, p2, comparison=comparison, bound=bound)
    return -distance if comparison is Comparison.DIFFERENCE else distance


def _tested_spread(p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, bound: float) -> Floats:
    """Standard error that the score test of `bound` uses when both groups show exactly these rates."""
    statistic = score_z_difference if comparison is Comparison.DIFFERENCE else score_z_ratio
    z = statistic(p1 * n1, n1, p2 * n2, n2, bound)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.abs(_distance(p1, p2, comparison=comparison, bound=bound) / z)
    return np.where(np.isfinite(spread), spread, 0.0)


def _true_spread(p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, bound: float) -> Floats:
    """Standard deviation of the tested distance when these are the true rates."""
    factor = 1.0 if comparison is Comparison.DIFFERENCE else bound
    return np.sqrt(p1 * (1 - p1) / n1 + factor**2 * p2 * (1 - p2) / n2)


def growth_to_prove_disparity(
    p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, tolerance: float, z: float
) -> Floats:
    """By how much both groups must grow so that the disparity is proven with 80 % power if these rates are the truth.

    Args:
        p1, n1, p2, n2: rates and trials of both groups, shape (pairs,).
        z: of the simultaneous interval.

    Returns:
        Factors on both sizes; NaN where the rates lie within or on the tolerance.
    """
    distance = _distance(p1, p2, comparison=comparison, bound=tolerance)
    beyond = distance if comparison is Comparison.DIFFERENCE else -distance
    tested = _tested_spread(p1, n1, p2, n2, comparison=comparison, bound=tolerance)
    actual = _true_spread(p1, n1, p2, n2, comparison=comparison, bound=tolerance)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(beyond > 1e-12, ((z * tested + Z_POWER * actual) / beyond) ** 2, np.nan)


@dataclass(frozen=True)
class _Margins:
    """Of both tests that show pairs within the tolerance: that the first is not too far on one side, nor on the other.

    Attributes:
        room: from the true rates to the tolerance; at most 0 where they lie on it or beyond.
        tested, true: standard error that the test uses, and the one that the distance has.
    """

    room: tuple[Floats, Floats]
    tested: tuple[Floats, Floats]
    true: tuple[Floats, Floats]


def _margins(p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, tolerance: float) -> _Margins:
    def both(of: Callable[..., Floats]) -> tuple[Floats, Floats]:
        return (
            of(p1, n1, p2, n2, comparison=comparison, bound=tolerance),
            of(p2, n2, p1, n1, comparison=comparison, bound=tolerance),
        )

    return _Margins(both(_room), both(_tested_spread), both(_true_spread))


def growth_to_prove_within(
    p1: Floats, n1: Floats, p2: Floats, n2: Floats, *, comparison: Comparison, tolerance: float, z_equivalence: float
) -> Floats:
    """By how much both groups must grow so that pairs are proven within with 80 % power if these rates are the truth.

    Args:
        p1, n1, p2, n2: rates and trials of both groups, shape (pairs,).

    Returns:
        Factors on both sizes; NaN where the rates lie on the tolerance or beyond.
    """
    margins = _margins(p1, n1, p2, n2, comparison=comparison, tolerance=tolerance)
    possible = (margins.room[0] > 0) & (margins.room[1] > 0)

    def power(growth: Floats) -> Floats:
        root = np.sqrt(growth)
        with np.errstate(divide="ignore", invalid="ignore"):
            shown = [
                ndtr(np.nan_to_num((room * root - z_equivalence * tested) / true, nan=-np.inf))
                for room, tested, true in zip(margins.room, margins.tested, margins.true, strict=True)
            ]
        return shown[0] + shown[1] - 1

    return _smallest_growth(power, np.where(possible, p1, np.nan))


def _smallest_growth(power: Callable[[Floats], Floats], shape_of: Floats) -> Floats:
    """By bisection on the logarithm; NaN where even an enormous growth falls short."""
    low, high = np.full_like(shape_of, -18.0), np.full_like(shape_of, np.log(MOST_GROWTH))
    reachable = power(np.exp(high)) >= POWER
    for _ in range(36):
        middle = (low + high) / 2
        enough = power(np.exp(middle)) >= POWER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(reachable & np.isfinite(shape_of), np.exp(high), np.nan)


@dataclass(frozen=True)
class GroupRates:
    """Rates and trials of k groups on one metric, and the pairs of them that lie beyond the tolerance."""

    rate: Floats
    n: Floats
    first: NDArray[np.intp]
    second: NDArray[np.intp]


def growth_to_prove_some_disparity(
    components: Sequence[GroupRates], *, comparison: Comparison, tolerance: float, z: float
) -> float:
    """By how much all groups must grow so that some pair proves a disparity with 80 % power if these rates are the truth.

    By fixed draws of all groups' rates, since pairs share groups; in closed form where there is one pair.
    """
    pairs = sum(len(component.first) for component in components)
    if pairs == 1:
        one = next(component for component in components if len(component.first))
        return float(
            growth_to_prove_disparity(
                one.rate[one.first],
                one.n[one.first],
                one.rate[one.second],
                one.n[one.second],
                comparison=comparison,
                tolerance=tolerance,
                z=z,
            )[0]
        )
    rng, count = _draws(pairs)
    best = np.full(count, np.inf)
    for component in components:
        rate, n, i, j = component.rate, component.n, component.first, component.second
        if not len(i):
            continue
        deviations = rng.standard_normal((count, len(rate))) * np.sqrt(np.nan_to_num(rate * (1 - rate) / n))
        distance = np.abs(_distance(rate[i], rate[j], comparison=comparison, bound=tolerance))
        tested = _tested_spread(rate[i], n[i], rate[j], n[j], comparison=comparison, bound=tolerance)
        # A pair is proven at growth g when distance + stray / root(g) > z tested / root(g).
        if comparison is Comparison.DIFFERENCE:
            stray = deviations[:, i] - deviations[:, j]
        else:
            stray = tolerance * deviations[:, j] - deviations[:, i]
        best = np.minimum(best, ((z * tested - stray) / distance).min(axis=1))
    return float(np.quantile(np.maximum(best, 0.0), POWER)) ** 2


def _draws(pairs: int) -> tuple[np.random.Generator, int]:
    return np.random.default_rng(20_261_124), min(DRAWS, max(MOST_PAIR_DRAWS // pairs, 100))


def growth_to_prove_all_within(
    groups: Sequence[tuple[float | Floats, Floats]],
    *,
    comparison: Comparison,
    tolerance: float,
    z_equivalence: float,
) -> float:
    """As `growth_to_prove_within` for every pair of several groups and several rates at once.

    Args:
        groups: for each metric its true rate, of all groups or of each, and the groups' trials.

    By fixed draws of the groups' rates; in closed form for one metric of two groups.
    """
    each = [(np.broadcast_to(np.asarray(rate, dtype=np.float64), sizes.shape), sizes) for rate, sizes in groups]
    if len(each) == 1 and len(each[0][1]) == 2:
        rate, sizes = each[0]
        return float(
            growth_to_prove_within(
                rate[:1],
                sizes[:1],
                rate[1:],
                sizes[1:],
                comparison=comparison,
                tolerance=tolerance,
                z_equivalence=z_equivalence,
            )[0]
        )
    rng, count = _draws(sum(len(sizes) * (len(sizes) - 1) // 2 for _, sizes in each))
    worst = np.zeros(count)
    for rate, sizes in each:
        needed = _roots_to_prove_all_within(
            rate, sizes, rng, count, comparison=comparison, tolerance=tolerance, z_equivalence=z_equivalence
        )
        if needed is None:
            return float("nan")
        worst = np.maximum(worst, needed)
    return float(np.quantile(worst, POWER)) ** 2


def _roots_to_prove_all_within(
    rate: Floats,
    sizes: Floats,
    rng: np.random.Generator,
    count: int,
    *,
    comparison: Comparison,
    tolerance: float,
    z_equivalence: float,
) -> Floats | None:
    """Root of the growth at which each draw has every pair within, shape (count,); None where no growth would do."""
    i, j = np.triu_indices(len(sizes), 1)
    deviations = rng.standard_normal((count, len(sizes))) * np.sqrt(rate * (1 - rate) / sizes)
    margins = _margins(rate[i], sizes[i], rate[j], sizes[j], comparison=comparison, tolerance=tolerance)
    if any(np.any(room <= 0) for room in margins.room):
        return None
    # A pair passes at growth g when room - stray / root(g) > z tested / root(g), in both directions.
    if comparison is Comparison.DIFFERENCE:
        up = deviations[:, i] - deviations[:, j]
        strays = up, -up
    else:
        strays = (
            tolerance * deviations[:, j] - deviations[:, i],
            tolerance * deviations[:, i] - deviations[:, j],
        )
    needed = [
        ((stray + z_equivalence * tested) / room).max(axis=1)
        for stray, tested, room in zip(strays, margins.tested, margins.room, strict=True)
    ]
    larger: Floats = np.maximum(needed[0], needed[1])
    return larger


def detectable_gap(p2: Floats, n1: Floats, n2: Floats, *, comparison: Comparison, tolerance: float, z: float) -> Floats:
    """The smallest true gap that these rows would have proven beyond the tolerance with 80 % power.

    The second group is held at its rate `p2`; the first lies above it (difference) or below it (ratio).

    Returns:
        Differences, or ratios below the tolerance; NaN where no possible gap would have been proven.
    """
    if comparison is Comparison.DIFFERENCE:
        near, far = p2 + tolerance, np.ones_like(p2)
        possible = near < 1
    else:
        near, far = tolerance * p2, np.zeros_like(p2)
        possible = p2 > 0

    def provable(p1: Floats) -> NDArray[np.bool_]:
        growth = growth_to_prove_disparity(p1, n1, p2, n2, comparison=comparison, tolerance=tolerance, z=z)
        return np.nan_to_num(growth, nan=np.inf) <= 1

    near = np.where(possible, near, far)
    possible = possible & provable(far)
    for _ in range(26):
        middle = (near + far) / 2
        enough = provable(middle)
        near, far = np.where(enough, near, middle), np.where(enough, middle, far)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = far - p2 if comparison is Comparison.DIFFERENCE else far / p2
    return np.where(possible, gap, np.nan)
