"""A baseline that was trained twice, each time on half of the units, and answers about the half it has not seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.scores import probabilities


@dataclass(frozen=True)
class Halves:
    """`models[h]` learned from the rows of half h; `half` says in which half each row is, shape (n,)."""

    models: tuple[Baseline, ...]
    half: NDArray[np.int64]

    def __call__(self, pictures: Pictures) -> NDArray[np.int64]:
        """The decision about each of all rows, shape (n,), in whatever form their pictures are given."""
        decided = np.zeros(len(pictures), dtype=np.int64)
        for side, model in enumerate(self.models):
            asked = self.half != side
            decided[asked] = probabilities(model, pictures[asked]).argmax(axis=1)
        return decided
