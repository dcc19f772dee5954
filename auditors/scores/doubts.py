"""How far scores that were counted in bins can lead astray: certified bounds by group, 0 where every bin holds one score."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.scores.areas import Areas
from evenhand.auditors.scores.grouped import GroupedScores

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Doubts:
    """The most by which what is read off bins can differ from what the rows' own scores would say; arrays of shape (k,).

    Attributes:
        mean: of a mean score, and so of calibration; and of an area between two distribution functions, for both groups.
        area: under the group's own curve. A curve leaves its chord over a bin by half the bin's box at most, so that this
            also bounds the group's part in the area between two curves.
        step: of the group's distribution function: its largest share in one bin of several scores.
    """

    mean: Floats
    area: Floats
    step: Floats


def doubts(grouped: GroupedScores, areas: Areas | None) -> Doubts:
    """The bounds of every group."""
    k, rows = len(grouped.groups), grouped.rows
    area = np.zeros(k) if areas is None else np.nan_to_num(np.diag(areas.bound))
    step = np.zeros(k)
    if grouped.reach is not None:
        steps = len(grouped.values)
        group = np.repeat(np.arange(k), rows.entries)
        mass = np.bincount(group * steps + rows.step, rows.weight, k * steps).reshape(k, steps)
        mass[:, grouped.reach == 0] = 0.0
        step = mass.max(axis=1, initial=0.0) / np.where(rows.total > 0, rows.total, 1.0)
    return Doubts(grouped.mean_reach, area, step)
