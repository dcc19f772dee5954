"""How many rows, repeats and orderings each step gets: from counts alone, never a clock, so same data, same plan."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPLIT_FROM = 2_000
"""Rows from which candidates are searched for on one half and estimated on the other."""

REPEATS = 10


@dataclass(frozen=True)
class Budget:
    """Limits on work. The default ones answer 1,000,000 rows x 50 features in about a minute with a fast model."""

    rows: int = 200_000
    use_rows: int = 20_000
    use_model_rows: int = 2_000_000
    contribution_rows: int = 50_000
    contribution_model_rows: int = 8_000_000
    leakage_rows: int = 100_000
    leakage_values: int = 5_000_000
    joint_features: int = 200


THOROUGH = Budget(
    rows=1_000_000,
    use_rows=100_000,
    use_model_rows=20_000_000,
    contribution_rows=250_000,
    contribution_model_rows=80_000_000,
    leakage_rows=400_000,
    leakage_values=50_000_000,
    joint_features=400,
)


@dataclass(frozen=True)
class Halves:
    """Positions in the sample for searching and for estimating, in random order; the same ones where there are few."""

    search: NDArray[np.int64]
    estimate: NDArray[np.int64]
    apart: bool


def halves(rows: int, rng: np.random.Generator) -> Halves:
    """A random half each, or all rows for both below 2,000."""
    order = rng.permutation(rows)
    if rows < SPLIT_FROM:
        return Halves(order, order, apart=False)
    return Halves(order[: rows // 2], order[rows // 2 :], apart=True)


def use_rows(available: int, blocks: int, budget: Budget) -> int:
    """Rows whose blocks are permuted one by one, REPEATS times."""
    return _rows(available, budget.use_rows, budget.use_model_rows // (REPEATS * max(1, blocks)), least=1_000)


def contribution_size(available: int, blocks: int, budget: Budget) -> tuple[int, int]:
    """Rows, and antithetic pairs of orderings. Rows matter, orderings hardly: five pairs become three first."""
    wanted = min(available, budget.contribution_rows)
    pairs = min(5, max(3, budget.contribution_model_rows // (2 * max(1, wanted * blocks))))
    return _rows(
        available, budget.contribution_rows, budget.contribution_model_rows // (2 * pairs * max(1, blocks))
    ), pairs


def leakage_rows(available: int, features: int, attributes: int, budget: Budget) -> int:
    """Rows on which trees are grown for each attribute."""
    return _rows(available, budget.leakage_rows, budget.leakage_values // max(1, features * attributes))


def _rows(available: int, most: int, affordable: int, *, least: int = 2_000) -> int:
    return min(available, most, max(least, affordable))
