"""Makes changes that were found smaller: ordered values are moved back by bisection, and blocks that are not needed set back."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.best import ROUNDING, Best
from evenhand.auditors.robustness.tables.combine import Singles
from evenhand.auditors.robustness.tables.states import OWN, Asker, Floats, States

Ints = NDArray[np.intp]


def refine_singles(asker: Asker, singles: Singles, costs: Sequence[Floats], best: Best) -> None:
    """For every ordered block and way, bisect between the last coarse value that does not turn and the first that does."""
    for index, block in enumerate(asker.blocks):
        if not block.ordered:
            continue
        moves = np.flatnonzero(singles.block == index)
        values = singles.value[:, moves]
        for up in (True, False):
            start = _last_not_beyond(asker, index, up=up)
            on_side = values > start[:, None] if up else values < start[:, None]
            cost = np.where(singles.turned[:, moves] & on_side, singles.cost[:, moves], np.inf)
            rows = np.flatnonzero(np.isfinite(cost).any(axis=1))
            far = values[rows, cost[rows].argmin(axis=1)]
            nearer = on_side[rows] & ~singles.turned[np.ix_(rows, moves)]
            nearer &= values[rows] < far[:, None] if up else values[rows] > far[:, None]
            tried = np.where(nearer, values[rows], start[rows, None])
            near = tried.max(axis=1) if up else tried.min(axis=1)
            states = np.full((len(rows), len(asker.blocks)), OWN, dtype=np.int32)
            states[:, index] = far
            _bisect(asker, rows, states, index, near, costs, best)


def shrink(asker: Asker, costs: Sequence[Floats], best: Best) -> None:
    """Set back or move back every block of changes of several blocks."""
    for index, block in enumerate(asker.blocks):
        several = ((best.states != OWN).sum(axis=1) > 1) & (best.states[:, index] != OWN)
        rows = np.flatnonzero(several)
        if len(rows) == 0:
            continue
        without = best.states[rows].copy()
        without[:, index] = OWN
        best.offer(rows, without, _total(costs, rows, without), asker.ask(rows, without).turned)
        rows = rows[best.states[rows, index] != OWN]
        if block.ordered and len(rows):
            states = best.states[rows].copy()
            below, above = (_last_not_beyond(asker, index, up=up)[rows] for up in (True, False))
            near = np.where(states[:, index] > below, below, above)
            _bisect(asker, rows, states, index, near, costs, best)


def _last_not_beyond(asker: Asker, index: int, *, up: bool) -> Ints:
    """Index from which a way begins, shape (n,): of the last value up to a row's own (-1: none), or of the first from it on."""
    block = asker.blocks[index]
    values, own = block.values[block.leader], asker.columns[block.leader]
    return np.searchsorted(values, own, side="right") - 1 if up else np.searchsorted(values, own, side="left")


def _bisect(
    asker: Asker, rows: Ints, states: States, index: int, near: Ints, costs: Sequence[Floats], best: Best
) -> None:
    """Between `near`, which does not turn (or is beyond the own value), and the value in `states`, which does."""
    near, far = near.astype(np.int64), states[:, index].astype(np.int64)
    while True:
        middle = (near + far) // 2  # strictly between the two while they are more than one apart
        open_still = np.abs(far - near) > 1
        nearest = states.copy()
        nearest[:, index] = np.where(open_still, near + np.sign(far - near), far)
        open_still &= _total(costs, rows, nearest) < best.cost[rows] - ROUNDING
        if not open_still.any():
            return
        rows, states, near, far, middle = (each[open_still] for each in (rows, states, near, far, middle))
        asked = states.copy()
        asked[:, index] = middle
        turned = asker.ask(rows, asked).turned
        best.offer(rows, asked, _total(costs, rows, asked), turned)
        near, far = np.where(turned, near, middle), np.where(turned, middle, far)


def _total(costs: Sequence[Floats], rows: Ints, states: States) -> Floats:
    """Cost of each state: the sum over its changed blocks."""
    total = np.zeros(len(rows))
    for index, cost in enumerate(costs):
        moved = np.flatnonzero(states[:, index] != OWN)
        total[moved] += cost[rows[moved], states[moved, index]]
    return total
