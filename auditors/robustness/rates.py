"""Accuracy by group with intervals over units: the rows and curves of the report."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.report import AccuracyCurve, Estimate, RobustnessGroup
from evenhand.auditors.robustness.clusters import Interval, Spread, generator, resampled, unit_table, wilson
from evenhand.auditors.robustness.data import ImageData, Level, levels_of, units_of
from evenhand.auditors.robustness.distances import median_distance

Rows = NDArray[np.bool_]


def rate(success: NDArray[np.bool_], unit: NDArray[np.int64], *, level: float, seed: int) -> Estimate:
    """Share of successes with a cluster bootstrap over units.

    Where all rows or none succeed the bootstrap sees no variation; Wilson's interval on the number of units stands in.
    Undefined without rows.
    """
    n = len(success)
    if n == 0:
        return Estimate(estimate=None, reason="no pictures")
    estimate = float(success.mean())
    interval = _rate_interval(success, unit, estimate, level=level, seed=seed)
    return Estimate(estimate=estimate, low=max(0.0, interval.low), high=min(1.0, interval.high))


def _rate_interval(
    success: NDArray[np.bool_], unit: NDArray[np.int64], estimate: float, *, level: float, seed: int
) -> Interval:
    zeros = np.zeros(len(success), dtype=np.int64)
    table = unit_table(success, unit=unit, label=zeros, group=zeros, classes=1, groups=1)
    if estimate in (0.0, 1.0) or table.units < 2:
        return wilson(estimate * table.units, table.units, level)
    successes, totals = resampled(table, generator(seed, "rate"))
    return Spread(estimate=estimate, draws=(successes / totals).reshape(-1), units=table.units).interval(level)


def group_rows(
    data: ImageData,
    attribute: str,
    *,
    clean: Rows,
    robust: Rows,
    sizes: NDArray[np.float64] | None,
    level: float,
    seed: int,
) -> list[RobustnessGroup]:
    """Each group, then each class of each group; empty and unknown groups are listed too.

    `clean` has shape (n,), `robust` (draws, n): one row an attack run or a draw of noise; `sizes` (n,) or None.
    """
    codes, _ = data.attributes[attribute]
    unit = units_of(data)

    def row(group: Level, label: int | None) -> RobustnessGroup:
        chosen = codes == group.code
        if label is not None:
            chosen = chosen & (data.label == label)
        return RobustnessGroup(
            group={attribute: group.text},
            n=int(chosen.sum()),
            units=len(np.unique(unit[chosen])),
            label=None if label is None else data.classes[label],
            clean_accuracy=rate(clean[chosen], unit[chosen], level=level, seed=seed),
            robust_accuracy=rate(
                robust[:, chosen].reshape(-1), np.tile(unit[chosen], len(robust)), level=level, seed=seed
            ),
            median_distance=None if sizes is None else median_distance(sizes[chosen]),
        )

    levels = levels_of(data, attribute)
    return [row(group, None) for group in levels] + [
        row(group, label) for label in range(len(data.classes)) for group in levels
    ]


def curves(
    data: ImageData, attribute: str, smallest: NDArray[np.float64], *, eps: Sequence[float], level: float, seed: int
) -> list[AccuracyCurve]:
    """Robust accuracy of each group that has pictures against eps, from eps 0 on."""
    codes, _ = data.attributes[attribute]
    unit = units_of(data)
    result = []
    for group in levels_of(data, attribute):
        chosen = codes == group.code
        points = [rate(smallest[chosen] > size, unit[chosen], level=level, seed=seed) for size in (0.0, *eps)]
        if group.n:
            result.append(
                AccuracyCurve(
                    group={attribute: group.text},
                    eps=[0.0, *eps],
                    accuracy=[point.estimate or 0.0 for point in points],
                    low=[point.low or 0.0 for point in points],
                    high=[1.0 if point.high is None else point.high for point in points],
                )
            )
    return result
