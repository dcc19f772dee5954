"""The last epoch of a training in a file, so that a killed training goes on from there and ends with the same bits.

One safetensors file holds everything: weights and moments as tensors, the rest as JSON in its metadata. It is written
under another name and moved into place, so that there is always a whole one. A file of another training is ignored.
"""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.training.cells import PartScore
from evenhand.classifiers.training.labels import Labels
from evenhand.classifiers.training.record import EpochScore
from evenhand.classifiers.training.split import Split

if TYPE_CHECKING:
    import torch
    from torch import nn

    from evenhand.classifiers.training.loop import Settings

KEY = "evenhand-checkpoint/1"


@dataclass
class Fitting:
    """How far a training is: scores by epoch, scores by row and epoch, and the best weights so far."""

    best_epoch: int
    best_loss: float = float("inf")
    best_weights: "dict[str, torch.Tensor] | None" = None
    scores: list[EpochScore] = field(default_factory=list)
    train: list[PartScore] = field(default_factory=list)
    valid: list[PartScore] = field(default_factory=list)

    def stalled(self, patience: int) -> bool:
        """Whether so many epochs have passed since the best."""
        return self.best_weights is not None and len(self.scores) - self.best_epoch >= patience


class Keeper:
    """Writes the state of a training after each epoch, and finds it again.

    Args:
        path: the file; None keeps nothing.
        fingerprint: of the training, told once it is needed; a file with another one is ignored.
    """

    def __init__(self, path: Path | None, fingerprint: Callable[[], str]) -> None:
        self._path = path
        self._fingerprint = fingerprint() if path is not None else ""

    def keep(
        self,
        state: Fitting,
        module: "nn.Module",
        optimizer: "torch.optim.Optimizer",
        schedule: "torch.optim.lr_scheduler.LRScheduler",
        generator: np.random.Generator,
    ) -> None:
        """Write the state as it is after an epoch."""
        if self._path is None:
            return
        from safetensors.numpy import save

        kept = optimizer.state_dict()
        moments = {
            f"moment.{index}.{name}": value for index, each in kept["state"].items() for name, value in each.items()
        }
        tensors = {f"weights.{name}": value for name, value in module.state_dict().items()} | moments
        tensors |= {f"best.{name}": value for name, value in (state.best_weights or {}).items()}
        arrays = {name: np.ascontiguousarray(value.cpu().numpy()) for name, value in tensors.items()}
        for part, scores in (("train", state.train), ("valid", state.valid)):
            if scores:
                arrays[f"{part}.loss"] = np.stack([score.loss for score in scores])
                arrays[f"{part}.right"] = np.stack([score.right for score in scores])
        document = {
            "fingerprint": self._fingerprint,
            "best": [state.best_epoch, state.best_loss],
            "scores": [asdict(score) for score in state.scores],
            "groups": kept["param_groups"],
            "steps": schedule.last_epoch,
            "chance": generator.bit_generator.state,
        }
        _replace(self._path, save(arrays, metadata={KEY: json.dumps(document)}))

    def restored(
        self,
        module: "nn.Module",
        optimizer: "torch.optim.Optimizer",
        schedule: "torch.optim.lr_scheduler.LRScheduler",
        generator: np.random.Generator,
    ) -> Fitting | None:
        """Put everything back as it was after the last epoch; None where no file of this training is there."""
        import torch

        found = self._read()
        if found is None:
            return None
        document, arrays = found
        device = next(module.parameters()).device

        def named(prefix: str) -> dict[str, torch.Tensor]:
            return {
                name.removeprefix(prefix): torch.from_numpy(array.copy()).to(device)
                for name, array in arrays.items()
                if name.startswith(prefix)
            }

        module.load_state_dict(named("weights."))
        moments: dict[int, dict[str, Any]] = {}
        for name, value in named("moment.").items():
            index, _, moment = name.partition(".")
            moments.setdefault(int(index), {})[moment] = value.cpu() if moment == "step" else value
        groups = [{**group, "betas": tuple(group["betas"])} for group in document["groups"]]
        optimizer.load_state_dict({"state": moments, "param_groups": groups})
        schedule.last_epoch = document["steps"]
        generator.bit_generator.state = document["chance"]
        epoch, loss = document["best"]
        return Fitting(
            best_epoch=epoch,
            best_loss=loss,
            best_weights=named("best.") or None,
            scores=[EpochScore(**score) for score in document["scores"]],
            train=_part_scores(arrays, "train"),
            valid=_part_scores(arrays, "valid"),
        )

    def forget(self) -> None:
        """Remove the file: the training is over."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]] | None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        if self._path is None or not self._path.is_file():
            return None
        data = self._path.read_bytes()
        try:
            arrays = load(data)
            length = int.from_bytes(data[:8], "little")
            document = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
            return (document, arrays) if document["fingerprint"] == self._fingerprint else None
        except (SafetensorError, KeyError, TypeError, ValueError):
            return None  # some other file under that name: the training begins anew


def fingerprint(
    description: Description,
    rows: NDArray[np.float32],
    labels: Labels,
    weights: NDArray[np.float64] | None,
    split: Split,
    settings: "Settings",
    seed: int,
    device: str,
) -> str:
    """A digest of all that decides how a training ends, the version of torch included."""
    import torch

    said = [description.to_json(), asdict(settings), seed, device, torch.__version__, list(rows.shape)]
    digest = hashlib.sha256(json.dumps(said).encode())
    for array in (rows, labels.codes, split.train, split.valid, np.zeros(0) if weights is None else weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _part_scores(arrays: dict[str, NDArray[Any]], part: str) -> list[PartScore]:
    if f"{part}.loss" not in arrays:
        return []
    return [PartScore(*each) for each in zip(arrays[f"{part}.loss"], arrays[f"{part}.right"], strict=True)]


def _replace(path: Path, data: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
