"""Where the values of one feature stand by group: bars for how they are spread, dots for how they are decided.

Both are paths in a drawing that is stretched, 100 wide, so that a chart of many marks stays small.
"""

from collections.abc import Callable
from dataclasses import dataclass

from evenhand.auditors.report import FeatureProfile
from evenhand.service.render import words
from evenhand.service.render.charts import Tick, scale, steps, tick_text

TOP = 8
NAME_ROOM, LINE, GAP = 18, 13, 8
BARS = (0.0, 44.0)
DOTS = (54.0, 96.0)


@dataclass(frozen=True)
class GroupMarks:
    """The marks of a group as paths: bars, intervals, and dots (points of no length with round ends)."""

    name: str
    look: int
    bars: str
    intervals: str
    dots: str


@dataclass(frozen=True)
class ProfileChart:
    groups: list[GroupMarks]
    names: list[tuple[str, int]]
    share_ticks: list[Tick]
    rate_ticks: list[Tick]
    bottom: int
    height: int


def chart(profile: FeatureProfile) -> ProfileChart:
    """Lays out a row for each value, in it a line for each group."""
    row = NAME_ROOM + LINE * len(profile.groups) + GAP
    bottom = TOP + row * len(profile.cells)
    shares, share_ticks = _axis([share for cell in profile.cells for share in cell.share], BARS)
    rates, rate_ticks = _axis([high for cell in profile.cells for high in cell.high], DOTS)
    groups = []
    for index, name in enumerate(profile.groups):
        bars, between, dots = [], [], []
        for line, cell in enumerate(profile.cells):
            y = TOP + row * line + NAME_ROOM + LINE * index
            width = shares(cell.share[index]) or 0.0
            bars.append(f"M0 {y}h{width:.1f}v9h-{width:.1f}z" if width else "")
            if cell.rate and cell.rate[index] is not None:
                low, high = rates(cell.low[index]) or 0.0, rates(cell.high[index]) or 0.0
                between.append(f"M{low:.1f} {y + 5}H{high:.1f}")
                dots.append(f"M{rates(cell.rate[index]):.1f} {y + 5}h0")
        groups.append(
            GroupMarks(
                words.value(name),
                index,
                "".join(bars),
                "".join(between),
                "".join(dots),
            )
        )
    names = [(words.value(cell.value), TOP + row * line + 13) for line, cell in enumerate(profile.cells)]
    return ProfileChart(groups, names, share_ticks, rate_ticks if profile.cells[0].rate else [], bottom, bottom + 24)


def _axis(
    values: list[float | None], ends: tuple[float, float]
) -> tuple[Callable[[float | None], float | None], list[Tick]]:
    top = steps(0.0, max([value for value in values if value is not None], default=1.0) or 1.0)
    at = scale(0.0, top[-1], *ends)
    return at, [Tick(at(value) or 0.0, tick_text(value)) for value in top]
