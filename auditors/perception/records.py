"""A record of training as the perception audit takes it: plain counts by class, group and epoch."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class LearnedCell:
    """How one class, or one class within a group, was learned.

    Attributes:
        part: "train" (rows learned from) or "valid" (rows held out).
        label: the class.
        attribute: the sensitive column; None for the class as a whole.
        group: its value; None with an attribute: missing.
        n: rows of the cell in this part, at least 1.
        right: of these, how many were classified rightly after each epoch.
        loss: mean log loss after each epoch.
    """

    part: Literal["train", "valid"]
    label: str
    attribute: str | None
    group: str | None
    n: int
    right: tuple[int, ...]
    loss: tuple[float, ...]

    def accuracy(self, epoch: int) -> float:
        """Share classified rightly after the epoch of that index."""
        return self.right[epoch] / self.n


@dataclass(frozen=True, kw_only=True)
class LearningRecord:
    """What a trainer wrote down, epoch by epoch.

    Attributes:
        epochs: numbers of the epochs, in the order of the cells' counts.
        best: index of the epoch whose weights were kept.
        rows: rows held out; 0 where none were.
        right: of these, how many were classified rightly at the epoch kept.
        split: in words, how rows were held out.
        cells: every cell of both parts.
    """

    epochs: tuple[int, ...]
    best: int
    rows: int
    right: int
    split: str
    cells: tuple[LearnedCell, ...]

    @property
    def accuracy(self) -> float | None:
        """Share of all held-out rows that the kept weights classify rightly; None where nothing was held out."""
        return self.right / self.rows if self.rows else None

    def held_out(self, attribute: str | None) -> list[LearnedCell]:
        """The held-out cells by class and group of an attribute; by class alone where it is None."""
        return [cell for cell in self.cells if cell.part == "valid" and cell.attribute == attribute]
