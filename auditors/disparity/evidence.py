"""How much each group's counts weigh: effective trials of a rate, and standard errors of what is no rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.clusters import Design
from evenhand.auditors.counts import GroupCounts
from evenhand.auditors.metrics import Metric
from evenhand.auditors.policy import SMALL_GROUP_ROWS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """The counts of k groups, and the units behind their rows where rows repeat persons."""

    counts: GroupCounts
    design: Design | None = None

    @property
    def independent(self) -> NDArray[np.int64]:
        """Rows of each group, or units where rows repeat them, shape (k,)."""
        return self.counts.rows if self.design is None else self.design.units

    @property
    def small(self) -> NDArray[np.bool_]:
        """Groups from which nothing is concluded, shape (k,)."""
        return self.independent < SMALL_GROUP_ROWS

    @property
    def noun(self) -> str:
        return "rows" if self.design is None else "units"

    def trials(self, metric: Metric, *, z: float) -> tuple[Floats, Floats]:
        """Effective numerator and denominator of a rate, each of shape (k,), for intervals with this normal quantile."""
        x, n = metric.fraction(self.counts.effective)
        if self.design is None:
            return x, n
        fraction = self.design.fraction(metric, z=z)
        return x * fraction, n * fraction

    def error(self, metric: Metric, *, z: float) -> Floats:
        """Standard error of a metric that is no rate, shape (k,)."""
        error = standard_error(self.counts.effective, metric)
        return error if self.design is None else error / np.sqrt(self.design.fraction(metric, z=z))

    def between(self, metric: Metric, first: NDArray[np.intp], second: NDArray[np.intp]) -> Floats:
        """Further factor on the trials of each pair, shape (pairs,); 1 unless units of both groups move apart."""
        return np.ones(len(first)) if self.design is None else self.design.pair_fraction(metric, first, second)


def standard_error(cells: Floats, metric: Metric) -> Floats:
    """Standard error of a metric without closed form, by the delta method on the cells' proportions.

    Half a row is added to each cell for the spread alone, so that an empty cell does not claim certainty.
    """
    smoothed = cells.reshape(len(cells), 4) + 0.5
    total = smoothed.sum(axis=1, keepdims=True)
    share = smoothed / total
    gradient = np.empty_like(share)
    step = 1e-6
    for cell in range(4):
        up, down = share.copy(), share.copy()
        up[:, cell] += step
        down[:, cell] -= step
        gradient[:, cell] = (metric.value(up.reshape(-1, 2, 2)) - metric.value(down.reshape(-1, 2, 2))) / (2 * step)
    mean = (share * gradient).sum(axis=1)
    variance = ((share * gradient**2).sum(axis=1) - mean**2) / np.maximum(cells.reshape(len(cells), 4).sum(axis=1), 1)
    error: Floats = np.sqrt(np.maximum(variance, 0.0))
    return error
