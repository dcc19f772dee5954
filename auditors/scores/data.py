"""What the audit of scores takes: one finite score a row, its groups, and its label where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.counts import MOST_CELLS
from evenhand.auditors.errors import LengthMismatch, TooManyCells, UndefinedScores

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]


@dataclass(frozen=True)
class ScoreData:
    """Rows as plain arrays; every array of shape (n,).

    Attributes:
        scores: finite; higher means more of the positive class.
        attributes: sensitive columns, name to codes and the values that they index; a missing value is None.
        label: 1 where the positive class is true, else 0; None without labels.
        weight: at least 0; None counts every row once.
        favourable_is_positive: whether a high score helps the person.
        scored_by: how the scores are called, for people.
        unit: who each row is about, as codes; None where every row is somebody's own. One unit's rows are not independent.
        times: rows that each entry stands for, where rows were counted in bins of the score: `scores` is then the middle of
            the bin, and `weight` the sum over its rows.
        squares: sums of squared weights; with `times` and `weight` only.
        reach: how far a row's own score can lie from `scores`, at most; with `times` only.
    """

    scores: Floats
    attributes: Mapping[str, tuple[Codes, tuple[str | None, ...]]]
    label: NDArray[np.integer] | None = None
    weight: Floats | None = None
    favourable_is_positive: bool = True
    scored_by: str = "score"
    unit: NDArray[np.integer] | None = None
    times: NDArray[np.int64] | None = None
    squares: Floats | None = None
    reach: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.scores)
        lengths = {name: len(codes) for name, (codes, _) in self.attributes.items()}
        lengths |= {
            name: len(column)
            for name in ("label", "weight", "unit", "times", "squares", "reach")
            if (column := getattr(self, name)) is not None
        }
        for name, length in lengths.items():
            if length != n:
                raise LengthMismatch(name, length, n)
        if not np.isfinite(self.scores).all():
            raise UndefinedScores(int((~np.isfinite(self.scores)).sum()), n)
        cells = int(np.prod([len(values) for _, values in self.attributes.values()], dtype=object))
        if cells > MOST_CELLS:
            raise TooManyCells(cells, MOST_CELLS, self.attributes)

    @property
    def are_probabilities(self) -> bool:
        """Whether all scores lie in [0, 1], so that they can be compared with what happened."""
        return bool(len(self.scores)) and bool(self.scores.min() >= 0 and self.scores.max() <= 1)
