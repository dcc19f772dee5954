"""What one neuron does, followed by hand for one row: bias + sum of weight times value, and on which side of 0 that is.

The row is typical and nobody's own: the median of every number, the most frequent value of every name.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.encoder import TableEncoder
from evenhand.classifiers.columns import Columns, texts_of
from evenhand.classifiers.runtimes.network import NetworkOfTables


@dataclass(frozen=True, kw_only=True)
class Term:
    """One summand.

    Args:
        feature: the column.
        value: of the row, as text; None: missing.
        read_as: what the neuron reads: a number less its mean over its standard deviation; 1 for a name that it knows.
        weight: of that.
        product: weight times read_as.
    """

    feature: str
    value: str | None
    read_as: float
    weight: float
    product: float


@dataclass(frozen=True, kw_only=True)
class WeightedSum:
    """A neuron at work on one row.

    Args:
        bias: what the sum starts from.
        terms: one for every feature, in its order.
        total: bias and products together; over 0 the second class is predicted.
        score: sigmoid of the total: the probability of the second class.
        classes: the two classes.
    """

    bias: float
    terms: tuple[Term, ...]
    total: float
    score: float
    classes: tuple[str, str]

    @property
    def prediction(self) -> str:
        """The class on this side of the threshold."""
        return self.classes[self.total > 0]

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "WeightedSum":
        """The inverse of `dataclasses.asdict`. Raises KeyError, TypeError, ValueError."""
        first, second = map(str, document["classes"])
        return cls(
            **{**document, "terms": tuple(Term(**term) for term in document["terms"]), "classes": (first, second)}
        )


def weighted_sum(neuron: NetworkOfTables, columns: Columns) -> WeightedSum:
    """The sum that a neuron forms on the typical row of these columns, which are not empty."""
    row = {name: _typical(np.asarray(columns[name]), known) for name, known in _levels(neuron.encoder)}
    weights = neuron.module.get_parameter("sum.weight").double().numpy()[0]
    bias = float(neuron.module.get_parameter("sum.bias").double().numpy()[0])
    numbers = neuron.encoder.encode(row).astype(np.float64)[0]
    terms, place = [], 0
    for name, known in _levels(neuron.encoder):
        width = 1 if known is None else len(known)
        read, weight = numbers[place : place + width], weights[place : place + width]
        at = int(np.argmax(np.abs(read)))
        terms.append(
            Term(
                feature=name,
                value=_text(row[name]),
                read_as=float(read[at]),
                weight=float(weight[at]) if read[at] or known is None else 0.0,
                product=float(read @ weight),
            )
        )
        place += width
    total = bias + sum(term.product for term in terms)
    first, second = neuron.classes
    return WeightedSum(
        bias=bias, terms=tuple(terms), total=total, score=1 / (1 + math.exp(-total)), classes=(first, second)
    )


def _levels(encoder: TableEncoder) -> list[tuple[str, tuple[str, ...] | None]]:
    return list(zip(encoder.features, encoder.levels, strict=True))


def _typical(column: NDArray[Any], known: tuple[str, ...] | None) -> NDArray[Any]:
    if known is None:
        present = column[np.isfinite(column)]
        return np.array([np.median(present) if len(present) else np.nan])
    counted = Counter(text for text in texts_of(column).tolist() if text is not None)
    frequent = min(counted, key=lambda text: (-counted[text], text), default=None)
    return np.array([frequent], dtype=object)


def _text(column: NDArray[Any]) -> str | None:
    value = column[0]
    if value is None or value != value:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)
