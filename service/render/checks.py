"""Arranges findings for readers: each check with the pairs of groups behind it. Every finding has exactly one place."""

from dataclasses import dataclass, field

from evenhand.auditors.metrics import COMPOSITES
from evenhand.auditors.report import Estimate, Finding, GroupResult, Report
from evenhand.auditors.verdict import Comparison, Gate, Verdict

_BY_VERDICT = (Verdict.PROVEN_DISPARITY, Verdict.INCONCLUSIVE, Verdict.PROVEN_WITHIN)
_BY_GATE = (Gate.STRICT, Gate.PROOF, Gate.OFF)


MOST_PAIRS, MOST_BESIDE = 16, 6
"""Pairs of one check that a page lists, gated and not; the JSON has all."""


@dataclass(frozen=True)
class Check:
    """A finding that answers a question of the policy, and the pairs of groups that it was read from."""

    finding: Finding
    pairs: list[Finding] = field(default_factory=list)

    @property
    def told(self) -> list[Finding]:
        """The pairs that a page lists: all of them, or where they are very many those that tell most, in their order."""
        most = MOST_PAIRS if self.gated else MOST_BESIDE
        if len(self.pairs) <= most:
            return self.pairs
        ranked = sorted(range(len(self.pairs)), key=lambda index: _telling(self.pairs[index]))
        return [self.pairs[index] for index in sorted(ranked[:most])]

    @property
    def gated(self) -> bool:
        return self.finding.gate is not Gate.OFF

    @property
    def deciding(self) -> Finding | None:
        """The pair that decides, as a finding of its own; None where the report lists none."""
        same = [pair for pair in self.pairs if _same_groups(pair, self.finding)]
        proven = self.finding.verdict is Verdict.PROVEN_DISPARITY
        return max(same, key=_evidence if proven else _furthest_from_within, default=None)


def components(metric: str) -> tuple[str, ...]:
    """The metrics that a composite compares: both error rates for equalized odds, itself for a plain rate."""
    if metric in COMPOSITES:
        return COMPOSITES[metric].components
    return (metric.removesuffix("_difference").removesuffix("_ratio"),)


def arrange(report: Report) -> list[Check]:
    """All findings: gated checks first, disparities before open questions before what is proven within."""
    checks: list[Check] = []
    for finding in report.findings:
        owner = next((check for check in checks if _behind(finding, check.finding)), None)
        if owner is None:
            checks.append(Check(finding))
        else:
            owner.pairs.append(finding)
    return sorted(checks, key=lambda check: _rank(check.finding))


def gated(report: Report) -> list[Check]:
    return [check for check in arrange(report) if check.gated]


def proven_beside(report: Report) -> list[Finding]:
    """Disparities that are proven and do not count for the gate, in order."""
    beside = (check.finding for check in arrange(report) if not check.gated)
    return [finding for finding in beside if finding.verdict is Verdict.PROVEN_DISPARITY]


def deciding(report: Report) -> Check | None:
    """The one check that a reader should hear of first.

    A strict check before a gated one before the rest, error rates before rates of decisions, single attributes before
    intersections.
    """
    same_verdict = [check for check in arrange(report) if check.finding.verdict == report.verdict]
    return min(same_verdict, key=_first_told, default=None)


def group_result(report: Report, finding: Finding, side: str) -> GroupResult | None:
    """The row of the group table that `side` ('group' or 'reference') of a finding is about."""
    audit = report.audits.group_disparity
    wanted = getattr(finding, side)
    if audit is None or wanted is None:
        return None
    rows = (
        row for attribute in audit.attributes if attribute.attribute == finding.attribute for row in attribute.groups
    )
    return next((row for row in rows if row.group == wanted), None)


def rate(report: Report, finding: Finding, side: str, metric: str) -> Estimate | None:
    """The metric of one side of a finding, where the report has it."""
    row = group_result(report, finding, side)
    return row.metrics.get(metric) if row else None


def _behind(pair: Finding, check: Finding) -> bool:
    """The id of a pair continues the id of its check."""
    return pair.attribute == check.attribute and pair.id.startswith(f"{check.id}/")


def _same_groups(pair: Finding, check: Finding) -> bool:
    return check.group is not None and (pair.group, pair.reference) in (
        (check.group, check.reference),
        (check.reference, check.group),
    )


def _evidence(pair: Finding) -> tuple[bool, float]:
    low, high = pair.low or 0.0, pair.high or 0.0
    away_from_zero = max(low, -high)
    return pair.verdict is Verdict.PROVEN_DISPARITY, away_from_zero


def _telling(pair: Finding) -> tuple[int, float]:
    """Proven disparities first; then by how far the interval reaches beyond the tolerance at the least."""
    within_last = _BY_VERDICT.index(pair.verdict)
    return within_last, -_evidence(pair)[1] if pair.comparison is Comparison.DIFFERENCE else pair.high or 0.0


def _furthest_from_within(pair: Finding) -> float:
    """How far the equivalence interval reaches out; a pair that is undefined or has none reaches furthest."""
    bound = pair.equivalence_high if pair.comparison is Comparison.DIFFERENCE else pair.equivalence_low
    if bound is None:
        return float("inf")
    return bound if pair.comparison is Comparison.DIFFERENCE else -bound


def _rank(finding: Finding) -> tuple[int, int, int]:
    return finding.gate is Gate.OFF, _BY_VERDICT.index(finding.verdict), _BY_GATE.index(finding.gate)


def _first_told(check: Check) -> tuple[int, bool, int]:
    finding = check.finding
    attributes = len(finding.group) if finding.group else 1
    about_errors = any(name.endswith(("positive_rate", "negative_rate")) for name in components(finding.metric))
    return _BY_GATE.index(finding.gate), attributes > 1, 0 if about_errors else 1
