"""SurFree: an attack in L2 on classifiers that answer with labels alone, along circles through a misread picture."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import TINY, Ball, Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback
from evenhand.auditors.robustness.noise import normal, sample_keys

WAVES = 7
"""Half waves across a side, at most, of the directions that are tried: networks read these most easily."""

FULL_EVERY = 8
"""Every so many directions one is of all waves that the picture can hold, for classifiers that read fine detail."""

HALVINGS = 3
FIRST_ANGLE = 0.5
LEAST_ANGLE = 0.02
WIDER, NARROWER = 3.0, 0.9
QUARTER = math.pi / 2

START, LINE, ONE_SIDE, OTHER_SIDE, ARC = range(5)
"""What a picture's query is about: finding any misread picture, the way back from it, then one circle after another."""

Vectors = NDArray[np.float32]
"""Changes of pictures, shape (n, values)."""


@dataclass(frozen=True)
class SurFree:
    """Brings a misread picture nearer, turning it about the point half way to the clean one in one plane after another.

    In a plane, the circle whose diameter runs from the clean picture to the misread one holds the nearest misread point
    wherever the border between the two decisions is straight. It asks beyond the ball; what it finds there does not count.

    Source: Maho, Furon and Le Merrer (2021), CVPR, "SurFree: a fast surrogate-free black-box attack".
    """

    queries: int
    name: str = "SurFree"
    roams: bool = True

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> "SurFreeSearch":
        return SurFreeSearch(batch, seed=seed)


class SurFreeSearch:
    """State of the search, one row a picture.

    `_low` is a way along the line or the circle that is known to be misread, `_high` one that is not, or was not asked.
    """

    def __init__(self, batch: Batch, *, seed: int) -> None:
        n = len(batch)
        self._shape = batch.clean.shape[1:]
        self._clean = batch.clean.reshape(n, -1)
        self._keys = sample_keys(seed, batch.ids, "SurFree")
        self._about = np.full(n, START)
        self._drawn, self._halved = np.zeros(n, np.uint64), np.zeros(n, np.int64)
        self._best, self._ahead, self._side = (np.zeros_like(self._clean) for _ in range(3))
        self._radius, self._across = np.full(n, np.inf), np.zeros(n)
        self._low, self._high, self._ask = np.zeros(n), np.ones(n), np.zeros(n)
        self._angle = np.full(n, FIRST_ANGLE)

    def propose(self, room: Room) -> Pictures:
        change = np.empty_like(self._clean)
        start, line = self._about == START, self._about == LINE
        circle = ~(start | line)
        change[start] = self._starts(start)
        change[line] = (1 - self._ask[line, None]) * self._ahead[line]
        way = self._ask[circle, None]
        turned = np.cos(way) * self._ahead[circle] + np.sin(way) * self._side[circle]
        change[circle] = self._across[circle, None] * np.cos(way) * turned
        return (self._clean + change).reshape(-1, *self._shape)

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        change = candidate.reshape(self._clean.shape) - self._clean
        wrong = feedback.wrong
        self._remember(wrong, change)
        start, line, one, other, arc = (self._about == about for about in range(5))
        self._drawn[start & ~wrong] += np.uint64(1)
        self._ahead[start & wrong] = change[start & wrong]
        self._halve_from(start & wrong, LINE, 0.0, 1.0)
        self._ask[one & ~wrong] *= -1
        self._about[one & ~wrong] = OTHER_SIDE
        hit = (one | other) & wrong
        self._halve_from(hit, ARC, self._ask[hit], np.clip(WIDER * self._ask[hit], -QUARTER, QUARTER))
        self._angle[other & ~wrong] *= NARROWER
        ended = self._halve(line | arc, wrong)
        self._angle[ended & arc] = np.abs(self._low[ended & arc])
        self._turn(ended | (other & ~wrong))

    def _starts(self, rows: NDArray[np.bool_]) -> Vectors:
        """Even grey, the negative, black, white, then random patterns of black and white, less the clean picture."""
        clean, drawn = self._clean[rows], self._drawn[rows, None]
        pattern = (self._waves(rows, WAVES) > 0).astype(np.float32)
        plain = [np.full_like(clean, 0.5), 1 - clean, np.zeros_like(clean), np.ones_like(clean)]
        return np.asarray(np.select([drawn == index for index in range(4)], plain, pattern) - clean, np.float32)

    def _remember(self, rows: NDArray[np.bool_], change: Vectors) -> None:
        radius = _lengths(change)[:, 0]
        nearer = rows & (radius < self._radius)
        self._best[nearer], self._radius[nearer] = change[nearer], radius[nearer]

    def _halve_from(
        self, rows: NDArray[np.bool_], about: int, low: NDArray[np.float64] | float, high: NDArray[np.float64] | float
    ) -> None:
        self._about[rows], self._halved[rows] = about, 0
        self._low[rows], self._high[rows] = low, high
        self._ask[rows] = (self._low[rows] + self._high[rows]) / 2

    def _halve(self, rows: NDArray[np.bool_], wrong: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """One step of bisection; which rows have come to its end."""
        self._low = np.where(rows & wrong, self._ask, self._low)
        self._high = np.where(rows & ~wrong, self._ask, self._high)
        self._halved[rows] += 1
        self._ask[rows] = (self._low[rows] + self._high[rows]) / 2
        return rows & (self._halved >= HALVINGS)

    def _turn(self, rows: NDArray[np.bool_]) -> None:
        """The next circle, in the plane of the nearest misread picture and a new direction."""
        self._drawn[rows] += np.uint64(1)
        ahead = self._best[rows] / (_lengths(self._best[rows]) + TINY)
        full = self._drawn[rows] % np.uint64(FULL_EVERY) == 0
        side = self._waves(rows, WAVES)
        side[full] = normal(self._direction_keys(rows)[full], side.shape[1])
        side -= (side * ahead).sum(axis=1, keepdims=True) * ahead
        self._ahead[rows], self._side[rows] = ahead, side / (_lengths(side) + TINY)
        self._across[rows], self._about[rows] = self._radius[rows], ONE_SIDE
        self._angle[rows] = np.maximum(self._angle[rows], LEAST_ANGLE)
        self._ask[rows] = self._angle[rows]

    def _direction_keys(self, rows: NDArray[np.bool_]) -> NDArray[np.uint64]:
        return sample_keys(0, (self._keys[rows] + self._drawn[rows]).view(np.int64), "direction")

    def _waves(self, rows: NDArray[np.bool_], most: int) -> Vectors:
        """Random sums of cosines, row by row and channel by channel."""
        height, width, channels = self._shape
        down, across = min(most, height), min(most, width)
        keys = self._direction_keys(rows)
        share = normal(keys, down * across * channels).reshape(len(keys), down, across, channels)
        # summed one by one: the order of a matrix product would depend on how many pictures there are
        columns = np.zeros((len(keys), height, across, channels), np.float32)
        for halves in range(down):
            columns += share[:, halves, None] * _cosine(halves, height)[:, None, None]
        picture = np.zeros((len(keys), *self._shape), np.float32)
        for halves in range(across):
            picture += columns[:, :, halves, None] * _cosine(halves, width)[:, None]
        return picture.reshape(len(keys), height * width * channels)

    def keep(self, rows: NDArray[np.bool_]) -> None:
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                setattr(self, name, value[rows])


def _cosine(halves: int, side: int) -> NDArray[np.float32]:
    """So many half waves across a side, of length 1."""
    wave = np.cos(np.pi * halves * (np.arange(side) + 0.5) / side)
    return np.asarray(wave / np.linalg.norm(wave), np.float32)


def _lengths(change: Vectors) -> Vectors:
    return np.asarray(np.sqrt(np.square(change).sum(axis=1, keepdims=True)), np.float32)
