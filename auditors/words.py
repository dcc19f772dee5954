"""Numbers and groups in words, for the messages of every audit. Whole pages are laid out in `service`."""

from evenhand.auditors.report import Group
from evenhand.auditors.verdict import Comparison

LONGEST_NAME = 80
"""Characters of a name in a sentence or a table; the whole of it stands in the report's `group`."""
JOINERS = "\u200c\u200d"
"""Invisible, and part of Persian words, Indic letters and emoji."""


def number(value: float | None, *, digits: int = 3) -> str:
    """'.397', '-.020', '1.000', 'undefined', 'unbounded'."""
    if value is None or value != value:
        return "undefined"
    if value in (float("inf"), float("-inf")):
        return "unbounded"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def span(low: float | None, high: float | None) -> str:
    """'.26 to .51'."""
    return f"{number(low)} to {number(high)}"


def group_name(group: Group | None) -> str:
    """'Female', 'Female × Black'; a missing value is 'unknown (sex missing)'."""
    if not group:
        return "everyone"
    return " × ".join(
        f"unknown ({printable(name)} missing)" if value is None else legible(value) for name, value in group.items()
    )


def would_have_shown(comparison: Comparison, detectable: float) -> str:
    """The smallest disparity that four of five samples of this size would show."""
    what, beyond = ("ratio", "less") if comparison is Comparison.RATIO else (comparison.value, "more")
    return f"In this many rows only a {what} of {number(detectable)} or {beyond} would probably have shown."


def printable(text: str) -> str:
    """On one line, without characters that steer a terminal (escapes, control) or turn the direction of reading."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in JOINERS else " " if sign.isspace() else "\ufffd" for sign in text
    )


def legible(name: str) -> str:
    """A name from the data as a sentence can hold it: printable, and cut where it is longer than LONGEST_NAME."""
    if len(name) > LONGEST_NAME:
        return f"{printable(name[: LONGEST_NAME - 20])}… ({len(name):,} characters)"
    return printable(name)


def spoken(metric: str) -> str:
    """'true positive rate' for true_positive_rate."""
    return metric.replace("_", " ")


def quoted_group(group: Group) -> str:
    """A group as part of a finding's id: values quoted so that no two groups share one."""
    return "+".join("null" if value is None else "'" + value.replace("'", "''") + "'" for value in group.values())
