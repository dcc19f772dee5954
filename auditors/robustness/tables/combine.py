"""Changes of one block, asked one by one, and of several blocks at once, chosen as if the effects of the single ones added up."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.best import ROUNDING, Best
from evenhand.auditors.robustness.tables.states import OWN, Asker, Floats, States

PROMISING = 14
"""Single changes of a row that pairs are made of."""
OF_ONE_BLOCK = 3
NO_GAIN = 1e-9
PAIRS = 10
STEPS = 5
"""Most blocks that one walk changes."""


@dataclass(frozen=True, eq=False)
class Singles:
    """Changes of one block, for n rows and m moves: every coarse value, and the furthest within the budget either way.

    Attributes:
        block: of each move, shape (m,).
        value: that it sets the block to, shape (n, m).
        cost: shape (n, m); infinite where the move is not feasible or beyond the budget.
        gain: how far the move advances towards the wanted decision, shape (n, m).
        turned: whether it alone turns the decision, shape (n, m).
        needed: advance that is missing to the wanted decision, shape (n,).
    """

    block: NDArray[np.intp]
    value: NDArray[np.int32]
    cost: Floats
    gain: Floats
    turned: NDArray[np.bool_]
    needed: Floats
    blocks: int

    @property
    def moves(self) -> int:
        return len(self.block)

    @classmethod
    def asked(cls, asker: Asker, costs: Sequence[Floats], budget: float) -> "Singles":
        """Ask about every coarse move within the budget, and about the rows as they are."""
        values = [_values(asker, index, of, budget) for index, of in enumerate(costs)]
        block = np.repeat(np.arange(len(values)), [each.shape[1] for each in values])
        value = np.concatenate(values, axis=1).astype(np.int32)
        cost = np.concatenate(
            [np.take_along_axis(of, which.clip(0), axis=1) for of, which in zip(costs, values, strict=True)], axis=1
        )
        cost = np.where((value != OWN) & (cost <= budget + ROUNDING), cost, np.inf)
        everyone = np.arange(len(cost))
        start = asker.ask(everyone, asker.own()).advance
        gain, turned = np.full(cost.shape, -np.inf), np.zeros(cost.shape, dtype=bool)
        rows, moves = np.nonzero(np.isfinite(cost))
        states = np.full((len(rows), len(values)), OWN, dtype=np.int32)
        states[np.arange(len(rows)), block[moves]] = value[rows, moves]
        answers = asker.ask(rows, states)
        gain[rows, moves] = answers.advance - start[rows]
        turned[rows, moves] = answers.turned
        return cls(block, value, cost, gain, turned, -start, len(values))

    def states(self, rows: NDArray[np.intp], *moves: NDArray[np.intp]) -> States:
        """States of these rows after these moves; a negative move is none."""
        states = np.full((len(rows), self.blocks), OWN, dtype=np.int32)
        for each in moves:
            made = np.flatnonzero(each >= 0)
            states[made, self.block[each[made]]] = self.value[rows[made], each[made]]
        return states

    @cached_property
    def worth(self) -> Floats:
        """Gain for the cost, shape (n, m); minus infinity where something is lost.

        A move without effect is worth next to nothing, and not nothing: on the steps of a tree it may have one with another.
        """
        useful = np.isfinite(self.cost) & (self.gain >= 0)
        worth = np.full(self.cost.shape, -np.inf)
        np.divide(np.maximum(self.gain, NO_GAIN), np.maximum(self.cost, 1e-6), out=worth, where=useful)
        return worth


def _values(asker: Asker, index: int, cost: Floats, budget: float) -> NDArray[np.intp]:
    """Values of one block that are tried alone, shape (n, moves); OWN in place of one that is there already."""
    block = asker.blocks[index]
    coarse = np.tile(block.coarse, (len(cost), 1))
    if not block.ordered:
        return coarse
    own = asker.columns[block.leader][:, None]
    within = cost <= budget + ROUNDING
    up, down = within & (block.values[block.leader] > own), within & (block.values[block.leader] < own)
    last = cost.shape[1] - 1 - up[:, ::-1].argmax(axis=1)
    furthest = np.stack([last, down.argmax(axis=1)], axis=1)
    return np.concatenate([coarse, np.where(np.isin(furthest, block.coarse), OWN, furthest)], axis=1)


def pairs(asker: Asker, singles: Singles, best: Best) -> None:
    """Ask about the pairs of moves that should turn the decision for least, or if none should, come nearest to it."""
    few = _promising(singles)
    first, second = np.triu_indices(few.shape[1], k=1)
    everyone = np.arange(len(few))[:, None]
    one, two = few[:, first], few[:, second]
    possible = (one >= 0) & (two >= 0) & (singles.block[one] != singles.block[two])
    cost = np.where(possible, singles.cost[everyone, one] + singles.cost[everyone, two], np.inf)
    gain = np.where(possible, singles.gain[everyone, one] + singles.gain[everyone, two], -np.inf)
    possible &= cost < best.cost[:, None] - ROUNDING
    short = np.maximum(singles.needed[:, None] - gain, 0.0)
    order = np.lexsort((cost, np.where(possible, short, np.inf)), axis=-1)[:, :PAIRS]
    rows, places = np.nonzero(np.take_along_axis(possible, order, axis=1))
    chosen = order[rows, places]
    states = singles.states(rows, one[rows, chosen], two[rows, chosen])
    best.offer(rows, states, cost[rows, chosen], asker.ask(rows, states).turned)


def _promising(singles: Singles) -> NDArray[np.intp]:
    """The moves of most worth, at most so many of one block, shape (n, at most PROMISING); -1 fills up."""
    kept = np.full(singles.worth.shape, -np.inf)
    for block in range(singles.blocks):
        own = np.flatnonzero(singles.block == block)
        top = own[np.argsort(-singles.worth[:, own], axis=1, kind="stable")[:, :OF_ONE_BLOCK]]
        np.put_along_axis(kept, top, np.take_along_axis(singles.worth, top, axis=1), axis=1)
    order = np.argsort(-kept, axis=1, kind="stable")[:, :PROMISING]
    return np.where(np.isfinite(np.take_along_axis(kept, order, axis=1)), order, -1)


def walk(asker: Asker, singles: Singles, best: Best, *, noise: Floats) -> None:
    """Change one block after the other, each time by the move of most worth times noise, until the decision turns.

    A walk ends where it would cost as much as what is found.
    """
    worth = singles.worth * noise
    rows = np.arange(len(worth))
    states, spent = asker.own(), np.zeros(len(worth))
    for step in range(STEPS):
        cost = spent[:, None] + singles.cost[rows]
        used = states[:, singles.block] != OWN
        allowed = np.where(used | (cost >= best.cost[rows, None] - ROUNDING), -np.inf, worth[rows])
        move = allowed.argmax(axis=1)
        going = np.isfinite(allowed[np.arange(len(rows)), move])
        rows, states, spent, move = rows[going], states[going], spent[going], move[going]
        if len(rows) == 0:
            return
        spent = spent + singles.cost[rows, move]
        states = states.copy()
        states[np.arange(len(rows)), singles.block[move]] = singles.value[rows, move]
        turned = singles.turned[rows, move] if step == 0 else asker.ask(rows, states).turned
        best.offer(rows, states, spent, turned)
        rows, states, spent = rows[~turned], states[~turned], spent[~turned]
