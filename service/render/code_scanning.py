"""Gated findings for code scanning: SARIF 2.1.0 and GitHub's workflow commands, at the check's line of the policy file."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

import sarif_pydantic as sarif_2_1  # type: ignore[import-untyped]  # it publishes no types

from evenhand.auditors.report import Finding, Report
from evenhand.auditors.verdict import Verdict
from evenhand.service.render import checks, words

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Verdict.PROVEN_DISPARITY: "error", Verdict.INCONCLUSIVE: "warning", Verdict.PROVEN_WITHIN: "none"}
LONGEST_FINGERPRINT = 500
KINDS = {Verdict.PROVEN_DISPARITY: "fail", Verdict.INCONCLUSIVE: "open", Verdict.PROVEN_WITHIN: "pass"}


def sarif(report: Report, *, policy_path: str | None = None) -> str:
    """A result for each gated finding; its rule is the metric."""
    findings = [check.finding for check in checks.gated(report)]
    metrics = list(dict.fromkeys(finding.metric for finding in findings))
    driver = sarif_2_1.ToolDriver(
        name="evenhand", version=report.tool.get("version"), rules=[_rule(metric) for metric in metrics]
    )
    lines = _policy_lines(policy_path)
    data = quote(report.subject.data.name)
    results = [
        _result(finding, metrics.index(finding.metric), policy_path=policy_path, data=data, lines=lines)
        for finding in findings
    ]
    run = sarif_2_1.Run(tool=sarif_2_1.Tool(driver=driver), results=results)
    # the library leaves $schema out
    document = sarif_2_1.Sarif(**{"$schema": SCHEMA}, runs=[run])
    return str(document.model_dump_json(by_alias=True, exclude_none=True, indent=2))


def github_annotations(report: Report, *, policy_path: str | None = None) -> str:
    """`::error` for a proven disparity, `::warning` for an open question; empty where all is proven within."""
    lines = _policy_lines(policy_path)
    commands = []
    for finding in (check.finding for check in checks.gated(report)):
        if finding.verdict is Verdict.PROVEN_WITHIN:
            continue
        place = (
            f"file={_escaped(policy_path, in_property=True)},line={lines.get(finding.metric, 1)},"
            if policy_path
            else ""
        )
        title = _escaped(f"{words.VERDICTS[finding.verdict]}: {_name(finding)}", in_property=True)
        commands.append(f"::{LEVELS[finding.verdict]} {place}title={title}::{_escaped(finding.message)}")
    return "".join(f"{command}\n" for command in commands)


def _rule(metric: str) -> sarif_2_1.ReportingDescriptor:
    return sarif_2_1.ReportingDescriptor(
        id=metric, name=metric, short_description=sarif_2_1.Message(text=words.first_upper(words.metric(metric)))
    )


def _result(
    finding: Finding, rule_index: int, *, policy_path: str | None, data: str, lines: dict[str, int]
) -> sarif_2_1.Result:
    # code scanning refuses a result without a place: the policy's line, else the data
    location = sarif_2_1.Location(
        physical_location=sarif_2_1.PhysicalLocation(
            artifact_location=sarif_2_1.ArtifactLocation(uri=Path(policy_path).as_posix() if policy_path else data),
            region=sarif_2_1.Region(start_line=lines.get(finding.metric, 1)),
        )
    )
    return sarif_2_1.Result(
        rule_id=finding.metric,
        rule_index=rule_index,
        kind=KINDS[finding.verdict],
        level=LEVELS[finding.verdict] if finding.verdict is Verdict.PROVEN_DISPARITY else "none",
        message=sarif_2_1.Message(
            text=f"{words.first_upper(words.VERDICTS[finding.verdict])}: {_name(finding)}. {words.printable(finding.message)}"
        ),
        locations=[location],
        partial_fingerprints={"finding/v1": _fingerprint(finding.id)},
    )


def _fingerprint(finding_id: str) -> str:
    """The id, or its digest where it holds a name that is no plain text."""
    if finding_id.isprintable() and len(finding_id) <= LONGEST_FINGERPRINT:
        return finding_id
    return hashlib.sha256(finding_id.encode(errors="replace")).hexdigest()


def _name(finding: Finding) -> str:
    return words.metric(finding.metric) + (f", {words.printable(finding.attribute)}" if finding.attribute else "")


def _policy_lines(policy_path: str | None) -> dict[str, int]:
    """The line of each metric's check in the policy file; nothing where it cannot be read."""
    if policy_path is None or not Path(policy_path).is_file():
        return {}
    lines: dict[str, int] = {}
    for number, line in enumerate(Path(policy_path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        found = re.match(r"""\s*metric\s*=\s*["']([^"']+)["']""", line)
        if found:
            lines.setdefault(found.group(1), number)
    return lines


def _escaped(text: str | None, *, in_property: bool = False) -> str:
    escaped = words.on_lines(text or "").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.replace(":", "%3A").replace(",", "%2C") if in_property else escaped
