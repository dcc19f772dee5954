"""The middle layer of a network: what it holds for each picture, and which way a score would rise there.

Which layer that is: the layers with weights are counted in the order in which they compute; the middle one of L is what
layer number L // 2 (from 0) reads. Behind the last layer with weights the way a score rises is the same for every
picture, so a network of fewer than three such layers has no middle.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier, LayeredImageClassifier
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.scores import batches

if TYPE_CHECKING:
    from torch import Tensor, nn

FEWEST_LAYERS = 3
LARGEST_SIDE = 8
"""Maps of the middle layer larger than this are averaged over blocks: a vector in the layer is constant inside one."""


@dataclass(frozen=True)
class Layer:
    """The middle layer, or why there is none; `name` says which it is."""

    name: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Inside:
    """What the layer holds, and the gradient of a score with respect to it; both (n, values), float32."""

    activations: NDArray[np.float32]
    gradients: NDArray[np.float32]


def middle_layer(classifier: ImageClassifier) -> Layer:
    """The layer to ask about. A classifier answers for itself (`middle_layer`), or by its torch `module`."""
    if _answers_itself(classifier):
        few = f"the network has fewer than {FEWEST_LAYERS} layers with weights that are known: none lies in the middle"
        return Layer(classifier.middle_layer, None if classifier.middle_layer else few)
    module = getattr(classifier, "module", None)
    if module is None or not callable(getattr(classifier, "logits", None)):
        return Layer(None, "the classifier gives no layers to look into")
    order = _order(classifier)
    if len(order) < FEWEST_LAYERS:
        few = f"{len(order)} layer{'' if len(order) == 1 else 's'} with weights: no layer lies in the middle"
        return Layer(None, f"the network has {few}")
    return Layer(order[len(order) // 2])


def inside(
    classifier: ImageClassifier,
    layer: str,
    pictures: Pictures,
    weights: NDArray[np.float32],
    *,
    device: str,
    batch_size: int,
) -> Inside:
    """Activations of the layer, and there the gradient of the sum over classes of `weights` times logits.

    Args:
        classifier: one that `middle_layer` found a layer in.
        layer: its name.
        pictures: (n, height, width, channels) in [0, 1].
        weights: (n, K); the second class less the first is (-1, 1).
        device: where torch computes.
        batch_size: pictures a call.
    """
    held, slopes = [], []
    for rows in batches(len(pictures), batch_size):
        if _answers_itself(classifier):
            activation, gradient = classifier.at_middle_layer(pictures[rows], weights[rows])
        else:
            activation, gradient = _hooked(classifier, layer, pictures[rows], weights[rows], device)
        held.append(_flat(activation))
        slopes.append(_flat(gradient))
    return Inside(np.concatenate(held), np.concatenate(slopes))


def _answers_itself(classifier: ImageClassifier) -> TypeGuard[LayeredImageClassifier]:
    return callable(getattr(classifier, "at_middle_layer", None))


def _weighted(module: "nn.Module") -> dict[str, "nn.Module"]:
    """Convolutions and linear layers, by name."""
    from torch import nn
    from torch.nn.modules.conv import _ConvNd

    return {name: part for name, part in module.named_modules() if isinstance(part, nn.Linear | _ConvNd)}


def _order(classifier: ImageClassifier) -> list[str]:
    """Names of the layers with weights in the order in which they compute, found by one grey picture."""
    import torch

    called: list[str] = []

    def noted(name: str) -> "object":
        return lambda part, inputs: called.append(name)

    hooks = [
        part.register_forward_pre_hook(noted(name))  # type: ignore[arg-type]
        for name, part in _weighted(classifier.module).items()  # type: ignore[attr-defined]
    ]
    height, width, channels = classifier.image_shape
    try:
        with torch.no_grad():
            classifier.logits(torch.full((1, channels, height, width), 0.5))  # type: ignore[attr-defined]
    finally:
        for hook in hooks:
            hook.remove()
    return list(dict.fromkeys(called))


def _hooked(
    classifier: ImageClassifier, layer: str, pictures: Pictures, weights: NDArray[np.float32], device: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import torch

    from evenhand.auditors.robustness.gradients import as_batch, full_precision, logits_in_any_layout

    read: list[Tensor] = []

    def keep(part: "nn.Module", inputs: "tuple[Tensor, ...]") -> None:
        read.append(inputs[0])

    hook = classifier.module.get_submodule(layer).register_forward_pre_hook(keep)  # type: ignore[attr-defined]
    try:
        with torch.enable_grad(), full_precision(device):
            batch = as_batch(pictures, device).requires_grad_()
            read.clear()
            logits = logits_in_any_layout(classifier, batch)  # type: ignore[arg-type]
            score = (logits * torch.from_numpy(weights).to(logits.device)).sum()
            held = read[-1]
            (gradient,) = torch.autograd.grad(score, held, allow_unused=True)
    finally:
        hook.remove()
    gradient = torch.zeros_like(held) if gradient is None else gradient
    return held.detach().cpu().contiguous().numpy(), gradient.cpu().contiguous().numpy()


def _flat(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, values), maps averaged over blocks of at most LARGEST_SIDE a side."""
    if values.ndim == 4 and max(values.shape[2:]) > LARGEST_SIDE:
        for axis in (2, 3):
            side = values.shape[axis]
            starts = (np.arange(min(side, LARGEST_SIDE)) * side) // min(side, LARGEST_SIDE)
            sizes = np.diff([*starts, side]).astype(np.float32)
            shape = [1] * 4
            shape[axis] = len(sizes)
            values = np.asarray(np.add.reduceat(values, starts, axis=axis) / sizes.reshape(shape), dtype=np.float32)
    return np.ascontiguousarray(values.reshape(len(values), -1), dtype=np.float32)
