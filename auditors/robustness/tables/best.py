"""The smallest change found so far of every row; offers that are dearer leave it as it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.states import Floats, States

if TYPE_CHECKING:
    from evenhand.auditors.robustness.tables.combine import Singles

ROUNDING = 1e-12


@dataclass
class Best:
    """Shapes (n,) and (n, blocks). Where nothing is found the cost is the budget, and just above it at first."""

    cost: Floats
    states: States

    @classmethod
    def none(cls, states: States, budget: float) -> "Best":
        """Nothing found yet: a change that costs the whole budget would still count."""
        return cls(np.full(len(states), budget + 2 * ROUNDING), states)

    def offer(self, rows: NDArray[np.intp], states: States, costs: Floats, turned: NDArray[np.bool_]) -> None:
        """Take those that turned a decision for less; of several for one row the cheapest, the first among equals."""
        better = np.flatnonzero(turned & (costs < self.cost[rows] - ROUNDING))
        better = better[np.argsort(costs[better], kind="stable")][::-1]  # the last one written is the cheapest
        self.cost[rows[better]] = costs[better]
        self.states[rows[better]] = states[better]

    def offer_singles(self, singles: "Singles") -> None:
        rows, moves = np.nonzero(singles.turned)
        self.offer(rows, singles.states(rows, moves), singles.cost[rows, moves], np.ones(len(rows), dtype=bool))
