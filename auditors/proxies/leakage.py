"""How well all features together give the attribute away: a lower bound on what a model could extract."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.auc import FOLDS, cross_fitted_scores
from evenhand.auditors.proxies.columns import Coded
from evenhand.auditors.ranks import Auc, auc_of_scores

ITERATIONS = 60


def leakage_auc(
    columns: Sequence[Coded],
    cells: Sequence[tuple[NDArray[np.int32], int]],
    positive: NDArray[np.bool_],
    folds: NDArray[np.int8],
    *,
    seed: int,
) -> Auc:
    """AUC of gradient-boosted trees for a group against the rest, each row scored by trees that never saw it.

    Args:
        columns: features, codes of shape (n,).
        cells: codes and number of codes of sets found to be suspect together: trees miss an XOR by luck.
        positive: rows of the group, shape (n,).
        folds: a fold in [0, FOLDS) for each row.
        seed: of the trees.

    Categories and cells enter as rates of the group in other folds than the row's own.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    scores = np.zeros(len(positive))
    for fold in range(FOLDS):
        inside, outside = folds != fold, folds == fold
        if not outside.any() or len(np.unique(positive[inside])) < 2:
            continue
        table = np.stack(list(_inputs(columns, cells, positive, folds, fold)), axis=1)
        trees: Any = HistGradientBoostingClassifier(max_iter=ITERATIONS, early_stopping=False, random_state=seed)
        trees.fit(table[inside], positive[inside])
        scores[outside] = trees.decision_function(table[outside])
    return auc_of_scores(scores, positive)


def _inputs(
    columns: Sequence[Coded],
    cells: Sequence[tuple[NDArray[np.int32], int]],
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
