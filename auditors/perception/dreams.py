"""Dreams under a data prior: likely pictures, changed until the network is sure. How they are judged is in `leaning`.

After Deep Dream (Mordvintsev, Olah and Tyka 2015): a network only sees what it was trained to see. Free dreams of honest
networks lean to either group by chance; kept to the components of the audit set they rarely do.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.components import Components
from evenhand.auditors.perception.threads import one_thread
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.noise import normal, sample_keys

if TYPE_CHECKING:
    from torch import Tensor

    from evenhand.auditors.protocols import DifferentiableImageClassifier

STARTS = 16
STEPS = 80
LEARNING_RATE = 0.1
PENALTY = 0.067
MOST_CLASSES = 10
DREAMT_AT_ONCE = 64


@dataclass(frozen=True)
class Dreams:
    """One picture a start and class, shape (starts, classes, height, width, channels), in [0, 1].

    Attributes:
        labels: the classes dreamt of, shape (classes,).
        steepness: largest gradient of the first step by dream, shape (starts, classes); 0 where nothing moved it.
    """

    pictures: Pictures
    labels: NDArray[np.int64]
    steepness: NDArray[np.float64]


def dream(
    classifier: "DifferentiableImageClassifier",
    components: Components,
    *,
    labels: NDArray[np.int64],
    scales: NDArray[np.float64],
    device: str,
    seed: int,
) -> Dreams:
    """From the same 16 random z climb the margin of each class over the best other: 80 steps of Adam at .1.

    The penalty of .067 z squared keeps a dream near the pictures of the audit set. For two classes the margins
    are logit 1 - logit 0 and logit 0 - logit 1.

    Args:
        classifier: gives the logits.
        components: the space that is searched.
        labels: the classes dreamt of, shape (classes,).
        scales: standard deviation of each class's margin on real pictures; the margin is climbed in these units, so
            that a network that is surer of everything does not dream farther (docs/decisions/0010).
        device: where torch computes.
        seed: of the starts.
    """
    start = normal(sample_keys(seed, np.arange(STARTS), "dream under a prior"), len(components))
    z = start.repeat(len(labels), axis=0)
    wanted = np.tile(labels, STARTS)
    scale = np.tile(scales, STARTS).astype(np.float32)
    parts = [
        _climb(classifier, components, z[rows], wanted[rows], scale[rows], device)
        for rows in (slice(at, at + DREAMT_AT_ONCE) for at in range(0, len(z), DREAMT_AT_ONCE))
    ]
    shape = (STARTS, len(labels), *components.shape)
    return Dreams(
        pictures=np.concatenate([pictures for pictures, _ in parts]).reshape(shape),
        labels=labels,
        steepness=np.concatenate([steepness for _, steepness in parts]).reshape(STARTS, len(labels)),
    )


def _climb(
    classifier: "DifferentiableImageClassifier",
    components: Components,
    start: NDArray[np.float32],
    wanted: NDArray[np.int64],
    scale: NDArray[np.float32],
    device: str,
) -> tuple[Pictures, NDArray[np.float64]]:
    import torch

    from evenhand.auditors.robustness.gradients import full_precision, logits_in_any_layout, margin

    z = torch.from_numpy(start).to(device).requires_grad_()
    mean = torch.from_numpy(components.mean).to(device)
    directions = torch.from_numpy(components.directions).to(device)
    label = torch.from_numpy(wanted).to(device)
    unit = torch.from_numpy(scale).to(device)
    height, width, channels = components.shape

    def picture() -> "Tensor":
        flat = mean + z @ directions
        return flat.reshape(len(flat), height, width, channels).permute(0, 3, 1, 2).clamp(0, 1)

    optimizer = torch.optim.Adam([z], lr=LEARNING_RATE)
    steepness = np.zeros(len(start))
    with one_thread(), torch.enable_grad(), full_precision(device):
        for step in range(STEPS):
            climbed = margin(logits_in_any_layout(classifier, picture()), label, label).neg() / unit
            (slope,) = torch.autograd.grad(climbed.sum(), z, allow_unused=True) if climbed.requires_grad else (None,)
            slope = torch.zeros_like(z) if slope is None else slope.nan_to_num()
            if step == 0:
                steepness = slope.detach().abs().amax(dim=1).cpu().numpy().astype(np.float64)
            z.grad = 2 * PENALTY * z.detach() - slope
            optimizer.step()
    with torch.no_grad():
        dreamt = picture().permute(0, 2, 3, 1).cpu().numpy()
    return np.ascontiguousarray(dreamt, dtype=np.float32), steepness
