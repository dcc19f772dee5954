"""Arranges the robustness audit for its tables and its curve."""

from evenhand.auditors.report import Robustness, RobustnessGroup
from evenhand.service.render import charts, words


def name(row: RobustnessGroup) -> str:
    """'dark, class woman'."""
    return words.group(row.group) + (f", class {row.label}" if row.label is not None else "")


def curve(audit: Robustness) -> charts.CurveChart:
    """Robust accuracy against eps, one line a group."""
    return charts.curves(
        [(words.group(line.group), line.eps, line.accuracy, line.low, line.high) for line in audit.curves]
    )


def dots(audit: Robustness) -> charts.IntervalChart:
    """Robust accuracy of each group and class, as a dot and its interval."""
    return charts.intervals(
        [
            charts.Point(name(row), row.robust_accuracy.estimate, row.robust_accuracy.low, row.robust_accuracy.high)
            for row in audit.groups
        ]
    )
