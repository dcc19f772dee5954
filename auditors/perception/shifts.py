"""How far the classifier's scores of real pictures move between the groups of one class: what a dream enlarges.

A dream climbs for eighty steps, and adds up what hardly moves a real score. So a leaning proves nothing where the scores
of the pictures themselves do not move the same way (docs/decisions/0012).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.clusters import UnitTable, generator, p_value, regrouped
from evenhand.auditors.robustness.gaps import TEST_LEVEL, weighted_difference
from evenhand.auditors.verdict import Verdict, effect_and_test

LEAST_SHIFT = 0.25
"""Standard deviations of the margin on real pictures."""
PERMUTATIONS = 999


@dataclass(frozen=True)
class Shift:
    """Mean over classes of the margin among the second group less that among the first, in its standard deviations."""

    estimate: float
    p_value: float

    def backs(self, lean: float) -> bool:
        """Whether a leaning goes the way that real scores are shown to go."""
        shown = effect_and_test(estimate=self.estimate, tolerance=LEAST_SHIFT, p_value=self.p_value, level=TEST_LEVEL)
        return shown is Verdict.PROVEN_DISPARITY and bool(np.sign(lean) == np.sign(self.estimate))


def shift_of(
    margin: NDArray[np.float64],
    *,
    second: NDArray[np.bool_],
    label: NDArray[np.int64],
    unit: NDArray[np.int64],
    seed: int,
    name: str,
) -> Shift:
    """Tested by swapping the groups within units that hold both, else by dealing units anew within their classes.

    Args:
        margin: of a class over the best other, over its standard deviation; shape (m,), as are the following.
        second: whether a picture shows the second group.
        label: class of each picture; every class has pictures of both groups.
        unit: the independent thing each picture shows.
        seed: of the permutations.
        name: what is compared; with the seed it fixes the draws.
    """
    table = _sums(margin, second.astype(np.int64), label, unit)
    classes = table.total.shape[1]
    # the statistic is first minus second, the shift is second minus first
    statistic = weighted_difference([-1 / classes] * classes)
    observed = float(statistic(*table.sums())[0])
    sums, totals, exact = regrouped(table, generator(seed, "shift", name), draws=PERMUTATIONS)
    return Shift(observed, p_value(observed, statistic(sums, totals), exact=exact))


def _sums(
    margin: NDArray[np.float64], group: NDArray[np.int64], label: NDArray[np.int64], unit: NDArray[np.int64]
) -> UnitTable:
    """Sums of margins and numbers of pictures by unit, class and group."""
    _, place = np.unique(unit, return_inverse=True)
    codes, own = np.unique(label, return_inverse=True)
    units, cells = int(place.max()) + 1, len(codes) * 2
    index = place.reshape(-1) * cells + own.reshape(-1) * 2 + group
    shape = (units, len(codes), 2)
    return UnitTable(
        success=np.bincount(index, weights=margin, minlength=units * cells).reshape(shape).astype(np.float64),
        total=np.bincount(index, minlength=units * cells).reshape(shape).astype(np.float64),
        copies=np.ones(units, dtype=np.int64),
    )
