"""Which rows are searched: so many of each group and decision, drawn from the seed and the row ids alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.data import Level
from evenhand.auditors.robustness.noise import sample_keys
from evenhand.auditors.robustness.tables.data import RowData

Question = Literal["recourse", "fragility"]
QUESTIONS: tuple[Question, ...] = ("recourse", "fragility")


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows by attribute, group and decision.

    Attributes:
        data: all rows.
        favourable: the decisions, shape (n,).
        most: rows of each group and decision.
        seed: with the row ids it fixes which.
    """

    data: RowData
    favourable: NDArray[np.bool_]
    most: int
    seed: int

    def of(self, attribute: str, code: int, question: Question) -> NDArray[np.intp]:
        """All rows of a group that the question is about: recourse those without the favourable decision."""
        about = self.favourable if question == "fragility" else ~self.favourable
        return np.flatnonzero(about & (self.data.attributes[attribute][0] == code))

    def drawn(self, attribute: str, code: int, question: Question) -> NDArray[np.intp]:
        """Those of them that are searched, a simple random sample; in the order of the rows."""
        rows = self.of(attribute, code, question)
        return np.sort(rows[np.lexsort((self.data.ids[rows], self._keys[rows]))[: self.most]])

    def searched(self) -> NDArray[np.intp]:
        """The rows of all samples together, each once."""
        samples = [
            self.drawn(attribute, code, question)
            for attribute, (_, texts) in self.data.attributes.items()
            for code in range(len(texts))
            for question in QUESTIONS
        ]
        return np.unique(np.concatenate(samples)) if samples else np.arange(0)

    def levels(self, attribute: str, question: Question) -> list[Level]:
        """Every group with the number of its rows that are searched."""
        texts = self.data.attributes[attribute][1]
        return [Level(code, text, len(self.drawn(attribute, code, question))) for code, text in enumerate(texts)]

    @cached_property
    def _keys(self) -> NDArray[np.uint64]:
        return sample_keys(self.seed, self.data.ids, "rows searched")
