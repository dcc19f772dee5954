"""The two kinds of classifier that everything in this room hands out: of table rows, and of pictures.

They satisfy the protocols that auditors declare, by shape alone. What runs them is in runtimes/.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.images import ImageShape


class Model(ABC):
    """What both kinds have.

    Attributes:
        classes: sorted label texts; column i of the scores belongs to class i.
    """

    classes: tuple[str, ...]

    def close(self) -> None:
        """Free what it holds, for instance its confined process. Closing twice is allowed."""
        return


class TableModel(Model):
    """A classifier of table rows.

    Attributes:
        features: the columns it reads, in order.
    """

    features: tuple[str, ...]

    @abstractmethod
    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """Probability of every class for every row, shape (n_rows, n_classes), rows summing to 1.

        Args:
            columns: by name, float64 (NaN: missing) or objects (text; None: missing), each of shape (n_rows,).

        Raises:
            WrongInput: a feature is missing or has the wrong type.
            ChildFailed: a confined model did not answer.
        """


class ImageModel(Model):
    """A classifier of pictures.

    Attributes:
        image_shape: height, width, channels.
    """

    image_shape: ImageShape

    @abstractmethod
    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probability of every class for every picture, shape (n_pictures, n_classes), rows summing to 1.

        Args:
            images: shape (n_pictures, height, width, channels), float32 from 0 to 1.

        Raises:
            WrongInput: pictures of another size or range.
            ChildFailed: a confined model did not answer.
        """


def batches(count: int, bytes_a_row: int, *, most_bytes: int) -> list[slice]:
    """Slices over `count` rows, each of about `most_bytes` and of at least one row."""
    size = max(1, most_bytes // max(1, bytes_a_row))
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def no_scores(classes: tuple[Any, ...]) -> NDArray[np.float64]:
    """The scores of no rows."""
    return np.zeros((0, len(classes)))
