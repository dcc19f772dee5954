"""The search for the smallest feasible change that turns a decision. It asks for decisions only, so any classifier will do.

Single changes come first, then pairs, then sets of changes built step by step with random restarts; what is found is shrunk.
Every row is searched on its own: the result does not depend on order, batches or the other rows. What is found is an upper
bound of the smallest change. Methods in the same spirit: Wachter, Mittelstadt and Russell (2018), Counterfactual
explanations without opening the black box; Ustun, Spangher and Liu (2019), Actionable recourse.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.noise import normal, sample_keys
from evenhand.auditors.robustness.tables.best import Best
from evenhand.auditors.robustness.tables.combine import Singles, pairs, walk
from evenhand.auditors.robustness.tables.data import Columns, Decide
from evenhand.auditors.robustness.tables.feasible import Block
from evenhand.auditors.robustness.tables.shrink import refine_singles, shrink
from evenhand.auditors.robustness.tables.states import OWN, Asker, Floats, States

ROWS_A_BATCH = 2_000
RESTARTS = 4
NOISE = 0.5
"""Standard deviation of the log of what random restarts multiply gains by."""


@dataclass(frozen=True)
class Found:
    """Shape (n,) each, and states of shape (n, blocks).

    Attributes:
        cost: of the smallest change found; infinite where none was found within the budget.
        states: which value each block has in it.
        queries: how often the classifier was asked about the row.
    """

    cost: Floats
    states: States
    queries: NDArray[np.int64]


def search(
    columns: Columns,
    ids: NDArray[np.int64],
    blocks: tuple[Block, ...],
    *,
    wanted: NDArray[np.bool_],
    decide: Decide,
    budget: float,
    seed: int,
) -> Found:
    """The smallest feasible change that was found of each row.

    Args:
        columns: features of n rows whose decisions are not the wanted ones.
        ids: stable row ids, shape (n,); with the seed they fix the random restarts.
        blocks: what can change.
        wanted: whether the favourable decision is wanted, shape (n,).
        budget: largest cost.

    Raises:
        UndefinedScores: the classifier answers with what is not finite.
    """
    parts = [
        _search_batch(
            {name: values[start : start + ROWS_A_BATCH] for name, values in columns.items()},
            ids[start : start + ROWS_A_BATCH],
            blocks,
            wanted[start : start + ROWS_A_BATCH],
            decide,
            budget,
            seed,
        )
        for start in range(0, len(ids), ROWS_A_BATCH)
    ]
    return Found(
        np.concatenate([part.cost for part in parts]) if parts else np.zeros(0),
        np.concatenate([part.states for part in parts]) if parts else np.zeros((0, len(blocks)), dtype=np.int32),
        np.concatenate([part.queries for part in parts]) if parts else np.zeros(0, dtype=np.int64),
    )


def _search_batch(
    columns: Columns,
    ids: NDArray[np.int64],
    blocks: tuple[Block, ...],
    wanted: NDArray[np.bool_],
    decide: Decide,
    budget: float,
    seed: int,
) -> Found:
    asker = Asker(columns, blocks, wanted, decide)
    best = Best.none(asker.own(), budget)
    if blocks:
        costs = [block.costs(columns[block.leader]) for block in blocks]
        singles = Singles.asked(asker, costs, budget)
        best.offer_singles(singles)
        refine_singles(asker, singles, costs, best)
        pairs(asker, singles, best)
        for restart in range(RESTARTS):
            draws = normal(sample_keys(seed, ids, "recourse", restart), singles.moves).astype(np.float64)
            walk(asker, singles, best, noise=np.exp(NOISE * draws * (restart > 0)))
        shrink(asker, costs, best)
    cost = np.where((best.states != OWN).any(axis=1), best.cost, np.inf)
    return Found(cost, best.states, asker.queries)
