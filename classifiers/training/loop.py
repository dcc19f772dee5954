"""Gradient descent for a network: batches, one-cycle steps, the curve by epoch, and stopping when validation stalls."""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evenhand.classifiers.training.cells import PartScore
from evenhand.classifiers.training.checkpoint import Fitting, Keeper
from evenhand.classifiers.training.record import EpochScore
from evenhand.classifiers.training.trained import Progress

if TYPE_CHECKING:
    import torch
    from torch import nn

    Augment = Callable[[torch.Tensor, np.random.Generator], torch.Tensor]

EVALUATED_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of one training; AdamW with a one-cycle schedule.

    Args:
        epochs: passes over the rows at most.
        batch_rows: rows a step.
        learning_rate: its peak.
        weight_decay: of AdamW.
        patience: epochs without a lower validation loss after which training stops.
    """

    epochs: int = 30
    batch_rows: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    patience: int = 10


@dataclass(frozen=True)
class Part:
    """Rows as the network reads them, shape (n, ...), their class codes, and their weights or None; shape (n,)."""

    rows: "torch.Tensor"
    codes: "torch.Tensor"
    weights: "torch.Tensor | None" = None


@dataclass(frozen=True)
class Curve:
    """Scores by epoch, the epoch whose weights the network has now, whether epochs were left out, and scores by row."""

    epochs: tuple[EpochScore, ...]
    best_epoch: int
    stopped_early: bool
    train: tuple[PartScore, ...]
    valid: tuple[PartScore, ...]


@contextmanager
def seeded(seed: int, device: str, *, deterministic: bool = False) -> Iterator[None]:
    """Torch's own chance (fresh weights) from `seed`, and as it was before on leaving; no tuning that varies by run.

    Args:
        deterministic: operations without a deterministic form raise RuntimeError instead of varying by run.
    """
    import torch

    if deterministic and device == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts; torch asks for it
    before = torch.are_deterministic_algorithms_enabled()
    with (
        torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(before or deterministic)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(before)


def resolve_device(device: str) -> str:
    """ "auto" as "cuda" where there is one, else "cpu"; other names as they are."""
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def fit(
    module: "nn.Module",
    train: Part,
    valid: Part | None,
    *,
    settings: Settings,
    generator: np.random.Generator,
    device: str,
    progress: Progress,
    keeper: Keeper,
    augment: "Augment | None" = None,
) -> Curve:
    """Train `module` in place; it ends with the weights of the epoch with the lowest validation loss.

    Without a validation part, or where no epoch's loss is a number, the last epoch's weights stay.

    Args:
        keeper: holds the last epoch; a training that it holds goes on from there.
    """
    import torch

    module.to(device).train()
    train, valid = _moved(train, device), _moved(valid, device) if valid is not None else None
    steps = -(-len(train.rows) // settings.batch_rows)
    optimizer = torch.optim.AdamW(module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=settings.learning_rate, total_steps=steps * settings.epochs
    )
    state = keeper.restored(module, optimizer, schedule, generator) or Fitting(best_epoch=settings.epochs)
    while len(state.scores) < settings.epochs and not state.stalled(settings.patience):
        order = torch.from_numpy(generator.permutation(len(train.rows))).to(device)
        for chosen in torch.split(order, settings.batch_rows):
            rows = train.rows[chosen]
            rows = augment(rows, generator) if augment else rows
            weights = None if train.weights is None else train.weights[chosen]
            _step(module, rows, train.codes[chosen], weights, optimizer, device)
            schedule.step()
        _score_epoch(module, state, train, valid)
        keeper.keep(state, module, optimizer, schedule, generator)
        progress(len(state.scores) / settings.epochs, _in_words(state.scores[-1], settings.epochs))
    if state.best_weights is not None:
        module.load_state_dict(state.best_weights)
    module.to("cpu").eval()
    return Curve(
        epochs=tuple(state.scores),
        best_epoch=state.best_epoch,
        stopped_early=len(state.scores) < settings.epochs,
        train=tuple(state.train),
        valid=tuple(state.valid),
    )


def _moved(part: Part, device: str) -> Part:
    return Part(part.rows.to(device), part.codes.to(device), None if part.weights is None else part.weights.to(device))


def _step(
    module: "nn.Module",
    rows: "torch.Tensor",
    codes: "torch.Tensor",
    weights: "torch.Tensor | None",
    optimizer: "torch.optim.Optimizer",
    device: str,
) -> None:
    import torch

    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
        logits = module(rows).float()
    if weights is None:
        loss = torch.nn.functional.cross_entropy(logits, codes)
    else:
        loss = (weights * torch.nn.functional.cross_entropy(logits, codes, reduction="none")).mean()
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _score_epoch(module: "nn.Module", state: Fitting, train: Part, valid: Part | None) -> None:
    """Score both parts, and remember the weights where the validation loss is the lowest so far."""
    state.train.append(_scored(module, train))
    state.valid += [] if valid is None else [_scored(module, valid)]
    loss = None if valid is None else _mean_loss(valid, state.valid[-1])
    score = EpochScore(
        epoch=len(state.scores) + 1,
        train_loss=_mean_loss(train, state.train[-1]),
        train_accuracy=float(state.train[-1].right.mean()),
        valid_loss=loss,
        valid_accuracy=None if valid is None else float(state.valid[-1].right.mean()),
    )
    state.scores.append(score)
    if loss is not None and loss < state.best_loss:
        state.best_loss, state.best_epoch = loss, score.epoch
        state.best_weights = copy.deepcopy(module.state_dict())


def _mean_loss(part: Part, score: PartScore) -> float:
    weights = np.ones(len(score.loss)) if part.weights is None else part.weights.cpu().numpy()
    return float((weights * score.loss).sum() / weights.sum())


def _scored(module: "nn.Module", part: Part) -> PartScore:
    import torch

    module.eval()
    losses, rights = [], []
    with torch.inference_mode():
        for rows, codes in zip(
            torch.split(part.rows, EVALUATED_AT_ONCE), torch.split(part.codes, EVALUATED_AT_ONCE), strict=True
        ):
            logits = module(rows)
            losses.append(torch.nn.functional.cross_entropy(logits, codes, reduction="none").cpu())
            rights.append((logits.argmax(1) == codes).cpu())
    module.train()
    return PartScore(torch.cat(losses).numpy().astype(np.float64), torch.cat(rights).numpy())


def _in_words(score: EpochScore, epochs: int) -> str:
    held_out = f", {score.valid_accuracy:.1%} right on held-out rows" if score.valid_accuracy is not None else ""
    return f"epoch {score.epoch} of {epochs}: loss {score.train_loss:.3f}{held_out}"
