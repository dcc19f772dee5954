"""Perception on paper: the question behind each check with its answer, and what panels say in words and tables."""

from collections.abc import Iterator

from evenhand.auditors.report import Panel, PerceptionCheck, Report
from evenhand.service.render import numbers, perception, words
from evenhand.service.render.pdf_pieces import (
    Block,
    Column,
    PaperCell,
    heading,
    judged,
    listed,
    remarks,
    table,
    text,
    within,
)

MOST_COLUMNS = 6
"""Of a panel's small table; a wider one is in the HTML."""


def blocks(report: Report) -> Iterator[Block]:
    audit = report.audits.perception
    if audit is None:
        return
    yield heading("What the network sees")
    yield from table(
        "Checks of perception",
        [
            Column("Question", 3, worded=True),
            Column("Verdict", 1.2, worded=True),
            Column("Effect", 1.4),
            Column("p", 0.6),
            Column("In words", 3, worded=True),
        ],
        [_check(check) for check in audit.checks],
    )
    alone = perception.alone(audit)
    for panel in audit.panels:
        if panel not in alone:
            yield from _panel(panel)
    if alone:
        yield heading("Shown, never decided", level=3)
        yield text(perception.NEVER_DECIDED, soft=True)
    for panel in alone:
        yield from _panel(panel)
    yield from remarks(audit.notes)


def _check(check: PerceptionCheck) -> list[PaperCell]:
    named = f"{words.first_upper(words.PERCEPTION.get(check.name, check.name))}, {check.attribute}"
    effect = PaperCell("not assessed", tone="quiet")
    if check.effect is not None:
        effect = within(check.effect, check.low, check.high)
    counts = f"Effect: {perception.measure(check)}" if check.effect is not None else ""
    return [
        PaperCell(perception.question(check), named, strong=True),
        judged(check.verdict),
        effect,
        PaperCell(numbers.p_value(check.p_value)),
        PaperCell(perception.answer_in_full(check), counts),
    ]


def _panel(panel: Panel) -> Iterator[Block]:
    yield heading(panel.title, level=3)
    yield text(panel.text, soft=True)
    for name, said in (("What it does not show", panel.limits), ("Why no verdict", panel.why_no_verdict)):
        if said:
            yield text(f"{name}: {said}", soft=True)
    yield from listed(panel.lines)
    header = list(panel.table[0]) if panel.table else []
    if len(header) <= MOST_COLUMNS:
        yield from table(
            panel.title,
            [
                Column(words.first_upper(words.metric(name)), 2 if i == 0 else 1.2, worded=i == 0)
                for i, name in enumerate(header)
            ],
            [
                [PaperCell(numbers.cell(value), strong=i == 0) for i, value in enumerate(row.values())]
                for row in panel.table
            ],
        )
    left = [*(["pictures"] if panel.images else []), *(["curves"] if panel.curves else [])]
    left += ["figures"] if len(header) > MOST_COLUMNS else []
    if left:
        yield text(f"Its {' and '.join(left)} are in the HTML and the JSON.", soft=True)
