"""Gradients of a model of pictures in a confined child: pictures go there, logits come back; and so with gradients.

What runs in the child is a stranger's graph, so nothing that it says is used before its form is checked.
"""

from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.function import once_differentiable

from evenhand.classifiers.confine.message import Message
from evenhand.classifiers.errors import WrongInput, WrongOutput
from evenhand.classifiers.images import in_words
from evenhand.classifiers.models import batches
from evenhand.classifiers.runtimes.confined import ConfinedImages

Read = Literal["logits", "features"]
VALUES_AT_ONCE = 1 << 20
"""Numbers of pictures that travel together. The child keeps the way back of one such batch in memory."""


class DifferentiableImages(ConfinedImages):
    """A classifier of pictures in a child, with gradients. Scores are onnxruntime's; logits are the interpreter's."""

    _last_ticket = 0
    _kept: int | None = None

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits (n, n_classes) of pictures (n, channels, height, width), float32 from 0 to 1; differentiable once.

        Their softmax is what `predict_proba` gives, up to rounding.

        Raises:
            WrongInput: pictures of another size.
            ChildFailed, WrongOutput: the child did not answer, or not with numbers.
        """
        return self._ask(batch, "logits")

    def at_last_layer(self, batch: torch.Tensor) -> torch.Tensor:
        """What the layer named `last_layer` holds, shape (n, values), of pictures as for `logits`; differentiable once.

        Raises:
            WrongInput: pictures of another size.
            ChildFailed, WrongOutput: the child did not answer, or not with numbers.
        """
        return self._ask(batch, "features")

    def kernels(self) -> list[tuple[str, NDArray[np.float32]]]:
        """Name and weights (filters, channels, height, width) of every convolution in the graph, in its order.

        Raises:
            ChildFailed, WrongOutput: the child did not answer, or not with kernels.
        """
        self._kept = None
        answer = self.process.ask(Message({"do": "kernels"}))
        names, arrays = answer.head.get("names"), answer.arrays
        if not isinstance(names, list) or sorted(arrays) != sorted(str(index) for index in range(len(names))):
            raise WrongOutput(name=self.process.name, expected="kernels of convolutions", got="something else")
        if any(
            part.ndim != 4 or part.size == 0 or part.dtype != np.float32 or not np.isfinite(part).all()
            for part in arrays.values()
        ):
            raise WrongOutput(name=self.process.name, expected="kernels of convolutions", got="something else")
        return [(str(name)[:200], arrays[str(index)]) for index, name in enumerate(names)]

    def _ask(self, batch: torch.Tensor, read: Read) -> torch.Tensor:
        height, width, channels = self.image_shape
        if tuple(batch.shape[1:]) != (channels, height, width):
            raise WrongInput(expected=f"pictures of {in_words(self.image_shape)}", got=f"shape {tuple(batch.shape)}")
        size = 4 * height * width * channels
        parts = [
            cast(torch.Tensor, _Asked.apply(batch[rows], self, read))  # type: ignore[no-untyped-call]  # torch's own
            for rows in batches(len(batch), size, most_bytes=4 * VALUES_AT_ONCE)
        ]
        return torch.cat(parts) if parts else batch.new_zeros((0, self._values(read)))

    def _values(self, read: Read) -> int:
        return self.last_values if read == "features" else len(self.classes)

    def at_middle_layer(
        self, images: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the layer named `middle_layer` holds, and there the gradient of the sum of weights times logits.

        Args:
            images: (n, height, width, channels) in [0, 1].
            weights: (n, n_classes).

        Returns:
            Two arrays of one shape (n, ...); maps with a side over 8 are averaged over blocks.

        Raises:
            ChildFailed, WrongOutput: the child did not answer, or not with numbers.
        """
        size = 4 * int(np.prod(self.image_shape))
        parts = [
            self._ask_middle(images[rows], weights[rows])
            for rows in batches(len(images), size, most_bytes=4 * VALUES_AT_ONCE)
        ]
        return np.concatenate([held for held, _ in parts]), np.concatenate([slopes for _, slopes in parts])

    def _ask_middle(
        self, images: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._kept = None
        arrays = self.process.ask(Message({"do": "middle"}, {"images": images, "weights": weights})).arrays
        held, slopes = arrays.get("activations"), arrays.get("slopes")
        if (
            held is None
            or slopes is None
            or held.shape != slopes.shape
            or held.ndim < 2
            or len(held) != len(images)
            or any(part.dtype != np.float32 or not np.isfinite(part).all() for part in (held, slopes))
        ):
            expected = "activations and gradients of one shape"
            raise WrongOutput(name=self.process.name, expected=expected, got="something else")
        return held, slopes

    def ask(self, images: NDArray[np.float32], *, read: Read, keep: bool) -> tuple[NDArray[np.float32], int | None]:
        """Logits or features, and the ticket for the way back where it is kept."""
        ticket = self._last_ticket = self._last_ticket + 1
        self._kept = ticket if keep else None
        request = Message({"do": "logits", "ticket": self._kept, "read": read}, {"images": images})
        return self._checked(request, read, (len(images), self._values(read))), self._kept

    def ask_gradient(
        self, upstream: NDArray[np.float32], images: NDArray[np.float32], *, read: Read, ticket: int
    ) -> NDArray[np.float32]:
        """The way back of a ticket; pictures travel again where the child has forgotten it."""
        arrays = {"upstream": upstream} if self._kept == ticket else {"upstream": upstream, "images": images}
        self._kept = None
        return self._checked(
            Message({"do": "gradient", "ticket": ticket, "read": read}, arrays), "gradient", images.shape
        )

    def _checked(self, request: Message, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        found = self.process.ask(request).arrays.get(name)
        expected = f"{name} of shape {shape}"
        if found is None or found.shape != shape or found.dtype != np.float32:
            raise WrongOutput(name=self.process.name, expected=expected, got="something else")
        if name != "gradient" and not np.isfinite(found).all():
            raise WrongOutput(name=self.process.name, expected=expected, got="values that are not numbers")
        return found


class _Asked(torch.autograd.Function):
    """One batch asked of the child, as a step that torch differentiates through."""

    @staticmethod
    def forward(context: Any, batch: torch.Tensor, asked: DifferentiableImages, read: Read) -> torch.Tensor:
        images = np.array(batch.detach().cpu().permute(0, 2, 3, 1).numpy(), dtype=np.float32, order="C")
        values, ticket = asked.ask(images, read=read, keep=context.needs_input_grad[0])
        context.asked, context.images, context.ticket, context.read = asked, images, ticket, read
        return torch.from_numpy(values).to(batch.device)

    @staticmethod
    @once_differentiable
    def backward(context: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        weights = np.array(upstream.detach().cpu().numpy(), dtype=np.float32, order="C")
        gradient = context.asked.ask_gradient(weights, context.images, read=context.read, ticket=context.ticket)
        return torch.from_numpy(gradient).permute(0, 3, 1, 2).to(upstream.device), None, None
