"""What every check of perception is given: the pictures, the classifier, its decisions, and the settings of the run."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.budget import UNPLANNED, Plan
from evenhand.auditors.perception.records import LearningRecord
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.data import ImageData


@dataclass(frozen=True)
class Context:
    """One run of the perception audit.

    Attributes:
        data: the pictures.
        classifier: gives gradients where it has `logits`, and weights where it has `module`.
        attributes: columns of `data.attributes` to ask about.
        scores: probabilities of the deployed model, shape (n, K); (0, K) where it was not asked.
        prediction: class of each picture, shape (n,); (0,) where it was not asked.
        seed: of every random choice.
        device: where torch computes.
        batch_size: pictures a call.
        tolerances: by name of check, where the policy gives one.
        edits: names of edits that the policy asks about; see `evenhand.auditors.perception.edits`.
        learning: the trainer's record of the classifier; None where there is none.
        plan: which questions fit in the budget.
    """

    data: ImageData
    classifier: ImageClassifier
    attributes: tuple[str, ...]
    scores: NDArray[np.float64]
    prediction: NDArray[np.int64]
    seed: int
    device: str
    batch_size: int
    tolerances: Mapping[str, float]
    edits: tuple[str, ...] = ()
    learning: LearningRecord | None = None
    plan: Plan = UNPLANNED

    def tolerance(self, check: str, default: float) -> float:
        """The policy's tolerance of a check, or the default."""
        return self.tolerances.get(check, default)
