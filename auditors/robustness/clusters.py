"""Bootstrap and permutation over units, on count tables. What is compared belongs to `gaps`.

The rows of a unit are never separated. Units with the same counts are one *type* with a number of copies, so a
draw costs as much as there are types: drawing units with replacement is a multinomial over types, swapping the groups
inside a unit a binomial, permuting units a multivariate hypergeometric. All three are exact in distribution.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Counts = NDArray[np.float64]
"""Counts by unit type, class and group: shape (types, classes, groups); or by draw, class and group."""

Statistic = Callable[[Counts, Counts], NDArray[np.float64]]
"""(successes, totals), each (draws, classes, groups), to one number a draw; NaN where it is undefined."""

BOOTSTRAP_DRAWS = 2000
PERMUTATIONS = 5000
EXACT_UNITS = 12
"""Up to this many units all 2^units sign flips are counted instead of drawn."""

ROUNDING = 1e-12


@dataclass(frozen=True)
class UnitTable:
    """Successes and totals of every type of unit, and how many units there are of each type."""

    success: Counts
    total: Counts
    copies: NDArray[np.int64]

    @property
    def units(self) -> int:
        return int(self.copies.sum())

    def sums(self) -> tuple[Counts, Counts]:
        """Observed successes and totals, each of shape (1, classes, groups)."""
        weights = self.copies[None, :].astype(np.float64)
        return _weighted(weights, self.success), _weighted(weights, self.total)

    def groups(self, first: int, second: int) -> "UnitTable":
        """The table of two groups alone; units that hold neither are left out."""
        success, total = self.success[:, :, [first, second]], self.total[:, :, [first, second]]
        held = total.any(axis=(1, 2))
        return UnitTable(success[held], total[held], self.copies[held])


@dataclass(frozen=True)
class Interval:
    """Ends of an interval; infinite where nothing is known."""

    low: float
    high: float

    @property
    def known(self) -> bool:
        return bool(np.isfinite([self.low, self.high]).all())


@dataclass(frozen=True)
class Spread:
    """The bootstrap draws of a statistic around its estimate."""

    estimate: float
    draws: NDArray[np.float64]
    units: int

    @property
    def standard_error(self) -> float:
        return float(np.std(self.draws)) if len(self.draws) else float("nan")

    def interval(self, level: float) -> Interval:
        """Percentile interval, widened about the estimate for few units by t / z and sqrt(U / (U - 1)).

        Where all units agree the bootstrap sees no variation: then it reaches as far as a share of which as many
        units show not a single case could. Kept in [-1, 1]; infinite for fewer than two units.
        """
        if self.units < 2 or len(self.draws) == 0:
            return Interval(-np.inf, np.inf)
        tail = (1 - level) / 2
        if self.standard_error < ROUNDING:
            unseen = none_seen(self.units, 1 - tail)
            return Interval(max(-1.0, self.estimate - unseen), min(1.0, self.estimate + unseen))
        low, high = np.quantile(self.draws, [tail, 1 - tail])
        widen = float(t.ppf(1 - tail, self.units - 1) / norm.ppf(1 - tail)) * np.sqrt(self.units / (self.units - 1))
        return Interval(
            low=max(-1.0, float(self.estimate - widen * max(self.estimate - low, 0))),
            high=min(1.0, float(self.estimate + widen * max(high - self.estimate, 0))),
        )


def none_seen(units: int, one_sided_level: float) -> float:
    """Upper end of Wilson's interval of a share of which as many units show not a single case."""
    z_squared = float(norm.ppf(one_sided_level)) ** 2
    return z_squared / (units + z_squared)


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A generator of its own for every purpose, so that no result depends on which others were asked for."""
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in purpose)])


def unit_table(
    success: NDArray[np.bool_],
    *,
    unit: NDArray[np.int64],
    label: NDArray[np.int64],
    group: NDArray[np.int64],
    classes: int,
    groups: int,
) -> UnitTable:
    """Count rows by unit, class and group; rows of a negative group are left out.

    Args:
        success: shape (n,), as are the following.
        unit: codes from 0.
        label: class of each row, below `classes`.
        group: below `groups`, or negative for a row that is not compared.
    """
    held = group >= 0
    cells = classes * groups
    codes, compact = np.unique(unit[held], return_inverse=True)
    index = compact.reshape(-1) * cells + label[held] * groups + group[held]
    size = len(codes) * cells
    totals = np.bincount(index, minlength=size).reshape(len(codes), cells)
    successes = np.bincount(index, weights=success[held], minlength=size).astype(np.int64).reshape(len(codes), cells)
    types, copies = np.unique(np.concatenate([successes, totals], axis=1), axis=0, return_counts=True)
    shape = (len(types), classes, groups)
    return UnitTable(
        success=types[:, :cells].reshape(shape).astype(np.float64),
        total=types[:, cells:].reshape(shape).astype(np.float64),
        copies=copies.astype(np.int64),
    )


def _weighted(weights: NDArray[np.float64], counts: Counts) -> Counts:
    """(draws, types) times (types, classes, groups)."""
    return np.tensordot(weights, counts, axes=(1, 0))


def resampled(table: UnitTable, rng: np.random.Generator, *, draws: int = BOOTSTRAP_DRAWS) -> tuple[Counts, Counts]:
    """Tables of units drawn with replacement: successes and totals, each (draws, classes, groups)."""
    weights = rng.multinomial(table.units, table.copies / table.units, size=draws).astype(np.float64)
    return _weighted(weights, table.success), _weighted(weights, table.total)


def regrouped(table: UnitTable, rng: np.random.Generator, *, draws: int = PERMUTATIONS) -> tuple[Counts, Counts, bool]:
    """Tables of two groups as they would be if the group made no difference.

    Where a unit holds both groups they are swapped with probability one half; units that hold one group alone are
    permuted among those with pictures of the same classes.

    Returns:
        Successes, totals (each (draws, classes, 2)), and whether all arrangements were counted instead of drawn.
    """
    both = table.total.sum(axis=1).all(axis=1)
    swapping = UnitTable(table.success[both], table.total[both], table.copies[both])
    if both.all() and 0 < table.units <= EXACT_UNITS:
        return (*_every_swap(swapping), True)
    success, total = _swaps(swapping, rng, draws)
    moved_success, moved_total = _moves(
        UnitTable(table.success[~both], table.total[~both], table.copies[~both]), rng, draws
    )
    return success + moved_success, total + moved_total, False


def _swap_by(weights: NDArray[np.float64], table: UnitTable) -> tuple[Counts, Counts]:
    """Tables after `weights` (draws, types) of the copies of each type have been swapped."""
    observed_success, observed_total = table.sums()
    success = _weighted(weights, table.success[:, :, ::-1] - table.success)
    total = _weighted(weights, table.total[:, :, ::-1] - table.total)
    return observed_success + success, observed_total + total


def _swaps(table: UnitTable, rng: np.random.Generator, draws: int) -> tuple[Counts, Counts]:
    weights = rng.binomial(table.copies, 0.5, size=(draws, len(table.copies))).astype(np.float64)
    return _swap_by(weights, table)


def _every_swap(table: UnitTable) -> tuple[Counts, Counts]:
    flips = (np.arange(2**table.units)[:, None] >> np.arange(table.units)) & 1
    of_type = np.repeat(np.arange(len(table.copies)), table.copies)
    weights = np.zeros((len(flips), len(table.copies)))
    for column, kind in enumerate(of_type):
        weights[:, kind] += flips[:, column]
    return _swap_by(weights, table)


def _moves(table: UnitTable, rng: np.random.Generator, draws: int) -> tuple[Counts, Counts]:
    """Units of one group, dealt anew to the two groups within each set of classes."""
    classes = table.total.shape[1]
    success, total = np.zeros((draws, classes, 2)), np.zeros((draws, classes, 2))
    if len(table.copies) == 0:
        return success, total
    second = table.total.sum(axis=1)[:, 1] > 0
    by_class_success, by_class_total = table.success.sum(axis=2), table.total.sum(axis=2)
    _, stratum = np.unique(by_class_total > 0, axis=0, return_inverse=True)
    for code in range(int(stratum.max()) + 1):
        here = stratum.reshape(-1) == code
        copies = table.copies[here]
        dealt = rng.multivariate_hypergeometric(copies, int(table.copies[here & second].sum()), size=draws)
        for column, weights in enumerate((copies - dealt, dealt)):
            success[:, :, column] += weights @ by_class_success[here]
            total[:, :, column] += weights @ by_class_total[here]
    return success, total


def p_value(observed: float, drawn: NDArray[np.float64], *, exact: bool) -> float:
    """Two-sided: share of arrangements at least as far from 0; a drawn one counts the observed arrangement as well.

    An arrangement in which the statistic is undefined counts as extreme: it must not help to prove anything.
    """
    extreme = int(np.sum(~(np.abs(drawn) < abs(observed) - ROUNDING)))
    return extreme / len(drawn) if exact else (1 + extreme) / (1 + len(drawn))


def wilson(successes: float, n: float, level: float) -> Interval:
    """Wilson's interval of one rate."""
    z = float(norm.ppf((1 + level) / 2))
    rate = successes / n
    middle = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return Interval(max(0.0, float(middle - half)), min(1.0, float(middle + half)))
