"""Where features and joint sets stand on the map of proxies; templates draw them.

Across: how much is encoded. Up: the contribution to the gap. Positions are in per cent of the width and pixels of the
height, so that text keeps its size on every screen.
"""

import math
from dataclasses import dataclass, replace

from evenhand.service.render.charts import Tick, scale, steps, tick_text

HEIGHT = 320
WIDE, NARROW = 640, 300
"""Pixels between which a map is drawn: on a phone fewer names find room."""
LEFT, RIGHT = 11.0, 96.0


@dataclass(frozen=True)
class Mark:
    """What is placed: `encodes` in [.5, 1], the contribution with its interval, `use` in [0, 1]; a set has members."""

    name: str
    encodes: float
    contribution: float
    low: float | None
    high: float | None
    use: float
    tone: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """Where the name of a dot stands, seen from the dot; a roomy one only where there is room."""

    dx: float
    dy: float
    anchor: str
    roomy: bool = False


@dataclass(frozen=True)
class Dot:
    """A mark in its place, without a label where names would overlap, as the table has them all.

    `top` and `bottom` end its interval; `members` are the places of the features of a set.
    """

    mark: Mark
    x: float
    y: float
    radius: float
    top: float | None
    bottom: float | None
    members: tuple[tuple[float, float], ...] = ()
    label: Label | None = None


@dataclass(frozen=True)
class ProxyMap:
    dots: list[Dot]
    ticks: list[Tick]
    levels: list[Tick]
    zero: float
    height: int = HEIGHT


def place(marks: list[Mark]) -> ProxyMap:
    """Places features and sets, and names those that matter, in the order in which they come."""
    drawn = [
        value
        for mark in marks
        for value in (mark.contribution, mark.low, mark.high)
        if value is not None and math.isfinite(value)
    ]
    levels_at = steps(min([0.0, *drawn]), max([0.01, *drawn]))
    across = scale(0.5, 1.0, LEFT, RIGHT)
    up = scale(levels_at[0], levels_at[-1], HEIGHT - 46.0, 18.0)
    at = {mark.name: (across(mark.encodes) or 0.0, up(mark.contribution) or 0.0) for mark in marks}
    dots = [
        Dot(
            mark,
            *at[mark.name],
            radius=4 + 8 * math.sqrt(mark.use),
            top=up(mark.high),
            bottom=up(mark.low),
            members=tuple(at[member] for member in mark.members if member in at),
        )
        for mark in marks
    ]
    ticks = [Tick(across(value) or 0.0, f"{value:.1f}") for value in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    levels = [Tick(up(value) or 0.0, tick_text(value)) for value in levels_at]
    return ProxyMap(labelled(dots), ticks, levels, zero=up(0.0) or 0.0)


def labelled(dots: list[Dot]) -> list[Dot]:
    """Names the dots that matter, each on the first side that is free: first on a phone, then where there is room."""
    labels: dict[int, Label] = {}
    for width in (NARROW, WIDE):
        for index, dot in enumerate(dots):
            if dot.mark.tone == "quiet" or index in labels:
                continue
            places = [(label, bars) for bars in (True, False) for label in _sides(dot)]
            free = (label for label, bars in places if _is_free(dots, labels, index, label, width, bars=bars))
            label = next(free, None)
            if label is not None:
                labels[index] = replace(label, roomy=width == WIDE)
    return [replace(dot, label=labels.get(index)) for index, dot in enumerate(dots)]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def touches(self, other: "Box") -> bool:
        across = self.left < other.right and other.left < self.right
        return across and self.top < other.bottom and other.top < self.bottom


def around(dot: Dot, width: int) -> Box:
    """The dot itself, on a map of this width."""
    x = dot.x / 100 * width
    return Box(x - dot.radius, dot.y - dot.radius, x + dot.radius, dot.y + dot.radius)


def bar_of(dot: Dot, width: int) -> Box:
    """Its interval."""
    x = dot.x / 100 * width
    return Box(x - 2, dot.y if dot.top is None else dot.top, x + 2, dot.y if dot.bottom is None else dot.bottom)


def box_of(dot: Dot, label: Label, width: int) -> Box:
    """The text of a label, on a map of this width."""
    length = 7.0 * len(dot.mark.name)
    x = dot.x / 100 * width + label.dx
    left = x - {"start": 0.0, "middle": length / 2, "end": length}[label.anchor]
    return Box(left, dot.y + label.dy - 11, left + length, dot.y + label.dy + 3)


def _is_free(dots: list[Dot], labels: dict[int, Label], index: int, label: Label, width: int, *, bars: bool) -> bool:
    """Whether a label touches nothing at this width, nor at the wider one, where it stands too; `bars`: no bar either."""
    for size in {width, WIDE}:
        box = box_of(dots[index], label, size)
        others = [around(dot, size) for dot in dots]
        others += [bar_of(dot, size) for dot in dots if bars]
        others += [box_of(dots[other], set_down, size) for other, set_down in labels.items()]
        outside = box.left < 0 or box.right > size or box.top < 0 or box.bottom > HEIGHT - 40
        if outside or any(box.touches(other) for other in others):
            return False
    return True


def _sides(dot: Dot) -> list[Label]:
    gap = dot.radius + 5
    right, left = Label(gap, 4, "start"), Label(-gap, 4, "end")
    beside = [left, right] if dot.x > 60 else [right, left]
    slanted = [Label(side.dx, dy, side.anchor) for dy in (-gap, gap + 8) for side in beside]
    return [*beside, Label(0, -gap, "middle"), Label(0, gap + 9, "middle"), *slanted]
