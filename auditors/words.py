"""Numbers and groups in words, for the messages of every audit. Whole pages are laid out in `service`."""

from evenhand.auditors.report import Group


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
    return " × ".join(f"unknown ({name} missing)" if value is None else value for name, value in group.items())


def spoken(metric: str) -> str:
    """'true positive rate' for true_positive_rate."""
    return metric.replace("_", " ")


def quoted_group(group: Group) -> str:
    """A group as part of a finding's id: values quoted so that no two groups share one."""
    return "+".join("null" if value is None else "'" + value.replace("'", "''") + "'" for value in group.values())
