"""Rows with some of their blocks set to other values, as columns that a classifier takes, and what it answers to them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.data import Columns, Decide
from evenhand.auditors.robustness.tables.feasible import Block

Floats = NDArray[np.float64]
States = NDArray[np.int32]
"""Shape (m, blocks): which value each block is set to, OWN where it stays."""
OWN = -1
ROWS_A_CALL = 20_000


@dataclass(frozen=True)
class Answers:
    """Shape (m,) each: margin in the wanted direction, and whether the decision is the wanted one."""

    advance: Floats
    turned: NDArray[np.bool_]


class Asker:
    """Asks about changed rows, in batches, and counts the questions.

    Args:
        columns: features of the n rows as they are.
        blocks: what can change.
        wanted: whether the favourable decision is wanted (recourse) or the other (fragility), shape (n,).
    """

    def __init__(self, columns: Columns, blocks: tuple[Block, ...], wanted: NDArray[np.bool_], decide: Decide) -> None:
        self.columns, self.blocks, self.wanted, self._decide = columns, blocks, wanted, decide
        self.queries = np.zeros(len(wanted), dtype=np.int64)

    def own(self) -> States:
        """No change anywhere."""
        return np.full((len(self.wanted), len(self.blocks)), OWN, dtype=np.int32)

    def ask(self, rows: NDArray[np.intp], states: States) -> Answers:
        """Decisions on these rows (indices below n, shape (m,)) in these states."""
        advance, turned = np.empty(len(rows)), np.empty(len(rows), dtype=bool)
        for start in range(0, len(rows), ROWS_A_CALL):
            part = slice(start, start + ROWS_A_CALL)
            wanted = self.wanted[rows[part]]
            decisions = self._decide(self.changed(rows[part], states[part]))
            advance[part] = np.where(wanted, decisions.margin, -decisions.margin)
            turned[part] = decisions.favourable == wanted
        np.add.at(self.queries, rows, 1)
        return Answers(advance, turned)

    def changed(self, rows: NDArray[np.intp], states: States) -> Columns:
        """The columns of these rows in these states."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        for index, block in enumerate(self.blocks):
            set_to = states[:, index]
            moved = set_to != OWN
            for member in block.members:
                columns[member][moved] = block.values[member][set_to[moved]]
        return columns
