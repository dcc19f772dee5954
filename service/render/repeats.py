"""Rows that are there twice, in words."""

from evenhand.auditors.report import DuplicateRows
from evenhand.service.render import numbers, words

MOST_NAMED = 8
"""Columns named of those that were compared."""


def sentence(found: DuplicateRows, rows: int) -> str:
    """How many rows repeat an earlier one, and over which columns they were compared."""
    largest = f"; the most frequent is there {numbers.rows(found.largest)} times" if found.repeated else ""
    return (
        f"{numbers.rows(found.repeated)} of {numbers.rows(rows)} rows repeat an earlier one, {_over(found)}{largest}."
    )


def _over(found: DuplicateRows) -> str:
    if found.columns == ["picture"]:
        return "compared by their pixels"
    named = ", ".join(words.legible(name) for name in found.columns[:MOST_NAMED])
    more = f" and {len(found.columns) - MOST_NAMED} more" if len(found.columns) > MOST_NAMED else ""
    return f"compared over all columns read ({named}{more})"
