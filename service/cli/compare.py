"""`evenhand compare`: what changed between two reports."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evenhand.service.cli.failing import Work, failing_clearly

if TYPE_CHECKING:
    from rich.console import Console

    from evenhand.auditors.report import Finding, Report
    from evenhand.auditors.verdict import Verdict
    from evenhand.service.reports.documents import ChangedFinding, ReportDiff

REPORT = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("compare")
@click.argument("before", type=REPORT)
@click.argument("after", type=REPORT)
@click.option("--all", "every", is_flag=True, help="List the findings that are not gated too.")
@click.option(
    "--allow-policy-change",
    is_flag=True,
    help="Let a policy pass that is looser or asks another question: it was reviewed.",
)
def command(before: Path, after: Path, every: bool, allow_policy_change: bool) -> None:
    """Show what differs between two reports (JSON); exits 1 when a gated check got worse or is gone, or may pass by a
    change of the policy."""
    with failing_clearly(Work("the comparison", "nothing was compared")):
        from evenhand.service.cli.console import Screen

        found = print_difference(read_report(before), read_report(after), Screen(), every=every)
        code = int(found.worse or (found.policy_lets_pass and not allow_policy_change))
        click.echo(f"Exit code {code}: {_in_words(found, allowed=allow_policy_change)}.")
    raise SystemExit(code)


@dataclass(frozen=True)
class Compared:
    """What a comparison comes to.

    Attributes:
        worse: a gated check got worse, is newly proven against, or is gone though the policy asks for it.
        looser: the policy lets more pass than before, by a dropped check also.
        asks_another: the policy asks another question, whose answer may pass where the former did not.
        dropped: a check that was gated is gone by the policy.
        tightened: a check turned for no other reason than that its tolerance is tighter.
    """

    worse: bool
    looser: bool = False
    asks_another: bool = False
    dropped: bool = False
    tightened: bool = False

    @property
    def policy_lets_pass(self) -> bool:
        return self.looser or self.asks_another


def _in_words(found: Compared, *, allowed: bool) -> str:
    by_policy = _of_the_policy(found)
    if by_policy and not allowed:
        before = "a gated check got worse or is gone; " if found.worse else ""
        return f"{before}{by_policy}. Where that was reviewed, add --allow-policy-change"
    said = [_of_the_checks(found)]
    if found.tightened:
        said.append("a check turned by its tighter tolerance alone, which the gate of the report itself judges")
    if by_policy:
        said.append(f"{by_policy}, as --allow-policy-change allows")
    return "; ".join(said)


def _of_the_checks(found: Compared) -> str:
    if found.worse:
        return "a gated check got worse or is gone"
    return "no gated check got worse" if found.dropped else "no gated check got worse or is gone"


def _of_the_policy(found: Compared) -> str:
    said = [
        *(["no longer asks for a check that was gated"] if found.dropped else []),
        *(["lets more pass than before"] if found.looser else []),
        *(["asks another question than before"] if found.asks_another else []),
    ]
    return f"the policy {' and '.join(said)}" if said else ""


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


def print_difference(before: "Report", after: "Report", console: "Console", *, every: bool = False) -> Compared:
    """Print what changed in the policy, then in gated checks, then how many other findings changed, or all of them."""
    from evenhand.auditors.verdict import Gate, Verdict
    from evenhand.service.reports.diff import diff
    from evenhand.service.reports.policy_diff import Effect, asks_for, policy_changes, policy_of, tightened_alone

    changes = diff(before, after)
    policy = policy_changes(before, after)
    say = partial(console.print, markup=False)
    say(
        f"Since {before.created:%Y-%m-%d %H:%M} ({_spoken(before.verdict)}) → {after.created:%Y-%m-%d %H:%M} "
        f"({_spoken(after.verdict)})"
    )
    for change in policy:
        say(f"  policy: {change.what}: {change.before} → {change.after} ({change.effect.value})")
    gated = [each for each in changes.changed if Gate.OFF not in (each.before.gate, each.after.gate)]
    added = [finding for finding in changes.added if finding.gate is not Gate.OFF]
    asked = policy_of(after)
    gone = [finding for finding in changes.removed if finding.gate is not Gate.OFF and asks_for(asked, finding)]
    for each in gated:
        say(f"  {_changed(each)}")
    for finding in added:
        say(f"  new: {_named(finding)}: {_estimate(finding)}, {_spoken(finding.verdict)}")
    for finding in gone:
        say(f"  gone, and gated before: {_named(finding)}")
    if not (policy or gated or added or gone):
        say("  no gated finding changed")
    _print_others(changes, console, every=every)
    return Compared(
        worse=bool(gone)
        or any(_got_worse(each) for each in gated)
        or any(finding.verdict is Verdict.PROVEN_DISPARITY for finding in added),
        looser=any(change.effect is Effect.LOOSER for change in policy),
        asks_another=any(change.effect is Effect.ANOTHER for change in policy),
        dropped=any(change.drops for change in policy),
        tightened=any(_turned(each) and tightened_alone(each.before, each.after) for each in gated),
    )


def _print_others(changes: "ReportDiff", console: "Console", *, every: bool) -> None:
    """Findings that no gate turns on: in one line, or each in its own."""
    from evenhand.auditors.verdict import Gate

    changed = [each for each in changes.changed if Gate.OFF in (each.before.gate, each.after.gate)]
    added, removed = (
        [finding for finding in findings if finding.gate is Gate.OFF] for findings in (changes.added, changes.removed)
    )
    say = partial(console.print, markup=False)
    if not every:
        turned = sum(each.verdict_changed for each in changed)
        counted = f"{len(changed):,} changed, {turned:,} in verdict; {len(added):,} new; {len(removed):,} gone"
        if changed or added or removed:
            say(f"  not gated: {counted} (`evenhand compare --all` lists them)")
        return
    for each in changed:
        say(f"  not gated: {_changed(each)}")
    for what, findings in (("new", added), ("gone", removed)):
        for finding in findings:
            say(f"  not gated, {what}: {_named(finding)}: {_estimate(finding)}, {_spoken(finding.verdict)}")


def _changed(each: "ChangedFinding") -> str:
    from evenhand.auditors.words import number

    old, new = each.before, each.after
    text = f"{_named(new)}: {_estimate(old)} → {_estimate(new)}, {_spoken(old.verdict)} → {_spoken(new.verdict)}"
    if old.tolerance != new.tolerance:
        text += f", tolerance {number(old.tolerance)} → {number(new.tolerance)}"
    if _got_worse(each):
        return f"{text}, worse"
    return f"{text}, by the tighter tolerance alone" if _turned(each) else text


def _got_worse(each: "ChangedFinding") -> bool:
    from evenhand.service.reports.policy_diff import tightened_alone

    return _turned(each) and not tightened_alone(each.before, each.after)


def _turned(each: "ChangedFinding") -> bool:
    """Whether the verdict is a less favourable one."""
    from evenhand.auditors.verdict import Verdict

    order = (Verdict.PROVEN_WITHIN, Verdict.INCONCLUSIVE, Verdict.PROVEN_DISPARITY)
    return order.index(each.after.verdict) > order.index(each.before.verdict)


def _named(finding: "Finding") -> str:
    """Its metric and attribute; of one that is part of a check also the groups, for the check has many such."""
    from evenhand.auditors.words import group_name, printable, spoken

    whole = f"{spoken(finding.metric)}, {printable(finding.attribute or '')}"
    if finding.group is None or finding.id.endswith(f"/{finding.attribute}"):
        return whole
    beside = "the rest" if finding.reference is None else group_name(finding.reference)
    return f"{whole} ({group_name(finding.group)} and {beside})"


def _estimate(finding: "Finding") -> str:
    from evenhand.auditors.words import number

    return number(finding.estimate)


def _spoken(verdict: "Verdict") -> str:
    return verdict.value.replace("_", " ")
