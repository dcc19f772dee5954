"""The Square attack in L2, and the schedule of square sizes that both norms share."""

import math

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import TINY, Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback
from evenhand.auditors.robustness.noise import sample_keys, signs, uniform

FIRST_SHARE = 0.8
HALVINGS_PER_10000 = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)
TILES = 5
LEAST_SIDE = 3


def square_side(query: int, *, queries: int, height: int, width: int) -> int:
    """Side of the square in pixels at a query: its area starts at .8 of the picture and is halved at fixed moments."""
    moment = int(query / queries * 10_000)
    halvings = sum(moment > limit for limit in HALVINGS_PER_10000)
    side = round(math.sqrt(FIRST_SHARE / 2**halvings * height * width))
    return max(1, min(side, height - 1, width - 1))


def hill(height: int, width: int) -> NDArray[np.float32]:
    """A bump of length 1: at Chebyshev distance d from the centre the sum of 1/(j + 1)^2 over j from d on."""
    rows, columns = np.abs(np.arange(height) - height // 2), np.abs(np.arange(width) - width // 2)
    distance = np.maximum(rows[:, None], columns[None, :])
    shares = 1 / (np.arange(distance.max() + 1) + 1.0) ** 2
    bump = np.cumsum(shares[::-1])[::-1][distance]
    return np.asarray(bump / np.linalg.norm(bump), dtype=np.float32)


def two_hills(side: int) -> NDArray[np.float32]:
    """A hill above a valley, (side, side), of length 1."""
    upper = side // 2
    halves = [hill(upper, side)] if upper else []
    both = np.concatenate([*halves, -hill(side - upper, side)])
    return np.asarray(both / np.linalg.norm(both), dtype=np.float32)


class SquareL2Search:
    """Each query moves the change inside one window, and what another window had, into a hill and a valley.

    Source: Andriushchenko et al. (2020), ECCV, "Square Attack", algorithm 3: the bump, the two windows, the share of
    the freed length that each channel gets.
    """

    def __init__(self, batch: Batch, *, eps: float, seed: int, queries: int) -> None:
        self._keys = sample_keys(seed, batch.ids, "Square")
        self._clean, self._eps = batch.clean, np.float32(eps)
        self._queries, self._query = queries, 0
        self._best = batch.clean + self._tiles()
        self._loss = np.full(len(batch), -np.inf)

    def _tiles(self) -> Pictures:
        """The start: hills and valleys on a grid, each of a random sign a channel, eps long together."""
        n, height, width, channels = self._clean.shape
        side = max(1, min(height, width) // TILES)
        down, across = height // side, width // side
        sign = signs(self._keys, down * across * channels).reshape(n, down, across, channels)
        tile = two_hills(side)[None, :, :, None]
        change = np.zeros_like(self._clean)
        for row in range(down):
            for column in range(across):
                place = np.s_[:, row * side : (row + 1) * side, column * side : (column + 1) * side]
                change[place] = tile * sign[:, row, column, None, None, :]
        return np.asarray(change * (self._eps / _length(change, (1, 2, 3))), dtype=np.float32)

    def propose(self, room: Room) -> Pictures:
        if self._query == 0:
            return room.project(self._best.copy())
        change = self._best - self._clean
        _, height, width, channels = change.shape
        side = square_side(self._query, queries=self._queries, height=height, width=width)
        side = min(max(side, LEAST_SIDE), height, width)
        draws = uniform(sample_keys(self._query, self._keys.view(np.int64), "step"), 5 + channels)
        here, donor = (self._window(draws[:, two : two + 2], side) for two in (0, 2))
        old = change[here]
        change[donor] = 0
        change[here] = 0
        freed = np.maximum(self._eps**2 - np.square(change).sum(axis=(1, 2, 3), keepdims=True), 0)
        bump = two_hills(side)
        turned = np.where(draws[:, 4, None, None] < 0.5, bump, bump.T)[..., None]
        sign = np.where(draws[:, None, None, 5:] < 0.5, np.float32(-1), np.float32(1))
        new = turned * sign + old / (_length(old, (1, 2, 3)) + TINY)
        change[here] = new * (np.sqrt(freed / channels) / (_length(new, (1, 2)) + TINY))
        return np.asarray(self._clean + change, dtype=np.float32)

    def _window(self, draws: NDArray[np.float32], side: int) -> tuple[NDArray[np.int64], ...]:
        """Index of a side × side window at a random place of each picture."""
        _, height, width, _ = self._clean.shape
        rows = (draws[:, 0] * (height - side + 1)).astype(np.int64)[:, None] + np.arange(side)
        columns = (draws[:, 1] * (width - side + 1)).astype(np.int64)[:, None] + np.arange(side)
        return np.arange(len(draws))[:, None, None], rows[:, :, None], columns[:, None, :]

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        better = feedback.loss > self._loss if self._query else np.ones(len(candidate), dtype=bool)
        self._best[better] = candidate[better]
        self._loss[better] = feedback.loss[better]
        self._query += 1

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._keys, self._clean = self._keys[rows], self._clean[rows]
        self._best, self._loss = self._best[rows], self._loss[rows]


def _length(change: Pictures, axes: tuple[int, ...]) -> Pictures:
    return np.asarray(np.sqrt(np.square(change).sum(axis=axes, keepdims=True)), dtype=np.float32)
