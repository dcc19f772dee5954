"""What a network shows of itself: the kernels of its convolutions, and the features behind its decision."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.scores import batches

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Kernels:
    """One convolution: its name and weights, shape (filters, channels, height, width)."""

    name: str
    weights: NDArray[np.float32]


def kernels_of(classifier: ImageClassifier) -> list[Kernels]:
    """Every 2-d convolution in order; none where the classifier shows no weights.

    A classifier may say itself (`kernels()`: pairs of a name and weights); else they are those of its torch `module`.
    """
    told = getattr(classifier, "kernels", None)
    if callable(told):
        return [Kernels(str(name), np.asarray(weights, dtype=np.float32)) for name, weights in told()]
    module = module_of(classifier)
    if module is None:
        return []
    from torch import nn

    return [
        Kernels(name or "0", layer.weight.detach().cpu().numpy().astype(np.float32))
        for name, layer in module.named_modules()
        if isinstance(layer, nn.Conv2d)
    ]


def module_of(classifier: ImageClassifier) -> "nn.Module | None":
    """The torch module behind the classifier, where it has one."""
    if getattr(classifier, "module", None) is None:
        return None
    from torch import nn

    module: Any = classifier.module  # type: ignore[attr-defined]  # looked for above
    return module if isinstance(module, nn.Module) else None


def features_of(
    classifier: ImageClassifier, pictures: Pictures, *, batch_size: int, device: str
) -> NDArray[np.float32] | None:
    """What the last linear layer reads, shape (n, features); None where there is no such layer to look at.

    A classifier may say itself (`at_last_layer`); else it is asked of its torch `module`.
    """
    module = module_of(classifier)
    if module is None:
        return _told_features(classifier, pictures, batch_size=batch_size, device=device)
    import torch

    last = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    if not last:
        return None
    held: list[NDArray[np.float32]] = []

    def keep(layer: "nn.Module", inputs: Any) -> None:
        held.append(inputs[0].detach().flatten(1).cpu().numpy())

    hook = last[-1].register_forward_pre_hook(keep)
    try:
        with torch.no_grad():
            for rows in batches(len(pictures), batch_size):
                module(torch.from_numpy(np.ascontiguousarray(pictures[rows].transpose(0, 3, 1, 2))).to(device))
    finally:
        hook.remove()
    return np.concatenate(held).astype(np.float32) if held else None


def _told_features(
    classifier: ImageClassifier, pictures: Pictures, *, batch_size: int, device: str
) -> NDArray[np.float32] | None:
    at_last_layer = getattr(classifier, "at_last_layer", None)
    if getattr(classifier, "last_layer", None) is None or not callable(at_last_layer):
        return None
    import torch

    from evenhand.auditors.robustness.gradients import as_batch

    with torch.no_grad():
        held = [at_last_layer(as_batch(pictures[rows], device)) for rows in batches(len(pictures), batch_size)]
    return np.concatenate([part.cpu().numpy() for part in held]).astype(np.float32) if held else None
