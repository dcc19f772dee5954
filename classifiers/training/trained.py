"""A classifier fresh from training, with the record of how it came to be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.models import ImageModel, TableModel
from evenhand.classifiers.training.record import TrainingRecord

Progress = Callable[[float, str], None]  # fraction done in 0..1, and what is being done

SAMPLE_ROWS = 64


@dataclass(frozen=True)
class Trained:
    """What training returns.

    Args:
        classifier: scores rows or pictures; a `TableModel` or an `ImageModel`.
        record: how it came to be.
        sample: a few of the rows (by column) or pictures it was trained on; what is saved is compared on them.
    """

    classifier: TableModel | ImageModel
    record: TrainingRecord
    sample: Columns | NDArray[np.float32]


def scores_on_sample(classifier: TableModel | ImageModel, sample: Any) -> NDArray[np.float64]:
    """Scores of the sample of a `Trained`, whichever kind it is."""
    return classifier.predict_proba(sample)


def silent(fraction: float, message: str) -> None:
    """The progress callback of those who do not ask for one."""
