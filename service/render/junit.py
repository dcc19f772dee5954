"""The gated findings as JUnit XML, for CI servers that show tests."""

import io

import junitparser

from evenhand.auditors.report import Finding, Report
from evenhand.auditors.verdict import Gate, Verdict
from evenhand.service.render import checks, numbers, subgroups, words


def xml(report: Report) -> str:
    """One test case a gated check: failed on a proven disparity, skipped where a strict check is not proven within."""
    suite = junitparser.TestSuite(f"evenhand: {_clean(report.subject.title)}")
    for check in checks.gated(report):
        suite.add_testcase(_case(check.finding))
    suite.add_property("outcome", report.gate.outcome)
    suite.add_property("exit_code", str(report.gate.exit_code))
    if (search := subgroups.of(report)) is not None:
        suite.add_property("subgroups_searched", str(search.searched))
        suite.add_property("subgroups_confirmed", str(len(subgroups.confirmed(search))))
        suite.add_property("worst_subgroups", _clean(subgroups.outcome(search)))
    document = junitparser.JUnitXml()
    document.add_testsuite(suite)
    written = io.BytesIO()
    document.write(written)
    return written.getvalue().decode()


def _case(finding: Finding) -> junitparser.TestCase:
    name = words.metric(finding.metric) + (f", {finding.attribute}" if finding.attribute else "")
    case = junitparser.TestCase(_clean(name), classname=f"evenhand.{finding.audit}")
    case.append(_properties(finding))  # type: ignore[no-untyped-call]  # the library types a part of itself
    if finding.verdict is Verdict.PROVEN_DISPARITY:
        case.result = [junitparser.Failure(_clean(finding.message), "disparity proven")]
    elif finding.gate is Gate.STRICT and finding.verdict is not Verdict.PROVEN_WITHIN:
        case.result = [junitparser.Skipped(f"insufficient data: {_clean(finding.message)}")]
    return case


def _properties(finding: Finding) -> junitparser.Properties:
    properties = junitparser.Properties()  # type: ignore[no-untyped-call]
    properties.add_property(junitparser.Property("verdict", finding.verdict.value))
    for name in ("estimate", "low", "high", "tolerance"):
        value = getattr(finding, name)
        properties.add_property(
            junitparser.Property(name, repr(value) if numbers.is_number(value) else numbers.UNDEFINED)
        )
    properties.add_property(junitparser.Property("gate", finding.gate.value))
    return properties


def _clean(text: str) -> str:
    """Without what XML cannot hold, escaped or not, and what would turn the direction of reading."""
    return words.on_lines(text)
