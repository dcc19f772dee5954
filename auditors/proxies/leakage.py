"""How well all features together give the attribute away: a lower bound on what a model could extract.

What the error of that prediction rules out belongs in `certificate`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.auc import FOLDS, cross_fitted_scores
from evenhand.auditors.proxies.columns import Coded
from evenhand.auditors.ranks import auc_of_scores

ITERATIONS = 60
PERMUTATIONS = 20
NULL_ROWS = 2_000
NULL_ITERATIONS = 15
NULL_LEAVES = 8

Cells = Sequence[tuple[NDArray[np.int32], int]]


@dataclass(frozen=True)
class PermutationNull:
    """What is reached where there is nothing to find.

    `auc`: on these rows, with the attribute as it is. `null_auc`: mean with the attribute permuted. `p_value`: of
    `auc` among them, itself counted, so at least 1 / (permutations + 1).
    """

    auc: float
    null_auc: float
    p_value: float
    permutations: int
    rows: int


def leakage_scores(
    columns: Sequence[Coded], cells: Cells, positive: NDArray[np.bool_], folds: NDArray[np.int8], *, seed: int
) -> NDArray[np.float64]:
    """Scores of gradient-boosted trees for a group against the rest, each row by trees that never saw it.

    Args:
        columns: features, codes of shape (n,).
        cells: codes and number of codes of sets found to be suspect together: trees miss an XOR by luck.
        positive: rows of the group, shape (n,).
        folds: a fold in [0, FOLDS) for each row.
        seed: of the trees.

    Returns:
        Log odds less those of the group's share among the training rows, shape (n,): above 0 a row is likelier of the
        group than a row drawn at random.

    Categories and cells enter as rates of the group in other folds than the row's own.
    """
    scores = np.zeros(len(positive))
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        if not outside.any() or len(np.unique(positive[inside])) < 2:
            continue
        table = np.stack(list(_inputs(columns, cells, positive, folds, fold)), axis=1)
        scores[outside] = _held_out(table, positive, inside, outside, iterations=ITERATIONS, leaves=31, seed=seed)
    return scores


def permutation_null(
    columns: Sequence[Coded],
    cells: Cells,
    positive: NDArray[np.bool_],
    folds: NDArray[np.int8],
    *,
    permutations: int = PERMUTATIONS,
    rng: np.random.Generator,
) -> PermutationNull | None:
    """The area of small trees on held-out rows, with the attribute as it is and permuted; at most 2,000 rows.

    Args:
        columns, cells, positive, folds: as for `leakage_scores`; trees grow on three folds and score two.
        permutations: how often the attribute is permuted and the trees are grown anew.

    Returns:
        None where a part has one group only.

    Source: Ojala and Garriga (2010), Journal of Machine Learning Research 11, test 1.
    """
    rows = np.arange(len(positive))[:NULL_ROWS]
    parts = np.where(folds[rows] < 2, 0, folds[rows] - 1).astype(np.int8)
    inside, outside = parts > 0, parts == 0
    own = positive[rows]
    if any(len(np.unique(own[part])) < 2 for part in (inside, outside)):
        return None
    taken, taken_cells = [column.take(rows) for column in columns], [(codes[rows], size) for codes, size in cells]
    seed = int(rng.integers(2**31 - 1))

    def area(labels: NDArray[np.bool_]) -> float:
        if any(len(np.unique(labels[part])) < 2 for part in (inside, outside)):
            return 0.5
        table = np.stack(list(_inputs(taken, taken_cells, labels, parts, 0)), axis=1)
        scores = _held_out(table, labels, inside, outside, iterations=NULL_ITERATIONS, leaves=NULL_LEAVES, seed=seed)
        return auc_of_scores(scores, labels[outside]).area

    observed = area(own)
    null = [area(rng.permutation(own)) for _ in range(permutations)]
    return _null(observed, null, len(rows))


def score_null(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    *,
    permutations: int = PERMUTATIONS,
    rng: np.random.Generator,
) -> PermutationNull | None:
    """The same for one score, which is not fitted: how far its area lies from .5, whichever way round."""
    rows = np.arange(len(positive))[:NULL_ROWS]
    own = positive[rows]
    if len(np.unique(own)) < 2:
        return None
    observed = auc_of_scores(scores[rows], own).strength
    null = [auc_of_scores(scores[rows], rng.permutation(own)).strength for _ in range(permutations)]
    return _null(observed, null, len(rows))


def _null(observed: float, null: Sequence[float], rows: int) -> PermutationNull:
    beyond = sum(value >= observed for value in null)
    return PermutationNull(observed, float(np.mean(null)), (1 + beyond) / (1 + len(null)), len(null), rows)


def _held_out(
    table: NDArray[np.float32],
    positive: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    outside: NDArray[np.bool_],
    *,
    iterations: int,
    leaves: int,
    seed: int,
) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    trees: Any = HistGradientBoostingClassifier(
        max_iter=iterations, max_leaf_nodes=leaves, early_stopping=False, random_state=seed
    )
    trees.fit(table[inside], positive[inside])
    share = positive[inside].mean()
    scores: NDArray[np.float64] = trees.decision_function(table[outside]) - np.log(share / (1 - share))
    return scores


def _inputs(
    columns: Sequence[Coded],
    cells: Cells,
    positive: NDArray[np.bool_],
    folds: NDArray[np.int8],
    held_out: int,
) -> Iterator[NDArray[np.float32]]:
    for column in columns:
        if column.ordered:
            numbers = column.codes.astype(np.float32)
            if column.missing is not None:
                numbers[column.missing] = np.nan
            yield numbers
        else:
            yield _rates(column.codes, column.levels, positive, folds, held_out)
        for part in column.calendar:
            yield _rates(part.codes, part.levels, positive, folds, held_out)
    for codes, levels in cells:
        yield _rates(codes, levels, positive, folds, held_out)


def _rates(
    codes: NDArray[np.int32], levels: int, positive: NDArray[np.bool_], folds: NDArray[np.int8], held_out: int
) -> NDArray[np.float32]:
    """The group's rate by level, from neither the held-out fold nor, for the other rows, their own."""
    joint = codes.astype(np.int64) * FOLDS + folds
    totals = np.bincount(joint, minlength=levels * FOLDS).reshape(levels, FOLDS)
    positives = np.bincount(joint[positive], minlength=levels * FOLDS).reshape(levels, FOLDS)
    known_totals, known_positives = totals.copy(), positives.copy()
    known_totals[:, held_out] = known_positives[:, held_out] = 0
    return cross_fitted_scores(known_positives, known_totals)[codes, folds].astype(np.float32)
