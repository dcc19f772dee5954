"""Attacks that see scores alone: random noise, and the Square attack. They need no gradients and no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Ball, L2Ball, Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback, Search
from evenhand.auditors.robustness.noise import sample_keys, signs, uniform
from evenhand.auditors.robustness.square_l2 import SquareL2Search, square_side


def random_pictures(clean: Pictures, ids: NDArray[np.int64], *, ball: Ball, seed: int, draw: int) -> Pictures:
    """Clean pictures plus noise of the ball's size, kept in [0, 1]; shape as `clean`."""
    noise = ball.start(clean, sample_keys(seed, ids, "random noise", draw))
    return np.clip(noise, 0, 1, out=noise)


@dataclass(frozen=True)
class RandomNoise:
    """As many independent draws of noise as there are queries."""

    queries: int
    name: str = "random noise"
    roams: bool = False

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> "RandomNoiseSearch":
        return RandomNoiseSearch(batch, ball=ball, seed=seed)


class RandomNoiseSearch:
    def __init__(self, batch: Batch, *, ball: Ball, seed: int) -> None:
        self._clean, self._ids, self._ball, self._seed, self._draw = batch.clean, batch.ids, ball, seed, 0

    def propose(self, room: Room) -> Pictures:
        return random_pictures(self._clean, self._ids, ball=self._ball, seed=self._seed, draw=self._draw)

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        self._draw += 1

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._clean, self._ids = self._clean[rows], self._ids[rows]


@dataclass(frozen=True)
class Square:
    """Random squares of shrinking size; a better one is kept. In L-infinity each colour channel goes to a corner of the ball.

    Source: Andriushchenko et al. (2020), ECCV, "Square Attack"; its schedule of square sizes. L2 is in `square_l2`.
    """

    queries: int
    name: str = "Square"
    roams: bool = False

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> Search:
        if ball.norm == L2Ball.norm:
            return SquareL2Search(batch, eps=ball.eps, seed=seed, queries=self.queries)
        return SquareSearch(batch, eps=ball.eps, seed=seed, queries=self.queries)


class SquareSearch:
    def __init__(self, batch: Batch, *, eps: float, seed: int, queries: int) -> None:
        self._keys = sample_keys(seed, batch.ids, "Square")
        self._eps = np.float32(eps)
        self._queries = queries
        self._query = 0
        n, _, width, channels = batch.clean.shape
        stripes = signs(self._keys, channels * width).reshape(n, 1, width, channels)
        self._best = batch.clean + self._eps * stripes
        self._loss = np.full(n, -np.inf)

    def propose(self, room: Room) -> Pictures:
        if self._query == 0:
            return room.project(self._best)
        candidate = self._best.copy()
        n, height, width, channels = candidate.shape
        side = square_side(self._query, queries=self._queries, height=height, width=width)
        draws = uniform(sample_keys(self._query, self._keys.view(np.int64), "step"), 2 + channels)
        rows = (draws[:, 0] * (height - side + 1)).astype(np.int64)[:, None] + np.arange(side)
        columns = (draws[:, 1] * (width - side + 1)).astype(np.int64)[:, None] + np.arange(side)
        push = np.where(draws[:, 2:] < 0.5, -2 * self._eps, 2 * self._eps)
        candidate[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]] += push[:, None, None, :]
        return candidate

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        if self._query == 0:
            self._best, self._loss = candidate.copy(), feedback.loss.copy()
        else:
            better = feedback.loss > self._loss
            self._best[better] = candidate[better]
            self._loss[better] = feedback.loss[better]
        self._query += 1

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._keys, self._best, self._loss = self._keys[rows], self._best[rows], self._loss[rows]
