"""Groups as practice counts them: how many there are, how many got the favourable outcome, and the exact rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.practice.one_person import Selected
from evenhand.auditors.report import Estimate, Group, GroupDisparity, GroupResult

FAVOURABLE = "favourable_rate"
SCORING = "scoring_rate"
FINEST = 10**9
"""Denominators of rates of weighted rows, so that sums of weights such as .1 lose their rounding."""


@dataclass(frozen=True)
class Counted:
    """One group.

    Attributes:
        selected: whole people; None where rows are weighted, or repeat people.
        rate: exact where people are whole; None where undefined.
        shown: the rate with its interval.
        small: under the rows that comparisons need.
    """

    group: Group
    n: int
    selected: Selected | None
    rate: Fraction | None
    shown: Estimate
    small: bool


def too_few(groups: Sequence[Counted]) -> str:
    """'under 30 people', or of which there are under 30 where rows repeat them."""
    rows_are_people = all(group.n < SMALL_GROUP_ROWS for group in groups)
    return f"under {SMALL_GROUP_ROWS} {'people' if rows_are_people else 'units, whose rows repeat'}"


def counted(document: GroupDisparity, rows: Sequence[GroupResult], *, metric: str) -> list[Counted]:
    """The known groups, in their order.

    Args:
        metric: FAVOURABLE or SCORING, a rate whose denominator is the group's rows.
    """
    whole = why_not_people(document) is None
    found = []
    for row in rows:
        shown = row.metrics.get(metric)
        if row.unknown or shown is None:
            continue
        selected = Selected(_people(document, row, metric), row.n) if whole and row.n else None
        rate = selected.rate if selected else None
        if selected is None and shown.estimate is not None:
            rate = Fraction(shown.estimate).limit_denominator(FINEST)
        found.append(Counted(row.group, row.n, selected, rate, shown, row.small))
    return found


def _people(document: GroupDisparity, row: GroupResult, metric: str) -> int:
    """How many of whole rows: from the counts where these say it, else from the rate of those who score beyond the median."""
    if metric == FAVOURABLE:
        positive = round(row.counts.selected)
        return positive if document.favourable == document.positive else row.n - positive
    return round((row.metrics[metric].estimate or 0.0) * row.n)


def unknown_rows(rows: Sequence[GroupResult]) -> int:
    return sum(row.n for row in rows if row.unknown)


def why_not_people(document: GroupDisparity) -> str | None:
    """Why rows are not people who can be counted one by one, or None where they are."""
    if document.weighted:
        return "Rows are weighted: tests of whole people and the rule of one person do not apply and are left out."
    if document.repeats is not None and document.repeats.units < document.repeats.rows:
        return "Rows repeat persons: tests of whole people and the rule of one person do not apply and are left out."
    return None


def most_selected(groups: Sequence[Counted]) -> Counted | None:
    """The group with the highest rate, the first of equals; None where nobody is selected anywhere."""
    defined = [group for group in groups if group.rate is not None]
    best = max(defined, key=lambda group: group.rate or Fraction(0), default=None)
    return best if best is not None and best.rate else None
