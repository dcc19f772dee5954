"""Three wrappers that hide a network's gradients and leave its decisions as they are, or nearly so."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from evenhand.auditors.protocols import DifferentiableImageClassifier
from tests.auditors.robustness.toys import Torch

NOISE = 0.05
"""Standard deviation of the noise on the input, of a range of 1: thirteen levels of 256."""


class Quantised(nn.Module):
    """The input rounded to 256 levels, which pictures have already: the same answers, and no gradient."""

    def __init__(self, inside: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, batch: Tensor) -> Tensor:
        return self.inside(torch.round(batch * 255) / 255)


class Louder(nn.Module):
    """Logits times 1,000: the same classes with a probability of 1, so that the loss has no gradient."""

    def __init__(self, inside: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, batch: Tensor) -> Tensor:
        return 1000 * self.inside(batch)


class Noisy(nn.Module):
    """Fresh noise on the input at every call."""

    def __init__(self, inside: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.inside, self.chance = inside, torch.Generator().manual_seed(0)

    def forward(self, batch: Tensor) -> Tensor:
        return self.inside(batch + NOISE * torch.randn(batch.shape, generator=self.chance))


WRAPPERS: dict[str, Callable[[Callable[[Tensor], Tensor]], nn.Module]] = {
    "quantised input": Quantised,
    "logits times 1000": Louder,
    "input noise": Noisy,
}


def wrapped(bare: DifferentiableImageClassifier, wrapper: str) -> Torch:
    return Torch(WRAPPERS[wrapper](bare.logits), bare.image_shape, tuple(bare.classes))
