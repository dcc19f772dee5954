"""Arranges a report as the blocks of a document for paper: the sections of the page in short, as plain JSON for the template."""

from collections.abc import Iterator
from typing import Any

from evenhand.auditors.report import Report
from evenhand.service.render import (
    checks,
    numbers,
    pdf_groups,
    pdf_perception,
    pdf_proxies,
    pdf_representation,
    pdf_robustness,
    practice,
    recomputing,
    sentences,
    words,
)
from evenhand.service.render.pdf_pieces import (
    MOST_ROWS,
    Block,
    Column,
    PaperCell,
    facts,
    heading,
    table,
    text,
)

MOST_LENT = 6
"""Groups beside one another in the lending table."""


def document(report: Report) -> dict[str, Any]:
    """Title, footer and blocks."""
    return {
        "title": report.subject.title or "Report",
        "description": f"Bias audit report {report.id}",
        "footer": f"evenhand, report {report.id}",
        "blocks": list(_blocks(report)),
    }


def _blocks(report: Report) -> Iterator[Block]:
    yield from _opening(report)
    yield from _checks(report)
    yield from pdf_groups.rates(report)
    yield from pdf_groups.unknown(report)
    yield from pdf_groups.beyond(report)
    yield from _practice(report)
    yield from pdf_proxies.blocks(report)
    yield from pdf_robustness.blocks(report)
    yield from pdf_perception.blocks(report)
    yield from pdf_representation.blocks(report)
    yield heading("What this report does not say")
    yield {"kind": "list", "items": sentences.limits(report)}
    yield from _record(report)


def _opening(report: Report) -> Iterator[Block]:
    data, disparity = report.subject.data, report.audits.group_disparity
    yield heading(report.subject.title or "Report", level=1)
    said = [
        f"{report.created.day} {report.created.strftime('%B %Y, %H:%M %Z')}",
        f"{numbers.rows(data.rows)} rows of {data.name}",
        f"model {report.subject.model.name}" if report.subject.model else "predictions only",
        *([f"positive = {disparity.positive}", f"favourable = {disparity.favourable}"] if disparity else []),
        f"seed {report.seed}",
    ]
    yield text(" · ".join(said), soft=True)
    for warning in (*data.warnings, *(report.subject.model.warnings if report.subject.model else ())):
        yield text(f"Warning: {warning}")
    reasons = words.first_upper("; ".join(report.gate.reasons))
    yield {
        "kind": "verdict",
        "tone": words.TONES.get(report.verdict, "quiet"),
        "verdict": words.first_upper(words.VERDICTS[report.verdict]),
        "text": f"{sentences.verdict(report)} {sentences.aside(report)}".strip(),
        "more": [f"Gate: {report.gate.outcome}. {sentences.outcome(report)}", *([f"{reasons}."] if reasons else [])],
    }


def _checks(report: Report) -> Iterator[Block]:
    gated = checks.gated(report)
    yield heading("Checks")
    if not gated:
        yield text("No check was gated.")
    rows = [
        [
            PaperCell(words.VERDICTS[found.verdict], tone=words.TONES[found.verdict]),
            PaperCell(words.metric(found.metric), found.attribute or ""),
            PaperCell(numbers.fixed(found.estimate), numbers.span(found.low, found.high)),
            PaperCell(sentences.tolerance(found)),
            PaperCell(sentences.pair(found), sentences.still_needed(found)),
        ]
        for found in (check.finding for check in gated)
    ]
    yield from table(
        "What the policy asks, with the interval that decides",
        [
            Column("Verdict", 1.5, worded=True),
            Column("Check", 2, worded=True),
            Column("Estimate", 1.6),
            Column("Tolerated", 1.2),
            Column("Decided by", 3, worded=True),
        ],
        rows,
    )
    proven = checks.proven_beside(report)
    if proven:
        named = "; ".join(
            f"{words.metric(found.metric)}{f', {found.attribute}' if found.attribute else ''} "
            f"({numbers.short(found.estimate)})"
            for found in proven[:MOST_ROWS]
        )
        yield text(f"Proven too, without counting for the gate, each with an error of its own: {named}.", soft=True)


def _practice(report: Report) -> Iterator[Block]:
    tables = practice.arranged(report)
    if tables is None:
        return
    yield heading("Tables that laws and practice ask for")
    yield text("No table here decides a check, and whether a rule applies is for its reader to say.", soft=True)
    yield heading("Four-fifths rule", level=3)
    yield text(f"{practice.FOUR_FIFTHS_SOURCE}.", soft=True)
    for one in tables.four_fifths:
        yield from _practice_table(one, worded=False)
        said = [f"{row.name}: {row.cells[-1].text}" for row in one.rows[:MOST_ROWS] if row.cells[-1].text]
        if said:
            yield {"kind": "list", "items": said}
    yield heading("New York City, Local Law 144", level=3)
    yield text(f"{practice.LOCAL_LAW_144_SOURCE}. The law sets no limit for the ratio.", soft=True)
    yield facts(tables.facts)
    for one in tables.local_law_144:
        yield from _practice_table(one, worded=True)
    for note in tables.notes:
        yield text(note, soft=True)
    if tables.lending:
        yield heading("Lending", level=3)
    for one in tables.lending:
        yield from _practice_table(_narrow(one), worded=True)


def _practice_table(one: practice.PracticeTable, *, worded: bool) -> Iterator[Block]:
    """With its sentences as a last column, or without."""
    columns = [i for i, in_words in enumerate(one.worded) if worded or not in_words]
    rows = [
        [
            PaperCell(row.name, row.tag, strong=True),
            *(PaperCell(row.cells[i].text, row.cells[i].below) for i in columns),
        ]
        for row in one.rows
    ]
    yield from table(
        one.caption,
        [
            Column(one.header[0], 2, worded=True),
            *(Column(one.header[i + 1], 2 if one.worded[i] else 1.1, worded=one.worded[i]) for i in columns),
        ],
        rows,
    )
    for note in one.notes:
        yield text(note, soft=True)


def _narrow(one: practice.PracticeTable) -> practice.PracticeTable:
    """The lending table with the groups that paper has room for."""
    more = len(one.header) - 1 - MOST_LENT
    notes = [*one.notes, *([f"{numbers.rows(more)} more groups are in the HTML and the JSON."] if more > 0 else [])]
    rows = [practice.Row(row.name, row.cells[:MOST_LENT], row.tag, row.faint) for row in one.rows]
    return practice.PracticeTable(one.attribute, one.caption, one.header[: MOST_LENT + 1], rows, notes)


def _record(report: Report) -> Iterator[Block]:
    data, model = report.subject.data, report.subject.model
    yield heading("How to recompute this report")
    recipe = recomputing.recipe(report, ascii_only=True)
    yield text(recipe.save)
    yield {"kind": "code", "text": recipe.policy}
    yield text(recipe.run)
    yield {"kind": "code", "text": recipe.command}
    yield text("The same data, model, policy and seed give the same report, apart from its id and times.", soft=True)
    found = {
        "Data": f"{data.name}, {numbers.rows(data.rows)} rows, {numbers.rows(len(data.columns))} columns",
        "Data sha256": data.sha256,
        "Source": data.source,
        "Licence": data.licence,
        "Model": f"{model.name}, {model.kind}" if model else None,
        "Model sha256": model.sha256 if model else None,
        **sentences.context(report),
        "Report": f"{report.id}, {report.schema_name}",
        "Made by": f"{' '.join(report.tool.values())}, Python {report.environment.python}, {report.environment.platform}",
        "Signature": report.signature,
    }
    shown = {name: str(said) for name, said in found.items() if said}
    yield facts(shown, code=("Data sha256", "Model sha256", "Signature"))
