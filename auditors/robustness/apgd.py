"""Auto-PGD: gradient ascent whose step halves by itself. The loss it climbs belongs to the oracle.

Source: Croce and Hein (2020), ICML, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks"; momentum, checkpoints and halving as in its algorithm 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Ball, Pictures, Room
from evenhand.auditors.robustness.loop import Batch, Feedback
from evenhand.auditors.robustness.noise import sample_keys

MOMENTUM = np.float32(0.75)
ENOUGH_INCREASES = 0.75


@dataclass(frozen=True)
class Apgd:
    """`steps` of ascent from a random point of the ball; `restart` changes that point."""

    name: str
    steps: int
    restart: int = 0
    roams: bool = False

    @property
    def queries(self) -> int:
        return self.steps + 1

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> "ApgdSearch":
        keys = sample_keys(seed, batch.ids, self.name, self.restart)
        return ApgdSearch(start=ball.start(batch.clean, keys), eps=ball.eps, steps=self.steps)


class ApgdSearch:
    """State of the ascent, one row a picture."""

    def __init__(self, *, start: Pictures, eps: float, steps: int) -> None:
        n = len(start)
        self._here = start
        self._before = start
        self._gradient = np.zeros_like(start)
        self._step = np.full(n, 2 * eps, dtype=np.float32)
        self._best = start
        self._best_gradient = self._gradient
        self._loss = np.full(n, -np.inf)
        self._best_loss = np.full(n, -np.inf)
        self._best_loss_at_checkpoint = np.full(n, -np.inf)
        self._halved = np.ones(n, dtype=bool)
        self._increases = np.zeros(n, dtype=np.int64)
        self._moves = 0
        self._since_checkpoint = 0
        self._window = max(int(0.22 * steps), 1)
        self._shortest_window = max(int(0.06 * steps), 1)
        self._window_shrinks_by = max(int(0.03 * steps), 1)
        self._started = False

    def propose(self, room: Room) -> Pictures:
        if not self._started:
            return room.project(self._here)
        moved = room.ascend(self._here, self._gradient, self._step)
        if self._moves:
            # three quarters of the way to the moved point, one quarter of the last move again
            moved *= MOMENTUM
            moved += (2 - 2 * MOMENTUM) * self._here
            moved -= (1 - MOMENTUM) * self._before
        return moved

    def learn(self, candidate: Pictures, feedback: Feedback) -> None:
        if feedback.gradient is None:
            raise TypeError("Auto-PGD needs an oracle that gives gradients")
        if not self._started:
            self._begin(candidate, feedback.loss, feedback.gradient)
            return
        self._moves += 1
        self._since_checkpoint += 1
        self._increases += feedback.loss > self._loss
        self._before, self._here = self._here, candidate
        self._gradient, self._loss = feedback.gradient, feedback.loss
        better = feedback.loss > self._best_loss
        self._best[better] = candidate[better]
        self._best_gradient[better] = feedback.gradient[better]
        self._best_loss[better] = feedback.loss[better]
        if self._since_checkpoint == self._window:
            self._checkpoint()

    def _begin(self, candidate: Pictures, loss: NDArray[np.float64], gradient: Pictures) -> None:
        self._started = True
        self._here = self._before = candidate
        self._best, self._best_gradient, self._best_loss = candidate.copy(), gradient.copy(), loss.copy()
        self._gradient, self._loss = gradient, loss
        self._best_loss_at_checkpoint = loss.copy()

    def _checkpoint(self) -> None:
        """Halve the step where the loss oscillated, or where nothing was gained; go on from the best point."""
        oscillated = self._increases <= ENOUGH_INCREASES * self._window
        stalled = ~self._halved & (self._best_loss_at_checkpoint >= self._best_loss)
        halve = oscillated | stalled
        self._halved = halve
        self._best_loss_at_checkpoint = self._best_loss.copy()
        if halve.any():
            self._step[halve] /= 2
            self._here[halve] = self._best[halve]
            self._gradient[halve] = self._best_gradient[halve]
        self._window = max(self._window - self._window_shrinks_by, self._shortest_window)
        self._since_checkpoint = 0
        self._increases[:] = 0

    def keep(self, rows: NDArray[np.bool_]) -> None:
        for name in (
            "_here",
            "_before",
            "_gradient",
            "_step",
            "_best",
            "_best_gradient",
            "_loss",
            "_best_loss",
            "_best_loss_at_checkpoint",
            "_halved",
            "_increases",
        ):
            setattr(self, name, getattr(self, name)[rows])
