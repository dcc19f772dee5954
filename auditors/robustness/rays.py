"""RayS: an attack on classifiers that answer with labels alone, by the radius at which a direction of signs is misread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Ball, Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback
from evenhand.auditors.robustness.noise import sample_keys, signs

SHARE = 1 / 32
"""Of the way from the best radius to the goal: what a new direction must gain, and how closely its radius is found."""

GOAL = 0.9
"""Radius aimed at, over eps: a little inside the ball, so that halving the way there ends inside it."""


@dataclass(frozen=True)
class RayS:
    """Turns the signs of ever smaller blocks of values, and keeps what makes the radius smaller.

    It asks beyond the ball, as only there labels turn at first; what it finds there does not count. In L2 it would walk
    the same directions, all values changed by the same amount; `surfree` finds smaller changes there.

    Source: Chen and Gu (2020), KDD, "RayS: A Ray Searching Method for Hard-label Adversarial Attack".
    """

    queries: int
    name: str = "RayS"
    roams: bool = True

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> "RaySSearch":
        return RaySSearch(batch, ball=ball, seed=seed)


class RaySSearch:
    """State of the search, one row a picture: `_low` and `_high` enclose the radius of the direction on trial."""

    def __init__(self, batch: Batch, *, ball: Ball, seed: int) -> None:
        n, channels = len(batch), batch.clean.shape[3]
        self._clean = batch.clean
        self._values = batch.clean[0].size if n else 0
        ones = np.ones((1, *batch.clean.shape[1:]), np.float32)
        self._unit = np.float32(1 / ball.sizes(ones)[0])
        self._goal = GOAL * ball.eps
        start = signs(sample_keys(seed, batch.ids, "RayS"), channels)[:, None, None, :]
        self._trial = (ones * start).reshape(n, -1)
        self._best = self._trial.copy()
        self._radius = np.full(n, np.inf)
        self._low = np.full(n, self._goal)
        self._high = np.full(n, np.inf)
        self._ask = np.full(n, 1 / float(self._unit))
        self._level, self._block = np.full(n, -1), np.zeros(n, dtype=np.int64)

    def propose(self, room: Room) -> Pictures:
        change = self._trial * (self._ask.astype(np.float32) * self._unit)[:, None]
        return self._clean + change.reshape(self._clean.shape)

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        wrong = feedback.wrong
        first = np.isinf(self._high)
        refused = first & ~wrong
        self._high = np.where(wrong, self._ask, self._high)
        self._low = np.where(wrong | refused, self._low, self._ask)
        found = ~refused & (self._high - self._low <= SHARE * (self._high - self._goal))
        self._best[found], self._radius[found] = self._trial[found], self._high[found]
        self._ask = (self._low + self._high) / 2
        self._turn(refused | found)

    def _turn(self, rows: NDArray[np.bool_]) -> None:
        """Put the next block's signs on trial, first at a radius a little under the best."""
        blocks = np.int64(1) << np.maximum(self._level, 0)
        size = -(-self._values // blocks)
        last = (self._block + 1) * size >= self._values
        level = np.where((self._level < 0) | last, self._level + 1, self._level)
        level[(self._level >= 0) & last & (size == 1)] = 0
        block = np.where((self._level < 0) | last, 0, self._block + 1)
        self._level[rows], self._block[rows] = level[rows], block[rows]
        size = -(-self._values // (np.int64(1) << np.maximum(self._level[rows], 0)))
        place = np.arange(self._values)[None] // size[:, None]
        self._trial[rows] = np.where(place == self._block[rows, None], -self._best[rows], self._best[rows])
        whole = 1 / float(self._unit)
        less = (1 - SHARE) * self._radius[rows] + SHARE * self._goal
        self._ask[rows] = np.where(np.isinf(less), whole, less)
        self._low[rows], self._high[rows] = self._goal, np.inf

    def keep(self, rows: NDArray[np.bool_]) -> None:
        for name in ("_clean", "_trial", "_best", "_radius", "_low", "_high", "_ask", "_level", "_block"):
            setattr(self, name, getattr(self, name)[rows])
