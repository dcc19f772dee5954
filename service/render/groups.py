"""Arranges the groups of one attribute for a table and its charts. What a number means is said in `words`."""

from dataclasses import dataclass

from evenhand.auditors.metrics import COUNT_METRICS, favourable_rate
from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import AttributeResult, GroupResult, Report
from evenhand.auditors.scores.catalogue import SCORE_METRICS
from evenhand.service.render import charts, checks, words

HEADLINE = ("favourable_rate", "false_positive_rate", "true_positive_rate")
CHARTED = ("false_positive_rate", "favourable_rate")
ROWS_AT_FIRST = 20
"""A longer table shows the largest groups, and the rest when it is opened."""

MEANINGS = {name: metric.meaning for name, metric in COUNT_METRICS.items()} | {
    "favourable_rate": favourable_rate(favourable_is_positive=True).meaning
}
MEANINGS |= {name: metric.meaning for name, metric in SCORE_METRICS.items()}
SOURCES = {
    name: metric.source
    for name, metric in (*COUNT_METRICS.items(), *SCORE_METRICS.items())
    if metric.source != "none needed"
}


@dataclass(frozen=True)
class GroupTable:
    """The groups of one attribute, largest first, then small ones, then unknown ones.

    Attributes:
        headline, further: metrics of the first table and of the second.
        undefined: metrics that no group has for one and the same reason, by that reason.
    """

    attribute: str
    result: AttributeResult
    rows: list[GroupResult]
    headline: list[str]
    further: list[str]
    undefined: dict[str, list[str]]
    single: bool
    decides: bool

    @property
    def first(self) -> list[GroupResult]:
        return self.rows[:ROWS_AT_FIRST]

    @property
    def rest(self) -> list[GroupResult]:
        return self.rows[ROWS_AT_FIRST:]

    @property
    def charted(self) -> list[str]:
        return [name for name in CHARTED if name in (*self.headline, *self.further)]

    def chart(self, metric: str) -> charts.IntervalChart:
        """The metric of every group, as a dot and its interval."""
        points = []
        for row in self.rows:
            shown = row.metrics.get(metric)
            if shown is not None:
                faint = row.small or row.unknown
                points.append(charts.Point(words.group(row.group), shown.estimate, shown.low, shown.high, faint))
        return charts.intervals(points)


def tables(report: Report) -> list[GroupTable]:
    """One table an attribute: the one that the verdict is about first, single attributes before intersections."""
    audit = report.audits.group_disparity
    if audit is None:
        return []
    decided = checks.deciding(report)
    about = decided.finding.attribute if decided else None
    arranged = [_table(result, decides=result.attribute == about) for result in audit.attributes]
    return sorted(arranged, key=lambda table: (not table.decides, not table.single))


def tag(row: GroupResult) -> str:
    """'under 30' beside a small group, 'missing value' beside an unknown one."""
    if row.unknown:
        return "missing value"
    return small_tag(row.n) if row.small else ""


def small_tag(rows: int) -> str:
    """'under 30', or 'under 30 units' where a small group has more rows than that, for rows repeat units."""
    return f"under {SMALL_GROUP_ROWS}{'' if rows < SMALL_GROUP_ROWS else ' units'}"


def _table(result: AttributeResult, *, decides: bool) -> GroupTable:
    names = list(dict.fromkeys(name for row in (*result.groups, result.overall) for name in row.metrics))
    headline = [name for name in HEADLINE if name in names] or names[:3]
    undefined = _undefined_alike(result, [name for name in names if name not in headline])
    rows = sorted(result.groups, key=lambda row: (row.unknown, row.small, -row.n))
    return GroupTable(
        attribute=result.attribute,
        result=result,
        rows=rows,
        headline=headline,
        further=[
            name for name in names if name not in headline and not any(name in alike for alike in undefined.values())
        ],
        undefined=undefined,
        single=all(len(row.group) == 1 for row in result.groups),
        decides=decides,
    )


def _undefined_alike(result: AttributeResult, names: list[str]) -> dict[str, list[str]]:
    """Metrics undefined in every group and overall, for one reason, by that reason: said once instead of in every cell."""
    alike: dict[str, list[str]] = {}
    for name in names:
        shown = [row.metrics[name] for row in (*result.groups, result.overall) if name in row.metrics]
        reasons = {each.reason for each in shown if each.estimate is None}
        if len(reasons) == 1 and all(each.estimate is None for each in shown) and (reason := reasons.pop()):
            alike.setdefault(reason, []).append(name)
    return alike
