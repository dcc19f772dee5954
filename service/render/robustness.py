"""Arranges the robustness audit for its tables and its curves."""

from collections.abc import Sequence
from dataclasses import dataclass

from evenhand.auditors.report import CorruptedGroup, CorruptionRow, Estimate, Robustness, RobustnessGroup
from evenhand.service.render import charts, numbers, words

DISTANCES = (
    "For each picture the smallest change that was found to fool the classifier: in L-infinity the change of the channel "
    "that changes most, as a fraction of its range; in L2 the root of all squared changes. It is an upper bound (a smaller "
    "change may exist; beyond the sizes of the run one attack alone looked for it), so it ranks groups and says nothing more. "
    "0.5: neither group needs more; 1: every picture of the first group needs more than any of the second. "
    "No verdict rests on it."
)

CORRUPTIONS = (
    "Noise, blur, less contrast, more light, JPEG and covered parts, at five severities (Hendrycks and Dietterich 2019; "
    "occlusion is ours). No adversary chooses these changes. They decide nothing unless the policy gates corruption_gap. "
    "Gaps are means over the severities; the largest of several is never zero, so what chance alone would show stands beside it."
)


@dataclass(frozen=True)
class ByGroup:
    """A table with a column for each group; None where a group has no such number."""

    caption: str
    first: str
    groups: list[str]
    rows: list[tuple[str, list[Estimate | None]]]


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


def curve_numbers(audit: Robustness) -> list[ByGroup]:
    """The numbers of the curves, a row a size of change; empty where there are none."""
    points = [
        {
            eps: Estimate(estimate=accuracy, low=low, high=high)
            for eps, accuracy, low, high in zip(line.eps, line.accuracy, line.low, line.high, strict=True)
        }
        for line in audit.curves
    ]
    rows = [
        (numbers.fixed(eps, 4), [of_group.get(eps) for of_group in points])
        for eps in sorted({eps for of_group in points for eps in of_group})
    ]
    groups = [words.group(line.group) for line in audit.curves]
    return [ByGroup("Robust accuracy against eps; at eps 0 without an attack", "eps", groups, rows)] if rows else []


def corrupted_numbers(corruptions: Sequence[CorruptionRow]) -> list[ByGroup]:
    """Mean accuracy over the severities, a row a corruption: a table for each attribute, all classes together and each."""
    return [
        _corrupted([row for row in corruptions if row.attribute == attribute], attribute, label)
        for attribute in dict.fromkeys(row.attribute for row in corruptions)
        for label in dict.fromkeys(
            group.label for row in corruptions if row.attribute == attribute for group in row.groups
        )
    ]


def _corrupted(corruptions: Sequence[CorruptionRow], attribute: str, label: str | None) -> ByGroup:
    cells = [{words.group(group.group): group for group in row.groups if group.label == label} for row in corruptions]
    groups = list(dict.fromkeys(name for of_row in cells for name in of_row))
    unchanged = {name: group.clean_accuracy for of_row in cells for name, group in of_row.items()}
    rows: list[tuple[str, list[Estimate | None]]] = [("Unchanged", [unchanged[name] for name in groups])]
    for row, of_row in zip(corruptions, cells, strict=True):
        means = {name: group.mean_accuracy for name, group in of_row.items()}
        rows.append((words.first_upper(corruption_name(row)), [means.get(name) for name in groups]))
    of = "all classes" if label is None else f"class {label}"
    return ByGroup(
        f"Accuracy by {attribute} under each corruption, {of}, mean over the severities", "Corruption", groups, rows
    )


def corruption_name(row: CorruptionRow) -> str:
    """'blur'; all of them together by their number."""
    return "all of them" if row.name == "all" else words.metric(row.name)


def severities(row: CorruptionRow) -> charts.CurveChart:
    """Accuracy against severity, one line a group; severity 0 is the picture unchanged."""
    return charts.curves([_line(group) for group in row.groups if group.accuracy])


def _line(group: CorruptedGroup) -> tuple[str, list[float], list[float], list[float], list[float]]:
    at: list[Estimate] = [group.clean_accuracy, *group.accuracy]
    return (
        words.group(group.group),
        [float(severity) for severity in range(len(at))],
        [one.estimate or 0.0 for one in at],
        [one.low or 0.0 for one in at],
        [1.0 if one.high is None else one.high for one in at],
    )
