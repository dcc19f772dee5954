"""Small tables and classifiers whose smallest changes are known, and brute force over every feasible change."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.tables.data import Columns, Decide, Decisions, RowData
from evenhand.auditors.robustness.tables.feasible import Block
from evenhand.auditors.robustness.tables.states import OWN, Asker


def rows(n: int, *, numbers: int = 3, categories: int = 0, levels: int = 6, seed: int = 0) -> RowData:
    """Whole numbers x0, x1, ... below `levels` and categories c0, c1, ...; groups A and B take turns."""
    rng = np.random.default_rng(seed)
    columns: dict[str, NDArray] = {f"x{i}": rng.integers(0, levels, n).astype(np.float64) for i in range(numbers)}
    columns |= {f"c{i}": rng.choice(np.array(["a", "b", "c"], dtype=object), n) for i in range(categories)}
    return RowData(columns, {"sex": ((np.arange(n) % 2).astype(np.int32), ("A", "B"))}, np.arange(n, dtype=np.int64))


def linear(weights: dict[str, float], threshold: float) -> Decide:
    """Favourable where the weighted sum reaches the threshold; a category is worth the place of its letter."""

    def decide(columns: Columns) -> Decisions:
        total = sum(weight * _numbers(columns[name]) for name, weight in weights.items()) - threshold
        margin = np.asarray(total, dtype=np.float64)
        return Decisions(margin >= 0, margin)

    return decide


def tree_like(threshold: float = 0.5) -> Decide:
    """A step function with interactions: what one change does depends on the others, and most do nothing."""

    def decide(columns: Columns) -> Decisions:
        x0, x1, x2 = (_numbers(columns[name]) for name in ("x0", "x1", "x2"))
        score = 0.2 * (x0 > 2) + 0.3 * ((x1 > 3) & (x0 > 1)) + 0.3 * ((x2 < 2) ^ (x1 > 4)) + 0.1 * (x2 > 4)
        return Decisions(score >= threshold, score - threshold)

    return decide


def _numbers(column: NDArray) -> NDArray[np.float64]:
    if column.dtype.kind == "f":
        return column
    return np.array(["abcdefgh".index(value) for value in column], dtype=np.float64)


def brute_force(
    data: RowData, blocks: tuple[Block, ...], decide: Decide, wanted: NDArray[np.bool_], budget: float
) -> NDArray[np.float64]:
    """The smallest cost of every row over all combinations of values; infinite beyond the budget."""
    asker = Asker(data.columns, blocks, wanted, decide)
    costs = [
        np.concatenate([np.zeros((len(data), 1)), block.costs(data.columns[block.leader])], axis=1) for block in blocks
    ]
    best = np.full(len(data), np.inf)
    everyone = np.arange(len(data))
    for choice in product(*(range(OWN, len(block.positions)) for block in blocks)):
        cost = sum((of[:, value + 1] for of, value in zip(costs, choice, strict=True)), np.zeros(len(data)))
        states = np.tile(np.array(choice, dtype=np.int32), (len(data), 1))
        turned = asker.ask(everyone, states).turned & (cost <= budget + 1e-12)
        best = np.where(turned, np.minimum(best, cost), best)
    return best
