"""The report on a terminal: a table for each attribute, the gated checks, and a last line that explains the exit code."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evenhand.auditors.report import Estimate, ProxyFeature, Report
from evenhand.auditors.verdict import Verdict
from evenhand.service.render import (
    alternatives,
    bounds,
    checks,
    groups,
    numbers,
    practice_text,
    proxies,
    sentences,
    subgroups,
    words,
)

STYLES = {"bad": "bold red", "ok": "green", "maybe": "yellow", "quiet": "dim"}
WIDE = 115
"""Columns from which a check fits on one line; a narrower terminal gets two lines each."""
MOST_ROWS = 30
"""More groups are in the other outputs; a terminal says how many."""


def show(report: Report, *, console: Console, quiet: bool = False) -> None:
    """Prints the report; `quiet` prints the last line alone."""
    if not quiet:
        _headline(report, console)
        for table in groups.tables(report):
            if table.single:
                console.print(_groups(table, wide=console.width >= WIDE))
                _count_left_out(table, console)
        gated = checks.gated(report)
        if gated:
            console.print(_checks(gated, wide=console.width >= WIDE))
        for note in _cut_short(gated, report):
            console.print(Text(words.printable(note), style="dim"), soft_wrap=True, highlight=False)
        for note in _proven_beside(report):
            console.print(Text(words.printable(note)), soft_wrap=True, highlight=False)
        for unknown in bounds.lines(report):
            console.print(Text(words.printable(unknown), style=STYLES["maybe"]), soft_wrap=True, highlight=False)
        for said in practice_text.lines(report):
            console.print(Text(words.printable(said)), soft_wrap=True, highlight=False)
        if (worst := subgroups.line(report)) is not None:
            console.print(Text(words.printable(worst)), soft_wrap=True, highlight=False)
        for line in _proxies(report):
            console.print(line, soft_wrap=True, highlight=False)
        for note in _open_questions(gated):
            console.print(Text(words.printable(note)), soft_wrap=True)
    style = STYLES[words.TONES.get(report.gate.outcome, "maybe")]
    console.print(Text(sentences.outcome(report), style=style), soft_wrap=True, highlight=False)


def _headline(report: Report, console: Console) -> None:
    console.print(Text(words.printable(report.subject.title), style="bold"))
    model = f"model {words.printable(report.subject.model.name)}" if report.subject.model else "predictions only"
    console.print(
        Text(f"{numbers.rows(report.subject.data.rows)} rows, {model}, seed {report.seed}", style="dim"),
        highlight=False,
    )
    console.print()
    for warning in report.subject.data.warnings:
        console.print(Text(f"warning: {words.printable(warning)}", style="yellow"), soft_wrap=True, highlight=False)
    verdict = words.VERDICTS[report.verdict]
    said = f"{words.first_upper(verdict)}. {sentences.verdict(report)} {sentences.aside(report)}".rstrip()
    console.print(Text(words.printable(said), style=STYLES[words.TONES[report.verdict]]), highlight=False)
    for warning in report.subject.model.warnings if report.subject.model else ():
        console.print(Text(words.printable(warning), style=STYLES["maybe"]), highlight=False)
    console.print()


def _groups(table: groups.GroupTable, *, wide: bool) -> Table:
    shown = Table(
        title=Text(words.printable(table.attribute)),
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    names = [len(words.group(row.group)) for row in table.rows[:MOST_ROWS]]
    shown.add_column("group", overflow="fold", min_width=min(max(names, default=0), 24))
    shown.add_column("rows", justify="right", no_wrap=True)
    for metric in table.headline:
        heading = words.metric(metric)
        shown.add_column(heading if wide else "\n".join(heading.rsplit(" ", 1)), justify="right")
    for row in table.rows[:MOST_ROWS]:
        tag = groups.tag(row)
        name = Text(words.group(row.group) + (f" ({tag})" if tag else ""), style="dim" if tag else "")
        shown.add_row(
            name, numbers.rows(row.n), *(_estimate(row.metrics.get(metric), wide=wide) for metric in table.headline)
        )
    return shown


def _count_left_out(table: groups.GroupTable, console: Console) -> None:
    left_out = len(table.rows) - MOST_ROWS
    if left_out > 0:
        console.print(
            f"and {numbers.rows(left_out)} smaller groups: see --html or --json", style="dim", highlight=False
        )
    console.print()


def _estimate(shown: Estimate | None, *, wide: bool) -> Text:
    if shown is None:
        return Text("")
    if not numbers.is_number(shown.estimate):
        return Text(numbers.UNDEFINED, style="dim")
    return _with_interval(shown.estimate, shown.low, shown.high, wide=wide)


def _with_interval(estimate: float | None, low: float | None, high: float | None, *, wide: bool) -> Text:
    """The number, its interval beside it where there is room, below it where there is not."""
    between = numbers.span(low, high)
    apart = f" ({between})" if wide else f"\n{between}"
    return Text.assemble(numbers.fixed(estimate), (apart if between else "", "dim"))


def _checks(gated: list[checks.Check], *, wide: bool) -> Table:
    shown = Table(title="Checks", title_justify="left", title_style="bold", box=None, pad_edge=False)
    said = []
    if any(sentences.own_interval(check) for check in gated):
        said.append(
            "An estimate is the largest gap, or smallest ratio, of all comparisons; beside a pair stands its own."
        )
    if any(check.finding.equivalence_low is not None for check in gated):
        said.append("Intervals are for disparity; those for equivalence are in --json and --html.")
    if said:
        shown.caption, shown.caption_justify = Text(" ".join(said), style="dim"), "left"
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("check", overflow="fold")
    shown.add_column("estimate", justify="right", no_wrap=True)
    shown.add_column("tolerance", justify="right", no_wrap=True)
    if wide:
        shown.add_column("deciding pair", overflow="fold")
    for check in gated:
        finding = check.finding
        name = words.printable(words.metric(finding.metric) + (f", {finding.attribute}" if finding.attribute else ""))
        pair = _deciding_pair(check)
        shown.add_row(
            Text(words.VERDICTS[finding.verdict], style=STYLES[words.TONES[finding.verdict]]),
            Text(name) if wide else Text.assemble(name, (f"\n{pair}" if pair else "", "dim")),
            _with_interval(finding.estimate, finding.low, finding.high, wide=wide),
            Text(sentences.tolerance(finding)),
            *([Text(pair)] if wide else []),
        )
    return shown


def _deciding_pair(check: checks.Check) -> str:
    """'Female over Male .330 (.291 to .374)': the pair that decides, with its own interval where the check has another.

    Where there is no estimate, why.
    """
    if not numbers.is_number(check.finding.estimate) and check.finding.verdict is not Verdict.PROVEN_DISPARITY:
        return words.printable(check.finding.message)
    pair, deciding = sentences.pair(check.finding), check.deciding
    if not pair or deciding is None or deciding.estimate is None:
        return pair
    own = f" ({numbers.span(deciding.low, deciding.high, text='sentence')})" if sentences.own_interval(check) else ""
    return f"{pair} {numbers.short(deciding.estimate)}{own}"


def _cut_short(gated: list[checks.Check], report: Report) -> list[str]:
    """Where pairs are left out, for there are very many: how many are listed of how many."""
    return list(dict.fromkeys(note for check in gated if (note := sentences.pairs_listed(report, check.finding))))


def _proven_beside(report: Report) -> list[str]:
    """Disparities that are proven and do not count for the gate: said, so that no gate hides them."""
    beside = [finding for finding in checks.proven_beside(report) if finding.audit != "proxy"]
    if not beside:
        return []
    named = "; ".join(f"{words.metric(f.metric)}, {f.attribute} ({numbers.short(f.estimate)})" for f in beside)
    return [f"Proven too, without counting for the gate, each with an error of its own: {named}.", ""]


def _proxies(report: Report) -> list[Text]:
    """A proven alternative, then a line for each feature or set that encodes, those that need a justification first."""
    audit = report.audits.proxy
    if audit is None:
        return []
    lines = [Text("Proxies", style="bold")]
    for attribute in proxies.attributes(audit):
        if best := alternatives.line(audit, attribute):
            lines.append(Text(words.printable(f"{'alternative':<18}{best}"), style=STYLES["maybe"]))
        telling = [row for row in proxies.ranked(audit, attribute) if row.role != "neutral"]
        for row in telling:
            by = " (by the surrogate)" if isinstance(row, ProxyFeature) and row.surrogate else ""
            numbers_said = proxies.row_in_words(audit, row)
            said = f"{words.role(row.role):<18}{proxies.placed_name(row)}, {attribute}: {numbers_said}{by}"
            lines.append(Text(words.printable(said), style=STYLES[words.TONES[row.role]]))
        if not telling:
            said = f"{'none found':<18}{attribute}: {proxies.none_in_words(audit, attribute)}"
            lines.append(Text(words.printable(said), style="dim"))
    return [*lines, Text("")]


def _open_questions(gated: list[checks.Check]) -> list[str]:
    """What would settle the checks that are open."""
    notes = [(check.finding, sentences.still_needed(check.finding)) for check in gated]
    said = [f"{words.metric(finding.metric)}, {finding.attribute}: {note}" for finding, note in notes if note]
    return ["", *said, ""] if said else [""]
