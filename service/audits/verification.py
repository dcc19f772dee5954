"""Checks a report against itself and its data, as an outside auditor would: digests, arithmetic, gate, and a second run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evenhand.auditors.disparity.recount import findings_from_counts, why_not_recountable
from evenhand.auditors.gate import decide, overall_verdict
from evenhand.auditors.metrics import COUNT_METRICS
from evenhand.auditors.policy import Policy
from evenhand.auditors.practice.tables import practice_tables
from evenhand.auditors.report import Finding, GroupDisparity, GroupResult, Report
from evenhand.service.audits.documents import AuditRequest
from evenhand.service.audits.run import run_audit

SAME = 1e-9
UNREPEATED = {"id", "created", "signature", "environment", "tool"}


@dataclass(frozen=True)
class Test:
    """One thing that was checked; `problem` None means it holds. What could not be checked says so."""

    what: str
    problem: str | None = None
    checked: bool = True


def verify_alone(report: Report) -> Iterator[Test]:
    """What can be checked without the data: the gate follows from the findings, every rate from its counts."""
    gate = decide(report.findings, allow_inconclusive=report.gate.allow_inconclusive)
    follows = (gate.outcome, gate.exit_code) == (report.gate.outcome, report.gate.exit_code)
    yield Test(
        "the gate follows from the findings",
        None
        if follows
        else f"the findings say {gate.outcome} (exit {gate.exit_code}), the report {report.gate.outcome}",
    )
    verdict = overall_verdict(report.findings, gate)
    yield Test(
        "the verdict follows from the gate",
        None if verdict == report.verdict else f"it should be {verdict.value}, and is {report.verdict.value}",
    )
    if report.audits.group_disparity is not None:
        for attribute in report.audits.group_disparity.attributes:
            wrong = [problem for group in attribute.groups for problem in _wrong_rates(group)]
            yield Test(f"rates of {attribute.attribute} follow from their counts", wrong[0] if wrong else None)
        yield from _findings_follow(report, report.audits.group_disparity)
        yield from _practice_follows(report, report.audits.group_disparity)


def _findings_follow(report: Report, document: GroupDisparity) -> Iterator[Test]:
    reason = why_not_recountable(document)
    if reason is not None:
        yield Test(f"findings of group disparity from the counts: {reason}", checked=False)
        return
    again = findings_from_counts(document, Policy.model_validate(report.subject.policy))
    stated = {finding.id: finding for finding in report.findings}
    wrong = [problem for finding in again if (problem := _stated_otherwise(finding, stated)) is not None]
    yield Test(f"{len(again):,} findings of group disparity follow from the counts", wrong[0] if wrong else None)


def _practice_follows(report: Report, document: GroupDisparity) -> Iterator[Test]:
    """The tables that laws ask for, from the report's own counts and scores; a report made before there were any has none."""
    if document.practice is None:
        return
    again = practice_tables(document, policy=Policy.model_validate(report.subject.policy))
    wrong = [
        f"{name}: a row is stated otherwise than the counts give it"
        for name in ("four_fifths", "local_law_144", "lending", "notes")
        if not _alike(again.model_dump()[name], document.practice.model_dump()[name])
    ]
    yield Test("the tables that laws and practice ask for follow from the counts", wrong[0] if wrong else None)


def _alike(one: object, other: object) -> bool:
    """Equal, but for the last digits of floating point, which differ between machines."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-7, abs_tol=1e-7)
    return one == other


def _stated_otherwise(finding: Finding, stated: dict[str, Finding]) -> str | None:
    """How the report's finding differs from what its counts give, or None."""
    found = stated.get(finding.id)
    if found is None:
        return f"{finding.id} is missing"
    for name in ("verdict", "gate", "estimate", "low", "high", "tolerance", "level"):
        one, other = getattr(finding, name), getattr(found, name)
        same = math.isclose(one, other, rel_tol=1e-7, abs_tol=1e-7) if _numbers(one, other) else one == other
        if not same:
            return f"{finding.id}: {name} is stated as {other}, the counts give {one}"
    return None


def _numbers(one: object, other: object) -> bool:
    return isinstance(one, float) and isinstance(other, float)


def _wrong_rates(group: GroupResult) -> Iterator[str]:
    counts = group.counts
    if counts.tp is None or counts.fp is None or counts.fn is None or counts.tn is None:
        return
    cells = np.array([[[counts.tn, counts.fp], [counts.fn, counts.tp]]])
    for name, stated in group.metrics.items():
        metric = COUNT_METRICS.get(name)
        if metric is None:
            continue
        value = float(metric.value(cells)[0])
        undefined = math.isnan(value)
        if undefined != (stated.estimate is None):
            yield f"{name} of {group.group}: undefined in one place only"
        elif stated.estimate is not None and not math.isclose(value, stated.estimate, rel_tol=SAME, abs_tol=SAME):
            yield f"{name} of {group.group} is stated as {stated.estimate}, its counts give {value}"


def verify_again(report: Report, *, source: str, model_path: str | None) -> Iterator[Test]:
    """Run the audit of the report again on its data, and compare everything but id and time."""
    policy = Policy.model_validate(report.subject.policy)
    request = AuditRequest(
        source=source,
        source_name=report.subject.data.name if "://" not in source and "." in report.subject.data.name else None,
        model_path=model_path,
        model_name=report.subject.model.name if report.subject.model else None,
        policy=policy,
        only=[name for name, audit in report.audits if audit is not None],
        device=report.environment.device,
        thorough=policy.thorough,
        seed=report.seed,
        allow_inconclusive=report.gate.allow_inconclusive,
    )
    again = run_audit(request)
    digests = {"data": (report.subject.data.sha256, again.subject.data.sha256)}
    if report.subject.model is not None and again.subject.model is not None:
        digests["model"] = (report.subject.model.sha256, again.subject.model.sha256)
    for what, (one, other) in digests.items():
        yield Test(
            f"the digest of the {what} is that of the report", None if one == other else f"{one} there, {other} here"
        )
    yield Test("a second run gives the same findings", _first_difference(report, again))


def _first_difference(report: Report, again: Report) -> str | None:
    one, other = (r.model_dump(mode="json", exclude=UNREPEATED) for r in (report, again))
    if one["findings"] == other["findings"] and one["audits"] == other["audits"]:
        return None
    for before, after in zip(one["findings"], other["findings"], strict=False):
        for key, value in before.items():
            if after.get(key) != value:
                return f"{before['id']}: {key} is {value} in the report and {after.get(key)} now"
    if len(one["findings"]) != len(other["findings"]):
        return f"{len(one['findings'])} findings in the report, {len(other['findings'])} now"
    return "the audits' tables differ"
