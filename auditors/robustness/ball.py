"""Norms: how far an attack may go, which way is up, how a candidate comes back inside. L2 will be a second ball."""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

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
    norm: str = "L-infinity"

    def around(self, clean: Pictures) -> LinfRoom:
        eps = np.float32(self.eps)
        return LinfRoom(low=np.maximum(clean - eps, 0), high=np.minimum(clean + eps, 1), eps=self.eps)

    def sizes(self, change: Pictures) -> NDArray[np.float64]:
        return np.asarray(np.abs(change).max(axis=(1, 2, 3), initial=0), dtype=np.float64)
