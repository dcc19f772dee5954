"""Logits of an ONNX model that reads pictures, with a path back to the pictures.

They are read before the last softmax or sigmoid where there is one: behind it a sure answer has no gradient left.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from evenhand.classifiers.runtimes.interpreter.call import NotInterpretable, Value
from evenhand.classifiers.runtimes.interpreter.graph import Graph
from evenhand.classifiers.runtimes.interpreter.middle import kernels, last_value, middle_value, pooled
from evenhand.classifiers.runtimes.onnx_graph import PASSES_ON
from evenhand.classifiers.runtimes.onnx_outputs import LABEL, LOGITS, NAMED, PROBABILITIES, SIGMOIDS, UNDECIDED

if TYPE_CHECKING:
    from evenhand.classifiers.runtimes.onnx_model import OnnxModel

CUT_BEFORE = {"Softmax": LOGITS, "Sigmoid": SIGMOIDS}
LOOKED_THROUGH = (*PASSES_ON, "ZipMap")
NO_GRADIENTS = {LABEL: "it answers labels alone", UNDECIDED: "it refused the rows it was tried with"}
Read = Literal["logits", "features"]
INPUT_TYPES = {"tensor(float)": torch.float32, "tensor(double)": torch.float64, "tensor(float16)": torch.float16}


class PictureGradients:
    """A model of pictures as torch computes it.

    Attributes:
        middle_layer: name of the value that the middle layer with weights reads; None where fewer than three have weights.
        last_layer: name of the value that the last linear layer reads; None where there is none.
        kernels: name and weights of every convolution (filters, channels, height, width).

    Args:
        data: the file.
        model: the same, opened by onnxruntime.

    Raises:
        NotInterpretable: an operator that is not known here, or answers that are no scores.
    """

    def __init__(self, data: bytes, model: "OnnxModel") -> None:
        import onnx

        scores = model.outputs.scores
        if scores in NO_GRADIENTS:
            raise NotInterpretable(NO_GRADIENTS[scores])
        file = onnx.load_model_from_string(data)
        value, self._kind = _source(file.graph, model.outputs.output, scores)
        self.middle_layer, self.last_layer = middle_value(file, value), last_value(file, value)
        self.kernels = kernels(file, value)
        also = tuple({name for name in (self.middle_layer, self.last_layer) if name is not None})
        self._graph = Graph(file, output=value, also=also)
        self._plan, self._order = model.inputs, torch.tensor(model.order)
        self._kept: tuple[int, torch.Tensor, torch.Tensor] | None = None

    def logits(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits (n, n_classes) in the order of sorted classes, of pictures (n, height, width, channels)."""
        return self._in_batches(pictures, lambda part: self._both(part)[0])

    def features(self, pictures: torch.Tensor) -> torch.Tensor:
        """What the last linear layer reads, shape (n, values), of pictures (n, height, width, channels).

        Raises:
            NotInterpretable: there is no such layer, or what it reads does not have one row a picture.
        """
        return self._in_batches(
            pictures, lambda part: _rows(self._both(part)[1].get(self.last_layer or ""), part).flatten(1)
        )

    def _in_batches(self, pictures: torch.Tensor, of_batch: Callable[[torch.Tensor], torch.Tensor]) -> torch.Tensor:
        fixed = self._plan.batch_rows
        if fixed is None or len(pictures) == fixed:
            return of_batch(pictures)
        parts = [pictures[start : start + fixed] for start in range(0, len(pictures), fixed)]
        filled = [torch.cat([part, part[-1:].expand(fixed - len(part), -1, -1, -1)]) for part in parts]
        return torch.cat([of_batch(part) for part in filled])[: len(pictures)]

    def answer(self, images: NDArray[np.float32], *, ticket: int | None, read: Read = "logits") -> NDArray[np.float32]:
        """Logits or features of pictures; with a ticket, the way back is kept for `pull` until the next call."""
        self._kept = None
        pictures = torch.from_numpy(np.array(images))
        asked = self.features if read == "features" else self.logits
        if ticket is None:
            with torch.no_grad():
                return asked(pictures).to(torch.float32).numpy()
        with torch.enable_grad():
            values = asked(pictures.requires_grad_()).to(torch.float32)
        self._kept = (ticket, pictures, values)
        return values.detach().numpy()

    def pull(
        self,
        upstream: NDArray[np.float32],
        *,
        ticket: int,
        images: NDArray[np.float32] | None,
        read: Read = "logits",
    ) -> NDArray[np.float32]:
        """Gradient with respect to the pictures, of the sum of logits (or features) times `upstream`.

        Args:
            upstream: shape of the logits.
            ticket: of the call whose way back is wanted.
            images: its pictures, where another call has come between.
            read: what that call answered.

        Raises:
            ValueError: that way is not kept, and no pictures are given.
        """
        if images is not None:
            self.answer(images, ticket=ticket, read=read)
        if self._kept is None or self._kept[0] != ticket:
            raise ValueError("no such call is kept")
        _, pictures, logits = self._kept
        self._kept = None
        if not logits.requires_grad:
            return np.zeros(tuple(pictures.shape), dtype=np.float32)
        way = torch.autograd.grad(logits, pictures, torch.from_numpy(np.array(upstream)), allow_unused=True)[0]
        return np.zeros(tuple(pictures.shape), dtype=np.float32) if way is None else np.ascontiguousarray(way.numpy())

    def at_middle_layer(
        self, images: NDArray[np.float32], weights: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the middle layer reads, and there the gradient of the sum of `weights` times logits; both (n, ...).

        Raises:
            NotInterpretable: there is no middle layer, or what it reads does not have one row a picture.
        """
        fixed, count = self._plan.batch_rows or len(images), len(images)
        held, slopes = [], []
        for start in range(0, count, max(fixed, 1)):
            pictures, weight = (torch.from_numpy(np.array(part[start : start + fixed])) for part in (images, weights))
            missing = fixed - len(pictures) if self._plan.batch_rows else 0
            filled = torch.cat([pictures, pictures[-1:].expand(missing, -1, -1, -1)]) if missing else pictures
            weight = torch.cat([weight, weight.new_zeros(missing, weight.shape[1])]) if missing else weight
            value, slope = self._middle_of_batch(filled, weight)
            held.append(pooled(value)[: len(pictures)])
            slopes.append(pooled(slope)[: len(pictures)])
        return torch.cat(held).numpy(), torch.cat(slopes).numpy()

    def _middle_of_batch(self, pictures: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            logits, read = self._both(pictures.requires_grad_())
            held = _rows(read.get(self.middle_layer or ""), pictures)
            way = None
            if held.requires_grad and logits.requires_grad:
                way = torch.autograd.grad((logits * weights).sum(), held, allow_unused=True)[0]
        return held.detach(), torch.zeros_like(held) if way is None else way

    def _both(self, pictures: torch.Tensor) -> tuple[torch.Tensor, dict[str, Value]]:
        """Logits, and by name what the middle and the last layer read."""
        first = self._plan.inputs[0]
        arranged = pictures.permute(0, 3, 1, 2) if self._plan.layout == "nchw" else pictures
        raw, read = self._graph.run_with({first.name: arranged.to(INPUT_TYPES[first.type])})
        if not isinstance(raw, torch.Tensor):
            raise NotInterpretable("scores that are no tensor")
        return self._as_logits(raw.to(torch.float32).reshape(len(pictures), -1))[:, self._order], read

    def _as_logits(self, values: torch.Tensor) -> torch.Tensor:
        """As `OutputPlan.probabilities` reads them: their softmax is the deployed model's probabilities."""
        if values.shape[1] == 1:
            second = _log_odds(values) if self._kind == PROBABILITIES else values
            return torch.cat([torch.zeros_like(second), second], dim=1)
        if self._kind == SIGMOIDS:
            return torch.nn.functional.logsigmoid(values)
        return _log(values) if self._kind == PROBABILITIES else values


def _rows(held: object, pictures: torch.Tensor) -> torch.Tensor:
    """What a layer reads, if that is one row a picture."""
    if not isinstance(held, torch.Tensor) or held.ndim < 2 or len(held) != len(pictures):
        raise NotInterpretable("a layer that reads no row a picture")
    return held


def _log(values: torch.Tensor) -> torch.Tensor:
    return values.clamp_min(torch.finfo(torch.float32).tiny).log()


def _log_odds(values: torch.Tensor) -> torch.Tensor:
    return _log(values) - _log(1 - values)


def _source(graph: Any, output: str, scores: str) -> tuple[str, str]:
    """The value to read, and whether it holds logits, inputs of sigmoids, or probabilities."""
    makers = {name: node for node in graph.node for name in node.output}
    value = output
    for _ in range(len(graph.node)):
        node = makers.get(value)
        if node is not None and node.op_type in CUT_BEFORE and scores != LOGITS:
            return node.input[0], CUT_BEFORE[node.op_type]
        if node is None or node.op_type not in LOOKED_THROUGH:
            break
        value = node.input[0]
    if scores == NAMED:
        return value, PROBABILITIES
    return output, PROBABILITIES if scores in (PROBABILITIES, SIGMOIDS) else LOGITS
