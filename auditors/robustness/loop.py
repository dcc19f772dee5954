"""The attack loop, written once: budget, success, the active set of survivors. What is tried belongs to the attack.

An attack proposes, an oracle answers, the search learns. The loop distrusts both: every candidate is brought back
inside the ball before it is scored, or not counted outside it, and `ensemble` scores what is found again through the
deployed model.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness.ball import Ball, Pictures, Room, inside


@dataclass(frozen=True)
class Batch:
    """Pictures under attack, (n, height, width, channels), with label, target (of targeted attacks), id, each (n,)."""

    clean: Pictures
    label: NDArray[np.int64]
    target: NDArray[np.int64]
    ids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.clean)

    def take(self, rows: NDArray[np.bool_]) -> "Batch":
        return Batch(self.clean[rows], self.label[rows], self.target[rows], self.ids[rows])


@dataclass(frozen=True)
class Feedback:
    """To a candidate: `loss` (n,), the higher the nearer to success, `wrong` (n,), and the gradient of the loss."""

    loss: NDArray[np.float64]
    wrong: NDArray[np.bool_]
    gradient: Pictures | None = None


class Oracle(Protocol):
    def __call__(self, candidate: Pictures, batch: Batch) -> Feedback: ...


class Search(Protocol):
    """The state of one attack on one batch."""

    def propose(self, room: Room) -> Pictures:
        """The next candidates; a new array, which the loop may change."""

    def learn(self, candidate: Pictures, feedback: Feedback) -> None: ...

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Forget the pictures that are settled."""


class Attack(Protocol):
    """How candidates are found."""

    @property
    def name(self) -> str: ...

    @property
    def queries(self) -> int:
        """How many candidates it may try on a picture."""

    @property
    def roams(self) -> bool:
        """Whether it asks beyond the ball too; what is misread there tells it the way and settles nothing."""

    def search(self, batch: Batch, *, ball: Ball, seed: int) -> Search: ...


@dataclass(frozen=True)
class Found:
    """Candidates that the oracle calls wrong: `rows` of the batch, shape (m,), and the pictures."""

    rows: NDArray[np.int64]
    pictures: Pictures


def run(batch: Batch, *, attack: Attack, oracle: Oracle, ball: Ball, seed: int) -> Found:
    """Attack every picture until it is called wrong or the attack's queries are spent.

    Args:
        batch: pictures that are classified correctly; a settled one is not worked on any more.
        attack: supplies start and direction.
        oracle: scores candidates.
        ball: how far a picture may be changed.
        seed: of the noise; with the sample's id it fixes every random choice.

    Returns:
        At most one candidate a picture, inside the ball and inside [0, 1].
    """
    active = np.arange(len(batch))
    room: Room = (ball.whole(batch.clean.shape[1:]) if attack.roams else ball).around(batch.clean)
    search = attack.search(batch, ball=ball, seed=seed)
    rows: list[NDArray[np.int64]] = []
    pictures: list[Pictures] = []
    for query in range(attack.queries):
        candidate = room.project(search.propose(room))
        feedback = oracle(candidate, batch)
        broken = feedback.wrong & inside(ball, candidate - batch.clean) if attack.roams else feedback.wrong
        if broken.any():
            rows.append(active[broken])
            pictures.append(candidate[broken])
        left = ~broken
        if query + 1 == attack.queries or not left.any():
            break
        search.learn(candidate, feedback)
        if not left.all():
            search.keep(left)
            active, batch, room = active[left], batch.take(left), room.take(left)
    if not rows:
        return Found(np.empty(0, np.int64), np.empty((0, *batch.clean.shape[1:]), np.float32))
    return Found(np.concatenate(rows), np.concatenate(pictures))
