"""What the audit needs in order to train a classifier anew: whoever has training rows declares it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.proxies.interventions import Decide


class Retrain(Protocol):
    """Trains on rows that the audit does not look at."""

    def __call__(self, features: Sequence[str]) -> Decide:
        """A classifier that reads these features alone; the same features give the same classifier."""


@dataclass(frozen=True)
class Retraining:
    """How classifiers are trained anew.

    One is trained with all features too. Where it decides otherwise than the audited one, whatever is claimed must hold
    against both, so that no claim rests on another kind of classifier, other rows or luck.

    Args:
        retrain: trains one.
        unseen: shape (n,), the audited rows that no classifier trained here has seen.
        kind: of classifier, e.g. "hist_gradient_boosting".
        stand_in: whether that is another kind than the audited one's, or the audited one's is not known.
        same_rows: whether it learns from the very rows that the audited classifier learned from; for the notes alone.
        rows: how many rows it learns from.
    """

    retrain: Retrain
    unseen: NDArray[np.bool_]
    kind: str
    stand_in: bool
    same_rows: bool
    rows: int
