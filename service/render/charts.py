"""Where marks go in a chart; templates draw them.

Positions are in per cent of the width and pixels of the height, so that text keeps its size on every screen.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

LONG_NAME = 17
"""From here on a name stands above its line instead of beside it."""
MOST_ROWS = 24
"""A chart of more rows shows the extremes; the table has them all."""
CURVE_HEIGHT = 220
TICK_ROOM = 9.0
"""Per cent of the width that the text of a tick takes."""


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Point:
    """One number to draw: its name, interval, and whether it stands on few rows."""

    name: str
    estimate: float | None
    low: float | None = None
    high: float | None = None
    faint: bool = False


@dataclass(frozen=True)
class Row:
    """A point in its place: `x` in per cent of the width, `y` in pixels; x is None where the number is undefined."""

    point: Point
    y: int
    x: float | None
    left: float | None
    right: float | None


@dataclass(frozen=True)
class IntervalChart:
    """A dot and an interval for each group."""

    rows: list[Row]
    ticks: list[Tick]
    height: int
    stacked: bool
    left_out: int


@dataclass(frozen=True)
class Line:
    """One curve: its points in place, and the number of its look."""

    name: str
    look: int
    points: list[tuple[float, float]]
    band: list[tuple[float, float, float]]
    name_y: float


@dataclass(frozen=True)
class CurveChart:
    lines: list[Line]
    ticks: list[Tick]
    levels: list[Tick]
    height: int


def intervals(points: list[Point]) -> IntervalChart:
    """Lays out a dot and interval for each point; with very many of them, those with the smallest and largest estimates."""
    shown = _extremes(points)
    stacked = max((len(point.name) for point in shown), default=0) >= LONG_NAME
    start, end = (1.5, 90.0) if stacked else (33.0, 90.0)
    step = 38 if stacked else 30
    low, high = _domain(shown)
    place = scale(low, high, start, end)
    rows = [
        Row(
            point,
            y=(28 if stacked else 18) + step * index,
            x=place(point.estimate),
            left=place(point.low),
            right=place(point.high),
        )
        for index, point in enumerate(shown)
    ]
    ticks = [Tick(place(value) or 0.0, tick_text(value)) for value in steps(low, high)]
    return IntervalChart(rows, ticks, height=step * len(shown) + 34, stacked=stacked, left_out=len(points) - len(shown))


def curves(
    named: list[tuple[str, list[float], list[float], list[float], list[float]]], *, top: float = 1.0
) -> CurveChart:
    """Places accuracy against eps (or what else lies between 0 and `top`, against epochs), one line a group.

    Args:
        named: name, eps, accuracy, low, high; the lists of one length.
        top: largest value to show; 1 for shares.
    """
    shown_levels = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] if top == 1.0 else steps(0.0, top)
    last = max((max(eps, default=0.0) for _, eps, *_ in named), default=0.0) or 1.0
    across, up = scale(0.0, last, 11.0, 76.0), scale(0.0, shown_levels[-1], CURVE_HEIGHT - 40.0, 12.0)
    ends = sorted((up(accuracy[-1]) or 0.0, index) for index, (_, _, accuracy, _, _) in enumerate(named) if accuracy)
    name_at: dict[int, float] = {}
    for y, index in ends:
        name_at[index] = max(y, max(name_at.values(), default=-99.0) + 15)
    lines = [
        Line(
            name,
            look=index % 6,
            points=[(across(x) or 0.0, up(y) or 0.0) for x, y in zip(eps, accuracy, strict=True)],
            band=[(across(x) or 0.0, up(a) or 0.0, up(b) or 0.0) for x, a, b in zip(eps, low, high, strict=True)],
            name_y=name_at.get(index, 12.0),
        )
        for index, (name, eps, accuracy, low, high) in enumerate(named)
    ]
    shown_eps = sorted({x for _, eps, *_ in named for x in eps})
    ticks = _with_room([Tick(across(x) or 0.0, f"{x:.3f}".rstrip("0").rstrip(".") or "0") for x in shown_eps])
    levels = [Tick(up(y) or 0.0, f"{y:.1f}" if top == 1.0 else tick_text(y)) for y in shown_levels]
    return CurveChart(lines, ticks, levels, height=CURVE_HEIGHT)


def _extremes(points: list[Point]) -> list[Point]:
    if len(points) <= MOST_ROWS:
        return points
    ranked = sorted(
        (point for point in points if point.estimate is not None and not point.faint),
        key=lambda point: point.estimate or 0.0,
    )
    half = MOST_ROWS // 2
    return ranked if len(ranked) <= MOST_ROWS else ranked[-half:][::-1] + ranked[:half][::-1]


def _domain(points: list[Point]) -> tuple[float, float]:
    drawn = [
        value
        for point in points
        for value in (point.low, point.estimate, point.high)
        if value is not None and math.isfinite(value)
    ]
    low, high = min(0.0, *drawn, 0.0), max(0.0, *drawn, 0.0)
    round_values = steps(low, high)
    return min(low, round_values[0]), max(high, round_values[-1])


def steps(low: float, high: float) -> list[float]:
    """Round values from at most `low` to at least `high`, about five of them."""
    width = (high - low) or 1.0
    rough = width / 4
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def scale(low: float, high: float, start: float, end: float) -> Callable[[float | None], float | None]:
    """Where a value stands between `start` and `end`, kept inside; None for what is no number."""

    def place(value: float | None) -> float | None:
        if value is None or not math.isfinite(value):
            return None
        inside = min(max(value, min(low, high)), max(low, high))
        return round(start + (inside - low) / ((high - low) or 1.0) * (end - start), 2)

    return place


def _with_room(ticks: list[Tick]) -> list[Tick]:
    """Without the text of a tick that would run into the one before it; the last keeps its own."""
    kept: list[Tick] = []
    for tick in reversed(ticks):
        crowded = any(other.text and other.at - tick.at < TICK_ROOM for other in kept)
        kept.append(Tick(tick.at, "") if crowded else tick)
    return kept[::-1]


def tick_text(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "−") if abs(value) < 10 else f"{value:,.0f}"
