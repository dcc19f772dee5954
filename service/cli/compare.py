"""`evenhand compare`: what changed between two reports."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.service.cli.failing import Work, failing_clearly

if TYPE_CHECKING:
    from rich.console import Console

    from evenhand.auditors.report import Report

REPORT = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("compare")
@click.argument("before", type=REPORT)
@click.argument("after", type=REPORT)
def command(before: Path, after: Path) -> None:
    """Show the findings that differ between two reports (JSON); exits 1 when a gated check got worse or is gone."""
    with failing_clearly(Work("the comparison", "nothing was compared")):
        from evenhand.service.cli.console import Screen

        worse = print_difference(read_report(before), read_report(after), Screen())
        said = "a gated check got worse or is gone" if worse else "no gated check got worse or is gone"
        click.echo(f"Exit code {int(worse)}: {said}.")
    raise SystemExit(1 if worse else 0)


def read_report(path: Path) -> "Report":
    """A report from its JSON file.

    Raises:
        BadReport: it is no report, or of another version; says where.
    """
    from pydantic import ValidationError

    from evenhand.auditors.report import Report
    from evenhand.service.audits.errors import BadReport
    from evenhand.service.audits.policy_file import problems

    try:
        return Report.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadReport(path, problems(error, Report)[:5]) from None


def print_difference(before: "Report", after: "Report", console: "Console") -> bool:
    """Print changed findings that are gated, or changed their verdict; whether a gated one got worse."""
    from evenhand.auditors.verdict import Gate, Verdict
    from evenhand.auditors.words import group_name, number, printable, spoken
    from evenhand.service.reports.diff import diff, is_pair

    order = {Verdict.PROVEN_WITHIN: 0, Verdict.INCONCLUSIVE: 1, Verdict.PROVEN_DISPARITY: 2}
    changes = diff(before, after)
    worse = False
    console.print(
        f"Since {before.created:%Y-%m-%d %H:%M} ({before.verdict.value}) → {after.created:%Y-%m-%d %H:%M} ({after.verdict.value})"
    )
    shown = 0
    for change in changes.changed:
        old, new = change.before, change.after
        gated = new.gate is not Gate.OFF
        released = not gated and old.gate is not Gate.OFF
        if not gated and not released and not change.verdict_changed:
            continue
        worse |= released or (gated and order[new.verdict] > order[old.verdict])
        shown += 1
        whose = f" ({group_name(new.group)} and {group_name(new.reference)})" if is_pair(new) else ""
        console.print(
            f"  {spoken(new.metric)}, {printable(new.attribute or '')}{whose}: {number(old.estimate)} → {number(new.estimate)}, "
            f"{old.verdict.value.replace('_', ' ')} → {new.verdict.value.replace('_', ' ')}"
            + (", gated before and not now" if released else ""),
            markup=False,
        )
    for finding in changes.added:
        if finding.gate is not Gate.OFF:
            shown += 1
            worse |= finding.verdict is Verdict.PROVEN_DISPARITY
            console.print(
                f"  new: {spoken(finding.metric)}, {printable(finding.attribute or '')}: {number(finding.estimate)}",
                markup=False,
            )
    for finding in changes.removed:
        if finding.gate is not Gate.OFF:
            shown += 1
            worse = True
            console.print(
                f"  gone, and gated before: {spoken(finding.metric)}, {printable(finding.attribute or '')}",
                markup=False,
            )
    if not shown:
        console.print("  no gated finding changed")
    return worse
