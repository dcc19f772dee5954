"""Our own networks at work, in this process and with gradients: they are tensors and a description, not code."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.columns import Columns, chosen, row_count, rows_of
from evenhand.classifiers.images import checked
from evenhand.classifiers.models import ImageModel, TableModel, batches

if TYPE_CHECKING:
    import torch
    from torch import nn

BATCH_BYTES = 16 * 1024 * 1024


class NetworkOfImages(ImageModel):
    """A network that reads pictures. It has gradients: `logits` can be differentiated.

    Args:
        description: what it is.
        module: the network; it is put into evaluation mode and its weights are frozen.
    """

    def __init__(self, description: Description, module: "nn.Module") -> None:
        assert description.image_shape is not None
        self.description, self.module = description, _frozen(module)
        self.classes, self.image_shape = description.classes, description.image_shape
        self.device = "cpu"

    def to(self, device: str) -> Self:
        """Move the weights; pictures follow by themselves."""
        self.module.to(device)
        self.device = device
        return self

    def logits(self, batch: "torch.Tensor") -> "torch.Tensor":
        """Logits (n, n_classes) of pictures (n, channels, height, width), float32 from 0 to 1; differentiable."""
        logits: torch.Tensor = self.module(batch.to(self.device))
        return logits

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """As in `ImageModel`."""
        import torch

        images = checked(images, self.image_shape)

        def tensor(rows: slice) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(images[rows].transpose(0, 3, 1, 2)))

        return _scores(self.logits, tensor, len(images), 4 * int(np.prod(self.image_shape)), len(self.classes))


class NetworkOfTables(TableModel):
    """A network that reads table rows.

    Args:
        description: what it is.
        module: the network; it is put into evaluation mode and its weights are frozen.
    """

    def __init__(self, description: Description, module: "nn.Module") -> None:
        assert description.encoder is not None
        self.description, self.module = description, _frozen(module)
        self.classes, self.encoder = description.classes, description.encoder
        self.features = self.encoder.features

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """As in `TableModel`."""
        import torch

        taken = chosen(columns, self.features)

        def tensor(rows: slice) -> torch.Tensor:
            return torch.from_numpy(self.encoder.encode(rows_of(taken, rows)))

        return _scores(self.module, tensor, row_count(taken), 4 * self.encoder.width, len(self.classes))


Network = NetworkOfImages | NetworkOfTables


def network(description: Description, module: "nn.Module") -> Network:
    """The classifier around a module, of the kind that its description says."""
    return (NetworkOfTables if description.image_shape is None else NetworkOfImages)(description, module)


def _frozen(module: "nn.Module") -> "nn.Module":
    return module.eval().requires_grad_(False)


def _scores(
    logits: "Callable[[torch.Tensor], torch.Tensor]",
    tensor: "Callable[[slice], torch.Tensor]",
    count: int,
    bytes_a_row: int,
    class_count: int,
) -> NDArray[np.float64]:
    import torch

    scores = np.zeros((count, class_count))
    with torch.inference_mode():
        for rows in batches(count, bytes_a_row, most_bytes=BATCH_BYTES):
            scores[rows] = torch.softmax(logits(tensor(rows)).double(), dim=1).cpu().numpy()
    return scores
