"""Norms: how far an attack may go, where it starts, which way is up, how a candidate comes back inside."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import Norm
from evenhand.auditors.robustness.noise import normal, uniform

NORM_WORDS: dict[Norm, str] = {"linf": "L-infinity", "l2": "L2"}

Lengths = NDArray[np.float32]

TINY = np.float32(1e-12)
CLIPPED_ROUNDS = 3
"""Rounds in which an L2 change that [0, 1] has cut is lengthened again."""
WORTH_LENGTHENING = np.float32(1.001)

INSIDE = 1e-6
"""Rounding of float32 that a change may exceed its ball by, a share of its size where that is above 1."""

Pictures = NDArray[np.float32]
"""Pictures in [0, 1], shape (n, height, width, channels): as `predict_proba` reads them, and torch's channels-last."""


class Room(Protocol):
    """What a batch of pictures may be changed to."""

    @property
    def eps(self) -> float: ...

    def project(self, candidate: Pictures) -> Pictures:
        """The candidate brought back inside, in place."""

    def ascend(self, picture: Pictures, gradient: Pictures, step: NDArray[np.float32]) -> Pictures:
        """A new array: one step of the given length per picture up the gradient, brought back inside."""

    def take(self, rows: NDArray[np.bool_]) -> Self:
        """The room of some of the pictures."""


class Ball(Protocol):
    """A norm and a size."""

    @property
    def norm(self) -> str: ...

    @property
    def eps(self) -> float: ...

    def around(self, clean: Pictures) -> Room: ...

    def start(self, clean: Pictures, keys: NDArray[np.uint64]) -> Pictures:
        """A random point of the ball around each picture, before [0, 1] cuts it; `keys` of shape (n,)."""

    def whole(self, shape: tuple[int, ...]) -> "Ball":
        """The ball that allows every picture of that shape."""

    def grey(self, shape: tuple[int, ...]) -> float:
        """The eps within which every picture of that shape can become the same even grey."""

    def sizes(self, change: Pictures) -> NDArray[np.float64]:
        """Length of each change in this norm, shape (n,)."""


@dataclass(frozen=True)
class LinfRoom:
    low: Pictures
    high: Pictures
    eps: float

    def project(self, candidate: Pictures) -> Pictures:
        np.maximum(candidate, self.low, out=candidate)
        return np.minimum(candidate, self.high, out=candidate)

    def ascend(self, picture: Pictures, gradient: Pictures, step: NDArray[np.float32]) -> Pictures:
        moved = np.sign(gradient)
        moved *= step[:, None, None, None]
        moved += picture
        return self.project(moved)

    def take(self, rows: NDArray[np.bool_]) -> "LinfRoom":
        return LinfRoom(low=self.low[rows], high=self.high[rows], eps=self.eps)


@dataclass(frozen=True)
class LinfBall:
    """No channel of any pixel changes by more than eps, in units of the whole range [0, 1]."""

    eps: float
    norm: str = NORM_WORDS["linf"]

    def around(self, clean: Pictures) -> LinfRoom:
        eps = np.float32(self.eps)
        return LinfRoom(low=np.maximum(clean - eps, 0), high=np.minimum(clean + eps, 1), eps=self.eps)

    def start(self, clean: Pictures, keys: NDArray[np.uint64]) -> Pictures:
        """Uniform in the ball."""
        start = uniform(keys, clean[0].size).reshape(clean.shape)
        start *= np.float32(2 * self.eps)
        start -= np.float32(self.eps)
        start += clean
        return start

    def whole(self, shape: tuple[int, ...]) -> "LinfBall":
        return LinfBall(1.0)

    def grey(self, shape: tuple[int, ...]) -> float:
        return 0.5

    def sizes(self, change: Pictures) -> NDArray[np.float64]:
        return np.asarray(np.abs(change).max(axis=(1, 2, 3), initial=0), dtype=np.float64)


def _lengths(change: Pictures) -> Lengths:
    """L2 length of each picture's change, shape (n, 1, 1, 1)."""
    flat = change.reshape(len(change), -1)
    return np.asarray(np.sqrt(np.square(flat).sum(axis=1))[:, None, None, None], dtype=np.float32)


@dataclass(frozen=True)
class L2Room:
    clean: Pictures
    eps: float

    def project(self, candidate: Pictures) -> Pictures:
        """The nearest point, nearly, that is inside both the ball and [0, 1].

        That point is the picture plus t times the change, cut to [0, 1], for the largest t in (0, 1] that stays in the
        ball. As the length of a cut change is concave in t, t = eps / length, repeated, nears it from below.
        """
        change = candidate - self.clean
        eps = np.float32(self.eps)
        t = np.minimum(eps / (_lengths(change) + TINY), 1)
        np.clip(self.clean + t * change, 0, 1, out=candidate)
        for _ in range(CLIPPED_ROUNDS):
            longer = np.minimum(t * eps / (_lengths(candidate - self.clean) + TINY), 1)
            worth = longer > t * WORTH_LENGTHENING
            if not worth.any():
                break
            t = np.where(worth, longer, t)
            np.clip(self.clean + t * change, 0, 1, out=candidate)
        return candidate

    def ascend(self, picture: Pictures, gradient: Pictures, step: NDArray[np.float32]) -> Pictures:
        moved = gradient * (step[:, None, None, None] / (_lengths(gradient) + TINY))
        moved += picture
        return self.project(moved)

    def take(self, rows: NDArray[np.bool_]) -> "L2Room":
        return L2Room(clean=self.clean[rows], eps=self.eps)


@dataclass(frozen=True)
class L2Ball:
    """The root of the summed squared changes of all values of a picture, each in units of [0, 1], is at most eps."""

    eps: float
    norm: str = NORM_WORDS["l2"]

    def around(self, clean: Pictures) -> L2Room:
        return L2Room(clean=clean, eps=self.eps)

    def start(self, clean: Pictures, keys: NDArray[np.uint64]) -> Pictures:
        """Uniform on the sphere."""
        start = normal(keys, clean[0].size).reshape(clean.shape)
        start *= np.float32(self.eps) / (_lengths(start) + TINY)
        start += clean
        return start

    def whole(self, shape: tuple[int, ...]) -> "L2Ball":
        return L2Ball(float(np.sqrt(np.prod(shape))))

    def grey(self, shape: tuple[int, ...]) -> float:
        return 0.5 * float(np.sqrt(np.prod(shape)))

    def sizes(self, change: Pictures) -> NDArray[np.float64]:
        flat = change.reshape(len(change), -1)
        return np.asarray(np.sqrt(np.square(flat, dtype=np.float64).sum(axis=1)), dtype=np.float64)


def inside(ball: Ball, change: Pictures) -> NDArray[np.bool_]:
    """Which changes the ball allows, shape (n,)."""
    return np.asarray(ball.sizes(change) <= ball.eps + INSIDE * max(1, ball.eps))


BALLS: dict[Norm, type[LinfBall] | type[L2Ball]] = {"linf": LinfBall, "l2": L2Ball}
