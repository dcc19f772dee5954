"""What a decision may be about, in words: the whole report, or one of its findings."""

from evenhand.auditors.report import Finding, Report
from evenhand.service.render import checks, words
from evenhand.service.reports.diff import is_pair

WHOLE_REPORT = "the whole report"


def choices(report: Report) -> list[tuple[str, str]]:
    """Id and name of each check and proxy, gated ones first; the pairs of groups behind a check go with it."""
    return [
        (check.finding.id, f"{named(check.finding)}: {_verdict(check.finding)}") for check in checks.arrange(report)
    ]


def names(report: Report) -> dict[str, str]:
    """Id to name of every finding."""
    return {finding.id: named(finding) for finding in report.findings}


def named(finding: Finding) -> str:
    """'Impact ratio, race', 'ZIP as a proxy of race', or of a pair 'Impact ratio, race: B and A'."""
    proxy = f"proxy/contribution/{finding.attribute}/"
    if finding.id.startswith(proxy):
        return f"{finding.id.removeprefix(proxy)} as a proxy of {finding.attribute}"
    name = words.first_upper(words.metric(finding.metric)) + (f", {finding.attribute}" if finding.attribute else "")
    return f"{name}: {words.group(finding.group)} and {words.group(finding.reference)}" if is_pair(finding) else name


def _verdict(finding: Finding) -> str:
    return words.VERDICTS[finding.verdict.value]
