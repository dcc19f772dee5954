"""The tables that laws and practice ask for, as lines on a terminal and as rows of Markdown tables."""

from collections.abc import Iterator

from evenhand.auditors.report import FourFifths, Report
from evenhand.service.render import numbers, words
from evenhand.service.render.practice import MOST_ROWS, PracticeTable, arranged, flagged, shown

MOST_NAMED = 6


def lines(report: Report) -> list[str]:
    """One line for each attribute: who is below four fifths of the most selected."""
    practice = shown(report)
    return [] if practice is None else [_line(table) for table in practice.four_fifths if table.reference is not None]


def markdown_tables(report: Report) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """Caption, header and body of each table of single attributes."""
    tables = arranged(report)
    if tables is None:
        return
    for name, found in (("Four-fifths rule", tables.four_fifths), ("Local Law 144", tables.local_law_144)):
        for table in found:
            if table.single:
                yield f"{name}. {table.caption}", table.header, _body(table)


def _line(table: FourFifths) -> str:
    against = f"the rate of {words.group(table.reference)}, the most selected"
    below = flagged(table)
    turned = [row for row in table.groups if row.below_four_fifths and not row.flagged]
    if not below and not turned:
        return f"Four-fifths rule, {table.attribute}: no group is below four fifths of {against}."
    said = [
        *(f"{words.group(row.group)} {numbers.short(row.impact_ratio.estimate)}" for row in below),
        *(
            f"{words.group(row.group)} {numbers.short(row.impact_ratio.estimate)} (not flagged: one person decides it)"
            for row in turned
        ),
    ]
    more = f" and {len(said) - MOST_NAMED} more" if len(said) > MOST_NAMED else ""
    return f"Four-fifths rule, {table.attribute}: below four fifths of {against}: {', '.join(said[:MOST_NAMED])}{more}."


def _body(table: PracticeTable) -> list[list[str]]:
    return [
        [
            f"{row.name} ({row.tag})" if row.tag else row.name,
            *(f"{cell.text} ({cell.below})" if cell.below else cell.text for cell in row.cells),
        ]
        for row in table.rows[:MOST_ROWS]
    ]
