"""How the columns of a table become the numbers that a network reads: standardised numbers, and one place a text level.

A missing number becomes the mean; a missing, rare or unknown text becomes zeros in all places of its column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, row_count, texts_of
from evenhand.classifiers.errors import WrongInput

MEANS, SCALES = "encoder.means", "encoder.scales"
MOST_LEVELS = 100


@dataclass(frozen=True)
class TableEncoder:
    """Fitted on the rows that a network learns from.

    Args:
        features: columns in order.
        levels: of every feature: its known texts, or None for a number.
        means, scales: of every feature, shape (n_features,); 0 and 1 for texts.
    """

    features: tuple[str, ...]
    levels: tuple[tuple[str, ...] | None, ...]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]

    @property
    def width(self) -> int:
        """Numbers a row becomes."""
        return sum(1 if known is None else len(known) for known in self.levels)

    def encode(self, columns: Columns) -> NDArray[np.float32]:
        """Rows as numbers, shape (n_rows, width). Columns are those of `columns.chosen`."""
        encoded = np.zeros((row_count(columns), self.width), dtype=np.float32)
        place = 0
        for index, (name, known) in enumerate(zip(self.features, self.levels, strict=True)):
            if known is None:
                standard = (_numbers(columns[name]) - self.means[index]) / self.scales[index]
                encoded[:, place] = np.nan_to_num(standard, nan=0.0, posinf=0.0, neginf=0.0)
                place += 1
            else:
                codes = _codes(columns[name], known)
                rows = np.flatnonzero(codes >= 0)
                encoded[rows, place + codes[rows]] = 1
                place += len(known)
        return encoded

    def to_json(self) -> dict[str, Any]:
        """Names and levels; `numbers` holds the rest."""
        return {
            "features": list(self.features),
            "levels": [None if known is None else list(known) for known in self.levels],
        }

    def numbers(self) -> dict[str, NDArray[np.float64]]:
        """Means and scales, as arrays to store beside the weights."""
        return {MEANS: self.means, SCALES: self.scales}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], numbers: Mapping[str, Any]) -> "TableEncoder":
        """The inverse of `to_json` and `numbers`.

        Raises:
            KeyError, TypeError, ValueError: the parts do not fit one another.
        """
        features = tuple(str(name) for name in document["features"])
        levels = tuple(None if known is None else tuple(str(text) for text in known) for known in document["levels"])
        means, scales = (np.asarray(numbers[key], dtype=np.float64) for key in (MEANS, SCALES))
        if not len(features) == len(set(features)) == len(levels) or {means.shape, scales.shape} != {(len(features),)}:
            raise ValueError("features, levels, means and scales differ in length")
        return cls(features, levels, means, scales)


def fit_encoder(columns: Columns, categorical: Sequence[str]) -> TableEncoder:
    """The encoder of these rows. Text columns, and those named in `categorical`, become levels.

    The 100 most frequent levels of a column are kept, the first in text order where counts are equal.
    """
    levels = tuple(
        _levels(column) if column.dtype == object or name in categorical else None for name, column in columns.items()
    )
    means, scales = np.zeros(len(levels)), np.ones(len(levels))
    for index, (column, known) in enumerate(zip(columns.values(), levels, strict=True)):
        present = column[np.isfinite(column)] if known is None else np.zeros(0)
        if len(present):
            means[index] = present.mean()
            scales[index] = present.std() or 1.0
    return TableEncoder(tuple(columns), levels, means, scales)


def _levels(column: NDArray[Any]) -> tuple[str, ...]:
    texts, counts = np.unique([text for text in texts_of(column) if text is not None], return_counts=True)
    most_frequent = np.lexsort((texts, -counts))[:MOST_LEVELS]
    return tuple(sorted(str(texts[place]) for place in most_frequent))


def _codes(column: NDArray[Any], known: tuple[str, ...]) -> NDArray[np.int64]:
    place = {text: code for code, text in enumerate(known)}
    return np.array([-1 if text is None else place.get(text, -1) for text in texts_of(column)], dtype=np.int64)


def _numbers(column: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError):
        raise WrongInput(expected="numbers in a column that was numbers in training", got="text") from None
