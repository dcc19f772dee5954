"""The report on a terminal: one line a gated check, a table for each attribute, and a last line that says what the exit code means."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evenhand.auditors.report import Estimate, Report
from evenhand.service.render import checks, groups, numbers, sentences, words

STYLES = {"bad": "bold red", "ok": "green", "maybe": "yellow", "quiet": "dim"}
MOST_ROWS = 30
"""More groups are in the other outputs; a terminal says how many."""


def show(report: Report, *, console: Console, quiet: bool = False) -> None:
    """Prints the report; `quiet` prints the last line alone."""
    if not quiet:
        _headline(report, console)
        for table in groups.tables(report):
            if table.single:
                console.print(_groups(table))
                _count_left_out(table, console)
        gated = checks.gated(report)
        if gated:
            console.print(_checks(gated))
        for note in _open_questions(gated):
            console.print(Text(words.printable(note)), soft_wrap=True)
    style = STYLES[words.TONES.get(report.gate.outcome, "maybe")]
    console.print(Text(sentences.outcome(report), style=style), soft_wrap=True, highlight=False)


def _headline(report: Report, console: Console) -> None:
    console.print(Text(words.printable(report.subject.title), style="bold"))
    model = f"model {words.printable(report.subject.model.name)}" if report.subject.model else "predictions only"
    console.print(Text(f"{numbers.rows(report.subject.data.rows)} rows, {model}, seed {report.seed}", style="dim"), highlight=False)
    console.print()
    verdict = words.VERDICTS[report.verdict]
    said = f"{words.first_upper(verdict)}. {sentences.verdict(report)} {sentences.aside(report)}".rstrip()
    console.print(Text(words.printable(said), style=STYLES[words.TONES[report.verdict]]), highlight=False)
    console.print()


def _groups(table: groups.GroupTable) -> Table:
    shown = Table(title=Text(words.first_upper(words.printable(table.attribute))), title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("group", overflow="fold")
    shown.add_column("rows", justify="right", no_wrap=True)
    for metric in table.headline:
        shown.add_column(words.metric(metric), justify="right")
    for row in table.rows[:MOST_ROWS]:
        tag = groups.tag(row)
        name = Text(words.group(row.group) + (f" ({tag})" if tag else ""), style="dim" if tag else "")
        shown.add_row(name, numbers.rows(row.n), *(_estimate(row.metrics.get(metric)) for metric in table.headline))
    return shown


def _count_left_out(table: groups.GroupTable, console: Console) -> None:
    left_out = len(table.rows) - MOST_ROWS
    if left_out > 0:
        console.print(f"and {numbers.rows(left_out)} smaller groups: see --html or --json", style="dim", highlight=False)
    console.print()


def _estimate(shown: Estimate | None) -> Text:
    if shown is None:
        return Text("")
    if not numbers.is_number(shown.estimate):
        return Text(numbers.UNDEFINED, style="dim")
    return Text.assemble(numbers.fixed(shown.estimate), (f" ({numbers.span(shown.low, shown.high)})", "dim"))


def _checks(gated: list[checks.Check]) -> Table:
    shown = Table(title="Checks", title_justify="left", title_style="bold", box=None, pad_edge=False)
    shown.add_column("verdict", no_wrap=True)
    shown.add_column("metric", overflow="fold")
    shown.add_column("attribute", overflow="fold")
    shown.add_column("estimate", justify="right", no_wrap=True)
    shown.add_column("interval", justify="right", no_wrap=True)
    shown.add_column("tolerance", justify="right", no_wrap=True)
    shown.add_column("deciding pair", overflow="fold")
    for check in gated:
        finding = check.finding
        shown.add_row(
            Text(words.VERDICTS[finding.verdict], style=STYLES[words.TONES[finding.verdict]]),
            Text(words.metric(finding.metric)),
            Text(words.printable(finding.attribute or "")),
            numbers.fixed(finding.estimate),
            numbers.span(finding.low, finding.high),
            Text(sentences.tolerance(finding)),
            Text(sentences.pair(finding)),
        )
    return shown


def _open_questions(gated: list[checks.Check]) -> list[str]:
    """What would settle the checks that are open."""
    notes = [(check.finding, sentences.still_needed(check.finding)) for check in gated]
    said = [f"{words.metric(finding.metric)}, {finding.attribute}: {note}" for finding, note in notes if note]
    return ["", *said, ""] if said else [""]
