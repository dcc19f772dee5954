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
SOURCES = {name: metric.source for name, metric in COUNT_METRICS.items()} | {
    name: metric.source for name, metric in SCORE_METRICS.items()
}


@dataclass(frozen=True)
class GroupTable:
    """The groups of one attribute, largest first, then small ones, then unknown ones."""

    attribute: str
    result: AttributeResult
    rows: list[GroupResult]
    headline: list[str]
    further: list[str]
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
    return f"under {SMALL_GROUP_ROWS}" if row.small and row.n < SMALL_GROUP_ROWS else ("small" if row.small else "")


def _table(result: AttributeResult, *, decides: bool) -> GroupTable:
    names = list(dict.fromkeys(name for row in (*result.groups, result.overall) for name in row.metrics))
    headline = [name for name in HEADLINE if name in names] or names[:3]
    rows = sorted(result.groups, key=lambda row: (row.unknown, row.small, -row.n))
    return GroupTable(
        attribute=result.attribute,
        result=result,
        rows=rows,
        headline=headline,
        further=[name for name in names if name not in headline],
        single=all(len(row.group) == 1 for row in result.groups),
        decides=decides,
    )
