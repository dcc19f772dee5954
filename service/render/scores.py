"""Arranges the scores of one attribute's groups: distributions, calibration, areas, and what each threshold would do."""

from dataclasses import dataclass

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import AttributeResult, Estimate, Group, Report, ScoreAttribute, ScoreGroup
from evenhand.service.render import charts, numbers, words

MOST_LINES = 6
"""Looks that lines have; the tables have every group."""
MOST_ROWS = 15
"""Thresholds that are drawn and listed, evenly thinned; the JSON has all."""
PLOT_LEFT, PLOT_RIGHT, PLOT_HEIGHT = 11.0, 76.0, 220
BARS_HEIGHT = 92

RATES = {
    "selection_rate": "share at or above the threshold",
    "true_positive_rate": "the same, of those labelled positive",
    "false_positive_rate": "the same, of those labelled negative",
}


@dataclass(frozen=True)
class Bar:
    """One bin of a histogram: in per cent of the width and pixels of the height."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """How one group's scores are spread; all groups of an attribute share the scale."""

    name: str
    n: int
    bars: list[Bar]
    ticks: list[charts.Tick]
    height: int


@dataclass(frozen=True)
class Rate:
    """One rate at every threshold that is listed: a line for each of the largest groups, a column for every group."""

    name: str
    meaning: str
    chart: charts.CurveChart
    in_use: float | None
    left_out: int
    columns: list[Group]
    cells: list[list[float | None]]


@dataclass(frozen=True)
class Row:
    """A group's scores with its metrics."""

    shown: ScoreGroup
    metrics: dict[str, Estimate]
    small: bool


@dataclass(frozen=True)
class Scores:
    """One attribute."""

    part: ScoreAttribute
    rows: list[Row]
    single: bool

    @property
    def calibrated(self) -> bool:
        return any(row.shown.calibration is not None for row in self.rows)

    @property
    def thresholds(self) -> list[float]:
        return [self.part.thresholds[i] for i in self.listed]

    @property
    def listed(self) -> list[int]:
        """Thresholds that are drawn and listed, the one in use among them."""
        total = len(self.part.thresholds)
        if total <= MOST_ROWS:
            return list(range(total))
        chosen = {round(i * (total - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)}
        if self.part.threshold in self.part.thresholds:
            chosen.add(self.part.thresholds.index(self.part.threshold))
        return sorted(chosen)

    @property
    def lowest_impact_ratio(self) -> list[float | None]:
        return [self.part.lowest_impact_ratio[i] for i in self.listed]

    def histograms(self) -> list[Histogram]:
        """Small multiples, one a group."""
        edges = self.part.edges
        highest = (
            max((share for row in self.rows for share in row.shown.shares if share is not None), default=0.0) or 1.0
        )
        across, room = charts.scale(edges[0], edges[-1], 2.0, 98.0), BARS_HEIGHT - 30.0
        ticks = [charts.Tick(across(value) or 0.0, _tick(value)) for value in (edges[0], edges[-1])]
        found = []
        for row in self.rows:
            bars = []
            for left, right, share in zip(edges, edges[1:], row.shown.shares, strict=False):
                start, end, tall = across(left) or 0.0, across(right) or 0.0, round((share or 0.0) / highest * room, 1)
                bars.append(Bar(start, round(max(end - start - 0.3, 0.2), 2), round(6 + room - tall, 1), tall))
            found.append(Histogram(words.group(row.shown.group), row.shown.n, bars, ticks, BARS_HEIGHT))
        return found

    def rates(self) -> list[Rate]:
        """What each threshold would do, rate by rate."""
        known = [name for name in RATES if any(getattr(row.shown, name) is not None for row in self.rows)]
        return [self._rate(name) for name in known]

    def _rate(self, name: str) -> Rate:
        columns = [row.shown.group for row in self.rows]
        by_group = [getattr(row.shown, name) or [] for row in self.rows]
        cells = [[values[i] if i < len(values) else None for values in by_group] for i in self.listed]
        drawn = [row for row in self.rows if not row.small and None not in row.shown.group.values()]
        drawn = sorted(drawn, key=lambda row: -row.shown.n)[:MOST_LINES]
        low, high = self.part.thresholds[0], self.part.thresholds[-1]
        across = charts.scale(low, high, PLOT_LEFT, PLOT_RIGHT)
        up = charts.scale(0.0, 1.0, PLOT_HEIGHT - 40.0, 12.0)
        lines = []
        for look, row in enumerate(drawn):
            values = getattr(row.shown, name) or []
            points = [
                (across(self.part.thresholds[i]) or 0.0, up(values[i]) or 0.0)
                for i in self.listed
                if i < len(values) and values[i] is not None
            ]
            lines.append(charts.Line(words.group(row.shown.group), look, points, [], 18.0 + 18 * look))
        chart = charts.CurveChart(
            lines,
            [charts.Tick(across(value) or 0.0, _tick(value)) for value in (low, (low + high) / 2, high)],
            [charts.Tick(up(level) or 0.0, f"{level:.1f}") for level in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)],
            PLOT_HEIGHT,
        )
        in_use = self.part.threshold
        inside = in_use is not None and low <= in_use <= high
        left_out = len(self.rows) - len(drawn)
        return Rate(name, RATES[name], chart, across(in_use) if inside else None, left_out, columns, cells)


def arranged(report: Report) -> list[Scores]:
    """The attributes that have scores, single ones first."""
    audit = report.audits.group_disparity
    if audit is None or audit.scores is None:
        return []
    results = {result.attribute: result for result in audit.attributes}
    found = [_scores(part, results.get(part.attribute)) for part in audit.scores]
    return sorted(found, key=lambda scores: not scores.single)


def _scores(part: ScoreAttribute, result: AttributeResult | None) -> Scores:
    rows = []
    for shown in part.groups:
        of_group = next((row for row in result.groups if row.group == shown.group), None) if result else None
        metrics = of_group.metrics if of_group else {}
        rows.append(Row(shown, metrics, shown.n < SMALL_GROUP_ROWS))
    single = all(len(row.shown.group) == 1 for row in rows)
    return Scores(part, rows, single)


def threshold(value: float) -> str:
    """A threshold as people write it: .5, 5."""
    return _tick(value)


def cell(value: float | None) -> str:
    return numbers.fixed(value) if value is not None else "undefined"


def _tick(value: float) -> str:
    return f"{value:.3g}".replace("-", numbers.MINUS)
