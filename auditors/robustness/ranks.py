"""Whose pictures need the larger change: distances compared between the groups of one class. Ranks alone, no verdict."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, t

from evenhand.auditors.report import DistanceRank, Estimate
from evenhand.auditors.robustness.data import ImageData, levels_of, units_of

FEWEST_UNITS = 3
"""Under this many units there is no interval."""


def distance_ranks(
    data: ImageData, attribute: str, sizes: NDArray[np.float64], *, level: float
) -> Iterator[DistanceRank]:
    """Each class and pair of known groups that have pictures of it.

    Distances are upper bounds, and how far they overstate is the same for both groups only roughly: read the order.

    Args:
        sizes: distance of each picture, shape (n,); infinity where none was found, which is larger than any.
    """
    codes, _ = data.attributes[attribute]
    unit = units_of(data)
    known = [level_ for level_ in levels_of(data, attribute) if level_.comparable]
    for label, text in enumerate(data.classes):
        for one, other in combinations(known, 2):
            first, second = ((data.label == label) & (codes == group.code) for group in (one, other))
            if first.any() and second.any():
                yield DistanceRank(
                    attribute=attribute,
                    label=text,
                    group={attribute: one.text},
                    reference={attribute: other.text},
                    auc=area(sizes[first], sizes[second], unit[first], unit[second], level=level),
                )


def area(
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    first_unit: NDArray[np.int64],
    second_unit: NDArray[np.int64],
    *,
    level: float,
) -> Estimate:
    """Probability that a picture of the first group lies farther than one of the second, ties counting one half.

    The interval treats pictures of a unit as one, and is undefined under three units or where no unit differs.

    Source: Obuchowski (1997), Biometrics 53: structural components summed by cluster.
    """
    ranks = rankdata(np.concatenate([first, second]))
    n, m = len(first), len(second)
    beats = (ranks[:n] - rankdata(first)) / m
    beaten = 1 - (ranks[n:] - rankdata(second)) / n
    estimate = float(beats.mean())
    units, of_row = np.unique(np.concatenate([first_unit, second_unit]), return_inverse=True)
    parts = np.concatenate([(beats - estimate) / n, (beaten - estimate) / m])
    by_unit = np.bincount(of_row.reshape(-1), weights=parts)
    count = len(units)
    error = float(np.sqrt(np.sum(by_unit**2) * count / max(count - 1, 1)))
    if count < FEWEST_UNITS or error == 0:
        return Estimate(estimate=estimate)
    half = float(t.ppf((1 + level) / 2, count - 1)) * error
    return Estimate(estimate=estimate, low=max(0.0, estimate - half), high=min(1.0, estimate + half))
