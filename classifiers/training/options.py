"""How to train, beside the rows: groups to watch, weights of rows, patience, and where the last epoch is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

Balance = Literal["balanced"]

PATIENCE = 10


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """What a caller may ask of a training; every kind takes them, and those without epochs use what applies.

    Args:
        groups: sensitive columns by name, each of shape (n,), text with None for missing. Nothing is learned from
            them: loss and accuracy are recorded by (class, group) cell, and `group_weight` balances them.
        class_weight: "balanced" gives every class the same total weight.
        group_weight: "balanced" weighs a row by P(group) P(class) / P(group, class), so that group and class are
            independent in the weighted rows; with several columns the groups are their intersections.
        patience: epochs without a lower validation loss after which a network stops.
        deterministic: refuse operations whose result varies by run; on a processor all are deterministic anyway.
        checkpoint: a file that holds the last epoch while a network learns; an interrupted training goes on from
            there, to the same bits. It is removed at the end. None keeps nothing.
    """

    groups: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    class_weight: Balance | None = None
    group_weight: Balance | None = None
    patience: int = PATIENCE
    deterministic: bool = False
    checkpoint: Path | None = None

    def said(self) -> dict[str, str | int | bool]:
        """The settings that the record keeps: those asked for."""
        return {
            name: value
            for name, value in (("class_weight", self.class_weight), ("group_weight", self.group_weight))
            if value is not None
        }
