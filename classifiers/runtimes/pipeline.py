"""A fitted scikit-learn classifier at work on columns. Loading one from a file is in skops_file.py, and is confined."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, chosen, row_count, text_of
from evenhand.classifiers.errors import WrongInput
from evenhand.classifiers.models import TableModel, no_scores


class Pipeline(TableModel):
    """A scikit-learn classifier that takes a frame of the raw columns.

    Args:
        estimator: fitted, with `predict_proba` and `classes_`.
        features: columns of the frame, in order.
        classes: sorted label texts; those that it never learned score 0.
    """

    def __init__(self, estimator: Any, *, features: tuple[str, ...], classes: tuple[str, ...]) -> None:
        self.estimator, self.features, self.classes = estimator, features, classes
        self._columns = [classes.index(text_of(label) or "") for label in estimator.classes_.tolist()]

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """As in `TableModel`."""
        taken = chosen(columns, self.features)
        count = row_count(taken)
        if count == 0:
            return no_scores(self.classes)
        scores = np.zeros((count, len(self.classes)))
        try:
            scores[:, self._columns] = self.estimator.predict_proba(frame(taken))
        except (ValueError, TypeError) as problem:  # what scikit-learn raises on columns of another type
            raise WrongInput(expected="columns as in training", got=f"some that it refused: {problem}") from problem
        return scores


def frame(columns: Columns) -> Any:
    """Columns as a pandas frame: float64, and objects with None for missing."""
    import pandas as pd

    return pd.DataFrame({name: pd.Series(column, dtype=column.dtype) for name, column in columns.items()})
