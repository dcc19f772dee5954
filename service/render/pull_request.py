"""The report as Markdown: a summary for a pull request comment. The whole is in the HTML report."""

import re

from evenhand.auditors.report import Estimate, Report
from evenhand.service.render import bounds, checks, groups, numbers, practice_text, proxies, sentences, subgroups, words

MARKS = {"proven_disparity": "🔴", "inconclusive": "🟡", "proven_within": "🟢"}
MOST_GROUPS = 20


def markdown(report: Report) -> str:
    """Verdict, checks, groups of single attributes, what is not said."""
    gated = checks.gated(report)
    parts = [
        f"## {MARKS[report.verdict]} {words.first_upper(words.VERDICTS[report.verdict])}: {text(report.subject.title)}",
        text(f"{sentences.verdict(report)} {sentences.aside(report)}".strip()),
        f"**{text(sentences.outcome(report))}**",
    ]
    if gated:
        header = ["Verdict", "Check", "Estimate", "Interval", "Tolerance", "Decided by"]
        parts += ["### Checks", table(header, [_check(check) for check in gated])]
        parts += [text(unknown) for unknown in bounds.lines(report)]
    for shown in groups.tables(report):
        if shown.single:
            parts += [f"### {text(shown.attribute)}", _groups(shown)]
            if len(shown.rows) > MOST_GROUPS:
                parts.append(f"and {numbers.rows(len(shown.rows) - MOST_GROUPS)} smaller groups in the report")
    if (worst := subgroups.line(report)) is not None:
        parts.append(text(worst))
    if (proxy := report.audits.proxy) is not None:
        said = [line for attribute in proxies.attributes(proxy) for line in proxies.brief(proxy, attribute)]
        parts += ["### Proxies", "\n".join(f"- {text(line)}" for line in said)] if said else []
    practised = [
        f"{text(caption)}\n\n{table(['Group', *map(text, header[1:])], [[text(cell) for cell in row] for row in body])}"
        for caption, header, body in practice_text.markdown_tables(report)
    ]
    if practised:
        shown_tables = "\n\n".join(practised)
        parts.append(
            f"<details><summary>Tables that laws and practice ask for</summary>\n\n{shown_tables}\n\n</details>"
        )
    limits = "\n".join(f"- {text(limit)}" for limit in sentences.limits(report))
    parts.append(f"<details><summary>What this report does not say</summary>\n\n{limits}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def text(value: str) -> str:
    """Text that Markdown and HTML leave alone, on one line, that mentions nobody and links nowhere."""
    one_line = " ".join(words.printable(value).split())
    escaped = re.sub(r"([\\`*_\[\]<>|~#&@])", r"\\\1", one_line).replace("\\@", "@\u200b")
    return re.sub(
        r":(?=//)|(?<=www)\.", r"\\\g<0>", escaped, flags=re.IGNORECASE
    )  # else GitHub links what looks like an address


def table(header: list[str], body: list[list[str]]) -> str:
    """A Markdown table; the first column is text, numbers after it stand right."""
    lines = [
        header,
        [
            ":--" if name in ("Verdict", "Check", "Group", "Decided by", "In words", "Remark") else "--:"
            for name in header
        ],
        *body,
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _check(check: checks.Check) -> list[str]:
    finding = check.finding
    name = words.metric(finding.metric) + (f", {finding.attribute}" if finding.attribute else "")
    return [
        f"{MARKS[finding.verdict]} {words.VERDICTS[finding.verdict]}",
        text(name),
        numbers.fixed(finding.estimate),
        numbers.span(finding.low, finding.high),
        sentences.tolerance(finding),
        text(sentences.pair(finding)),
    ]


def _groups(shown: groups.GroupTable) -> str:
    header = ["Group", "Rows", *(words.first_upper(words.metric(name)) for name in shown.headline)]
    body = []
    for row in shown.rows[:MOST_GROUPS]:
        tag = groups.tag(row)
        name = text(words.group(row.group)) + (f" ({tag})" if tag else "")
        body.append([name, numbers.rows(row.n), *(_estimate(row.metrics.get(metric)) for metric in shown.headline)])
    return table(header, body)


def _estimate(shown: Estimate | None) -> str:
    if shown is None or not numbers.is_number(shown.estimate):
        return numbers.UNDEFINED
    return f"{numbers.fixed(shown.estimate)} ({numbers.span(shown.low, shown.high)})"
