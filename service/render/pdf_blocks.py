"""Arranges a report as the blocks of a document for paper: the sections of the page in short, as plain JSON for the template."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evenhand.auditors.report import Estimate, FeasibleChanges, ProxyAudit, Report
from evenhand.service.render import (
    alternatives,
    bounds,
    checks,
    groups,
    numbers,
    practice,
    proxy_places,
    recomputing,
    recourse,
    sentences,
    words,
)
from evenhand.service.render import proxies as arranged_proxies
from evenhand.service.render import robustness as arranged_robustness

Block = dict[str, Any]

MOST_ROWS = 40
"""Of one table; the rest is in the HTML and the JSON, and the document says so."""
MOST_LENT = 6
"""Groups beside one another in the lending table."""


@dataclass(frozen=True)
class PaperCell:
    text: str
    below: str = ""
    tone: str | None = None
    strong: bool = False


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
    yield from _groups(report)
    yield from _practice(report)
    yield from _other_audits(report)
    yield from _unknown(report)
    yield heading("What this report does not say")
    yield {"kind": "list", "items": sentences.limits(report)}
    yield from _record(report)


# --- pieces ---


def heading(text: str, level: int = 2) -> Block:
    return {"kind": "heading", "text": text, "level": level}


def text(said: str, *, soft: bool = False) -> Block:
    return {"kind": "text", "text": said, "soft": soft}


def facts(items: dict[str, str], *, code: Sequence[str] = ()) -> Block:
    """Names and what they are; those in `code` are for copying."""
    found = [{"name": name, "text": said, "code": name in code} for name, said in items.items()]
    return {"kind": "facts", "items": found}


def table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[PaperCell]],
    *,
    widths: Sequence[float],
    left: Sequence[int],
) -> Iterator[Block]:
    """A table, and a line where it is cut; `left` names the columns that hold words."""
    if not rows:
        return
    yield {
        "kind": "table",
        "caption": caption,
        "header": list(header),
        "rows": [[asdict(cell) for cell in row] for row in rows[:MOST_ROWS]],
        "widths": list(widths),
        "left": [i in left for i in range(len(header))],
    }
    if len(rows) > MOST_ROWS:
        yield text(
            f"{numbers.rows(len(rows) - MOST_ROWS)} more rows of this table are in the HTML and the JSON.", soft=True
        )


def estimated(shown: Estimate | None) -> PaperCell:
    if shown is None or not numbers.is_number(shown.estimate):
        return PaperCell(numbers.UNDEFINED, (shown.reason or "") if shown else "", tone="quiet")
    return PaperCell(numbers.fixed(shown.estimate), numbers.span(shown.low, shown.high))


# --- sections ---


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
        ["Verdict", "Check", "Estimate", "Tolerated", "Decided by"],
        rows,
        widths=[1.5, 2, 1.6, 1.2, 3],
        left=[0, 1, 4],
    )
    beside = [check.finding for check in checks.arrange(report) if not check.gated]
    proven = [found for found in beside if words.VERDICTS[found.verdict] == words.VERDICTS["proven_disparity"]]
    if proven:
        named = "; ".join(
            f"{words.metric(found.metric)}{f', {found.attribute}' if found.attribute else ''} "
            f"({numbers.short(found.estimate)})"
            for found in proven[:MOST_ROWS]
        )
        yield text(f"Proven too, without counting for the gate, each with an error of its own: {named}.", soft=True)


def _groups(report: Report) -> Iterator[Block]:
    shown = groups.tables(report)
    if shown:
        yield heading("Groups")
    for each in shown:
        rows = [
            [PaperCell(words.group(row.group), groups.tag(row), strong=True), PaperCell(numbers.rows(row.n))]
            + [estimated(row.metrics.get(metric)) for metric in each.headline]
            for row in each.rows
        ]
        yield from table(
            f"Rates by {each.attribute}, with intervals of 95 % below",
            [
                words.first_upper(each.attribute),
                "Rows",
                *(words.first_upper(words.metric(name)) for name in each.headline),
            ],
            rows,
            widths=[2, 0.9, *(1.5 for _ in each.headline)],
            left=[0],
        )


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
        [one.header[0], *(one.header[i + 1] for i in columns)],
        rows,
        widths=[2, *(2 if one.worded[i] else 1.1 for i in columns)],
        left=[0, *(place + 1 for place, i in enumerate(columns) if one.worded[i])],
    )
    for note in one.notes:
        yield text(note, soft=True)


def _narrow(one: practice.PracticeTable) -> practice.PracticeTable:
    """The lending table with the groups that paper has room for."""
    more = len(one.header) - 1 - MOST_LENT
    notes = [*one.notes, *([f"{numbers.rows(more)} more groups are in the HTML and the JSON."] if more > 0 else [])]
    rows = [practice.Row(row.name, row.cells[:MOST_LENT], row.tag, row.faint) for row in one.rows]
    return practice.PracticeTable(one.attribute, one.caption, one.header[: MOST_LENT + 1], rows, notes)


def _other_audits(report: Report) -> Iterator[Block]:
    yield from _proxies(report)
    yield from _robustness(report)
    yield from _perception(report)


def _proxies(report: Report) -> Iterator[Block]:
    audit = report.audits.proxy
    if audit is None:
        return
    yield heading("Features that stand in for an attribute")
    if audit.surrogate is not None:
        yield text(audit.surrogate.message)
    for attribute in arranged_proxies.attributes(audit):
        for choice in alternatives.proven(audit, attribute):
            yield text(f"Less discriminatory alternative, {attribute}: {choice.message}")
        rows = [
            [
                PaperCell(row.feature, strong=True),
                PaperCell(
                    words.role(row.role), "by the surrogate" if row.surrogate else "", tone=words.TONES.get(row.role)
                ),
                PaperCell(numbers.fixed(row.encodes.auc), numbers.span(row.encodes.low, row.encodes.high)),
                PaperCell(numbers.fixed(row.flip_rate)),
                estimated(row.contribution),
            ]
            for row in arranged_proxies.features(audit, attribute)
        ]
        yield from table(
            f"Features and {attribute}: proxies, joint proxies and masking features need justification",
            ["Feature", "Role", "Encodes (area)", "Decisions turned", "Part of the gap"],
            rows,
            widths=[2, 1.4, 1.4, 1.2, 1.4],
            left=[0, 1],
        )
        yield from _beside_the_features(audit, attribute)


def _beside_the_features(audit: ProxyAudit, attribute: str) -> Iterator[Block]:
    """Joint sets, regions, the gap's explained part, leakage and how many other choices were tried, in short."""
    for found in arranged_proxies.sets(audit, attribute):
        yield text(arranged_proxies.set_in_words(found))
    for place in proxy_places.regions(audit, attribute):
        inside, elsewhere = place.inside, place.outside
        yield text(
            f"{inside.feature} encodes {attribute} where {inside.stratum} ({numbers.short(inside.encodes.auc)}), and is "
            f"not shown to elsewhere ({numbers.short(elsewhere.encodes.auc)}): {words.role(inside.role)}."
        )
    for spot in proxy_places.set_regions(audit, attribute):
        yield text(
            f"{arranged_proxies.set_name(spot.inside)} together encode {attribute} where {spot.inside.stratum} "
            f"({numbers.short(spot.inside.encodes.auc)}), and are not shown to elsewhere "
            f"({numbers.short(spot.outside.encodes.auc)}): {words.role(spot.inside.role)}."
        )
    for split in audit.explained:
        if split.attribute == attribute:
            yield text(arranged_proxies.explained_in_words(split))
    for leak in arranged_proxies.leaks(audit, attribute):
        yield text(arranged_proxies.leak_in_words(leak), soft=True)
    tried = alternatives.choices(audit, attribute)
    if tried:
        proven = len(alternatives.proven(audit, attribute))
        yield text(
            f"{words.first_upper(words.plural(len(tried), 'other choice'))} tried, "
            f"{words.number_word(proven) if proven else 'none'} proven less discriminatory. Each, with what it costs, is "
            "in the HTML and the JSON.",
            soft=True,
        )


def _robustness(report: Report) -> Iterator[Block]:
    audit = report.audits.robustness
    if audit is None:
        return
    if audit.changes is not None:
        yield from _changes(audit.changes, audit.notes)
        return
    yield heading("Robustness by group")
    yield text(sentences.attack(report), soft=True)
    rows = [
        [
            PaperCell(arranged_robustness.name(row), strong=True),
            PaperCell(numbers.rows(row.n)),
            estimated(row.clean_accuracy),
            estimated(row.robust_accuracy),
        ]
        for row in audit.groups
    ]
    yield from table(
        "Accuracy without and under attack",
        ["Group", "Pictures", "Clean accuracy", "Robust accuracy"],
        rows,
        widths=[2.4, 1, 1.6, 1.6],
        left=[0],
    )
    if audit.masking.suspected:
        yield text("Gradient masking is suspected: robust accuracy may be too high, and nothing is concluded from it.")


def _changes(changes: FeasibleChanges, notes: Sequence[str]) -> Iterator[Block]:
    yield heading("Recourse and fragility by group")
    for question, title in recourse.QUESTIONS.items():
        rows = [
            [
                PaperCell(words.group(row.group), strong=True),
                PaperCell(numbers.rows(row.n)),
                PaperCell(numbers.rows(row.searched)),
                estimated(row.share),
                estimated(row.median_cost),
            ]
            for row in recourse.groups(changes, question)
        ]
        yield text(recourse.asked(changes, question), soft=True)
        yield from table(
            f"{title} by group",
            ["Group", "Rows", "Searched", recourse.SHARES[question], "Median cost"],
            rows,
            widths=[2, 1, 1, 1.6, 1.6],
            left=[0],
        )
        for example in recourse.examples(changes, question):
            yield text(f"{words.group(example.group)}, row {numbers.rows(example.row)}: {example.text}.")
    for note in (recourse.setting(changes), *notes):
        yield text(note, soft=True)


def _perception(report: Report) -> Iterator[Block]:
    audit = report.audits.perception
    if audit is None:
        return
    yield heading("What the network sees")
    rows = [
        [
            PaperCell(words.PERCEPTION.get(row.name, row.name), row.attribute, strong=True),
            PaperCell(words.VERDICTS.get(row.verdict, row.verdict), tone=words.TONES.get(row.verdict)),
            PaperCell(numbers.fixed(row.effect), numbers.span(row.low, row.high)),
            PaperCell(row.reason or row.direction or ""),
        ]
        for row in audit.checks
    ]
    yield from table(
        "Checks of perception",
        ["Check", "Verdict", "Effect", "In words"],
        rows,
        widths=[2.4, 1.4, 1.4, 2],
        left=[0, 1, 3],
    )


def _unknown(report: Report) -> Iterator[Block]:
    audit = report.audits.group_disparity
    if audit is None or not audit.bounds:
        return
    yield heading("What is not known")
    for one in bounds.tables(audit):
        rows = [
            [
                PaperCell(words.metric(row.metric), strong=True),
                PaperCell(numbers.rows(row.unknown)),
                PaperCell(numbers.fixed(row.estimate)),
                PaperCell(numbers.span(row.lowest, row.highest) or numbers.UNDEFINED),
                PaperCell(row.note),
            ]
            for row in one.rows
        ]
        yield from table(
            f"{words.first_upper(one.attribute)}: each check over every way to fill in the rows without a value",
            ["Check", "Unknown rows", "Among the known", "Possible range", "In words"],
            rows,
            widths=[1.6, 0.9, 1, 1.5, 2.6],
            left=[0, 4],
        )


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
