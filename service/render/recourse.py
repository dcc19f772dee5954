"""Arranges recourse and fragility of tables for their chart, their tables and their sentences."""

from evenhand.auditors.report import ChangeExample, ChangeGroup, FeasibleChanges, FeasibleFeature
from evenhand.service.render import charts, numbers, words

QUESTIONS = {"recourse": "Recourse", "fragility": "Fragility"}
SHARES = {"recourse": "Without recourse", "fragility": "Easily lost"}
UPPER_BOUNDS = (
    "What is the smallest feasible change of a row that turns its decision? Costs are upper bounds: those of the changes "
    "that were found."
)


def asked(changes: FeasibleChanges, question: str) -> str:
    """What a table of groups answers."""
    if question == "recourse":
        return (
            f"Rows whose decision is not {changes.favourable}: the share for which no actionable change of cost up to "
            f"{numbers.brief(changes.budget)} that wins it was found, and the median cost of the smallest change found."
        )
    return (
        f"Rows whose decision is {changes.favourable}: the share that a feasible change of cost up to "
        f"{numbers.brief(changes.fragility_budget)} loses it, and the median cost of the smallest change found."
    )


def groups(changes: FeasibleChanges, question: str) -> list[ChangeGroup]:
    return [row for row in changes.groups if row.question == question]


def examples(changes: FeasibleChanges, question: str) -> list[ChangeExample]:
    return [row for row in changes.examples if row.question == question]


def example(shown: ChangeExample) -> str:
    """'Female, row 12: age from 20 to 31, of cost .42.'"""
    return f"{words.group(shown.group)}, row {numbers.rows(shown.row)}: {shown.text}."


def dots(changes: FeasibleChanges, question: str) -> charts.IntervalChart:
    """The share of each group, as a dot and its interval."""
    return charts.intervals(
        [
            charts.Point(words.group(row.group), row.share.estimate, row.share.low, row.share.high)
            for row in groups(changes, question)
        ]
    )


def may_change(feature: FeasibleFeature) -> str:
    """'12 to 80, whole numbers, upwards only'; 'stays'."""
    if not feature.changes:
        return "stays"
    unit = f" {feature.unit}" if feature.unit else ""
    if feature.low is not None and feature.high is not None:
        parts = [f"{_plain(feature.low)} to {_plain(feature.high)}{unit}"]
    else:
        parts = [words.plural(feature.values, "category", "categories")]
    parts += ["whole numbers"] if feature.whole else []
    parts += [f"{feature.direction}wards only"] if feature.direction else []
    return ", ".join(parts)


def setting(changes: FeasibleChanges) -> str:
    """How a change is measured, in one sentence."""
    return f"Cost is {changes.cost}."


def _plain(value: float) -> str:
    return f"{value:,.6g}"
