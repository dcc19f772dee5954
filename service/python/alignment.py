"""Whether columns that are handed in side by side say the same of which row is which. pandas is not imported for it."""

from collections.abc import Iterator, Mapping
from typing import Any

from evenhand.service.audits.errors import BadArgument

KEPT_BY = "Use .reset_index(drop=True) or .to_numpy() on both if the order is right, else bring them into one order."
"""What to do about two indexes."""


def refuse_other_rows(arguments: Mapping[str, Any]) -> None:
    """Refuse columns whose indexes differ: they would be paired by position, and so one row with another.

    Args:
        arguments: argument to what was handed in: a column, a frame, or a mapping of names to columns. Those without an
            index (lists, numpy, polars, Arrow) are paired by position, and so is all that differs in length: that is
            refused elsewhere.

    Raises:
        BadArgument: names both, and the first row in which they differ.
    """
    indexed = [(name, index) for argument, values in arguments.items() for name, index in _indexes(argument, values)]
    for name, index in indexed[1:]:
        first, expected = indexed[0]
        if len(index) == len(expected) and not index.equals(expected):
            raise BadArgument(name, f"its index is not that of {first}: {_first_difference(index, expected)}", KEPT_BY)


def _indexes(argument: str, values: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        for name in values:
            yield from _indexes(f"{argument} '{name}'", values[name])
    # a list and a tuple have a method of this name
    elif hasattr(index := getattr(values, "index", None), "equals"):
        yield argument, index


def _first_difference(index: Any, expected: Any) -> str:
    pairs = (
        (row, repr(one), repr(other)) for row, (one, other) in enumerate(zip(index, expected, strict=True), start=1)
    )
    row, here, there = next(pair for pair in pairs if pair[1] != pair[2])
    return f"row {row} is {here} here and {there} there"
