"""What the proxy audit is given."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import LengthMismatch, UnusableBlock, nearest

Levels = tuple[str | None, ...]


@dataclass(frozen=True)
class ProxyData:
    """Features and attributes of the same n rows.

    Args:
        columns: feature to values of shape (n,): float64 with NaN for missing, or object with str and None.
        categorical: numeric features whose order means nothing.
        dates: features that are days since 1970-01-01; their year, month and weekday are looked at too.
        attributes: attribute (or intersection) to codes of shape (n,) and the levels' texts; a missing value is None
            and is left out of comparisons.
        strata: codes and texts of a declared stratum, if any.
        blocks: name to features that are one thing and move together; a feature is in one of them at most.
        legitimate: factor to values of shape (n,), as columns are: what a decision may rest on, by declaration.

    Raises:
        LengthMismatch: a column, attribute, stratum or factor has another length.
        UnusableBlock: a block names what is no feature, too few of them, one of another block, or is called like one.
    """

    columns: Mapping[str, NDArray[Any]]
    categorical: frozenset[str] = frozenset()
    attributes: Mapping[str, tuple[NDArray[np.int32], Levels]] = field(default_factory=dict)
    strata: tuple[NDArray[np.int32], Levels] | None = None
    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    legitimate: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    dates: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _check_blocks(self.blocks, self.columns)
        lengths = {name: len(values) for name, values in self.columns.items()}
        lengths |= {name: len(codes) for name, (codes, _) in self.attributes.items()}
        lengths |= {f"legitimate factor {name}": len(values) for name, values in self.legitimate.items()}
        if self.strata is not None:
            lengths["strata"] = len(self.strata[0])
        for name, length in lengths.items():
            if length != self.rows:
                raise LengthMismatch(name, length, self.rows)

    @property
    def rows(self) -> int:
        for codes, _ in self.attributes.values():
            return len(codes)
        return len(next(iter(self.columns.values()), ()))


def _check_blocks(blocks: Mapping[str, tuple[str, ...]], columns: Collection[str]) -> None:
    """Raises UnusableBlock."""
    taken: dict[str, str] = {}
    for block, members in blocks.items():
        if block in columns:
            raise UnusableBlock(block, "is called like a feature; give it a name of its own")
        if len(set(members)) < 2:
            raise UnusableBlock(block, f"has {len(set(members))} feature; name two or more")
        for member in members:
            if member not in columns:
                raise UnusableBlock(block, f"names '{member}', which is no feature.{nearest(member, columns)}", columns)
            if taken.setdefault(member, block) != block:
                raise UnusableBlock(
                    block, f"names '{member}', which is in block '{taken[member]}' too; leave it in one"
                )
