"""A result in a notebook: the verdict in a sentence, the gated checks, and the groups to fold out.

The whole report has a page of its own; this is plain HTML without style, which a notebook gives its own look.
"""

from collections.abc import Iterable
from html import escape

from evenhand.auditors.gate import EXIT_MEANING
from evenhand.auditors.report import AttributeResult, Finding, Report
from evenhand.service.render import checks, numbers, sentences, words

SHOWN_METRICS = (
    "favourable_rate",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "precision",
    "accuracy",
)
"""The columns of a table of groups; the report has them all."""


def html(report: Report) -> str:
    """An HTML fragment; everything from the data is escaped."""
    said = escape(" ".join(text for text in (str(sentences.verdict(report)), sentences.aside(report)) if text))
    data = report.subject.data
    parts = [
        f"<p><strong>{escape(words.VERDICTS[report.verdict])}</strong>: {said}</p>",
        f"<p>{escape(report.subject.title)}. {data.rows:,} rows; exit code {report.gate.exit_code}: "
        f"{escape(EXIT_MEANING[report.gate.exit_code])}.</p>",
        _table(
            ("check", "attribute", "estimate", "interval", "tolerance", "gate", "verdict"),
            (_check(check.finding) for check in checks.gated(report)),
        ),
    ]
    if report.audits.group_disparity is not None:
        parts += [_groups(attribute) for attribute in report.audits.group_disparity.attributes]
    return f"<div>{''.join(parts)}</div>"


def _check(finding: Finding) -> tuple[str, ...]:
    return (
        words.metric(finding.metric),
        finding.attribute or "",
        numbers.fixed(finding.estimate),
        numbers.span(finding.low, finding.high),
        numbers.fixed(finding.tolerance, 2),
        finding.gate.value,
        words.VERDICTS[finding.verdict],
    )


def _groups(attribute: AttributeResult) -> str:
    shown = [name for name in SHOWN_METRICS if name in attribute.overall.metrics]
    rows = [
        (
            words.group(group.group),
            f"{group.n:,}",
            *(numbers.fixed(group.metrics[name].estimate) for name in shown),
        )
        for group in attribute.groups
    ]
    table = _table((attribute.attribute, "rows", *(words.metric(name) for name in shown)), rows)
    return f"<details><summary>Groups of {escape(attribute.attribute)}</summary>{table}</details>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
