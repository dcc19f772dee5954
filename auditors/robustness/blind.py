"""Attacks that see scores alone: random noise, and the Square attack. They need no gradients and no torch."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback
from evenhand.auditors.robustness.noise import sample_keys, signs, uniform

FIRST_SHARE = 0.8
HALVINGS_PER_10000 = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def random_pictures(clean: Pictures, ids: NDArray[np.int64], *, eps: float, seed: int, draw: int) -> Pictures:
    """Clean pictures plus noise uniform on [-eps, eps], kept in [0, 1]; shape as `clean`."""
    noise = uniform(sample_keys(seed, ids, "random noise", draw), clean[0].size).reshape(clean.shape)
    noise *= np.float32(2 * eps)
    noise -= np.float32(eps)
    noise += clean
    return np.clip(noise, 0, 1, out=noise)


@dataclass(frozen=True)
class RandomNoise:
    """As many independent draws of uniform noise as there are queries."""

    queries: int
    name: str = "random noise"

    def search(self, batch: Batch, *, eps: float, seed: int) -> "RandomNoiseSearch":
        return RandomNoiseSearch(batch, eps=eps, seed=seed)


class RandomNoiseSearch:
    def __init__(self, batch: Batch, *, eps: float, seed: int) -> None:
        self._clean, self._ids, self._eps, self._seed, self._draw = batch.clean, batch.ids, eps, seed, 0

    def propose(self, room: Room) -> Pictures:
        return random_pictures(self._clean, self._ids, eps=self._eps, seed=self._seed, draw=self._draw)

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        self._draw += 1

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._clean, self._ids = self._clean[rows], self._ids[rows]


@dataclass(frozen=True)
class Square:
    """Random squares of shrinking size, each colour channel pushed to a corner of the ball; a better one is kept.

    Source: Andriushchenko et al. (2020), ECCV, "Square Attack"; L-infinity version and schedule of square sizes.
    """

    queries: int
    name: str = "Square"

    def search(self, batch: Batch, *, eps: float, seed: int) -> "SquareSearch":
        return SquareSearch(batch, eps=eps, seed=seed, queries=self.queries)


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


def square_side(query: int, *, queries: int, height: int, width: int) -> int:
    """Side of the square in pixels at a query: its area starts at .8 of the picture and is halved at fixed moments."""
    moment = int(query / queries * 10_000)
    halvings = sum(moment > limit for limit in HALVINGS_PER_10000)
    side = round(math.sqrt(FIRST_SHARE / 2**halvings * height * width))
    return max(1, min(side, height - 1, width - 1))
