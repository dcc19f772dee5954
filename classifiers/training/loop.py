"""Gradient descent for a network: batches, one-cycle steps, the curve by epoch, and stopping when validation stalls."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    """Rows as the network reads them, shape (n, ...), and their class codes, shape (n,)."""

    rows: "torch.Tensor"
    codes: "torch.Tensor"


@dataclass(frozen=True)
class Curve:
    """Scores by epoch, the epoch whose weights the network has now, and whether epochs were left out."""

    epochs: tuple[EpochScore, ...]
    best_epoch: int
    stopped_early: bool


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """Torch's own chance (fresh weights) from `seed`, and as it was before on leaving; no tuning that varies by run."""
    import torch

    with (
        torch.random.fork_rng(devices=[torch.cuda.current_device()] if device == "cuda" else []),
        torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True),
    ):
        torch.manual_seed(seed)
        yield


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
    augment: "Augment | None" = None,
) -> Curve:
    """Train `module` in place; it ends with the weights of the epoch with the lowest validation loss.

    Without a validation part, or where no epoch's loss is a number, the last epoch's weights stay.
    """
    import torch

    module.to(device).train()
    train, valid = _moved(train, device), _moved(valid, device) if valid is not None else None
    steps = -(-len(train.rows) // settings.batch_rows)
    optimizer = torch.optim.AdamW(module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=settings.learning_rate, total_steps=steps * settings.epochs
    )
    scores: list[EpochScore] = []
    best_loss, best_epoch, best_weights = float("inf"), settings.epochs, None
    for epoch in range(1, settings.epochs + 1):
        order = torch.from_numpy(generator.permutation(len(train.rows))).to(device)
        for chosen in torch.split(order, settings.batch_rows):
            rows = train.rows[chosen]
            _step(module, augment(rows, generator) if augment else rows, train.codes[chosen], optimizer, device)
            schedule.step()
        scores.append(_epoch_score(module, epoch, train, valid))
        loss = scores[-1].valid_loss
        if loss is not None and loss < best_loss:
            best_loss, best_epoch, best_weights = loss, epoch, copy.deepcopy(module.state_dict())
        progress(epoch / settings.epochs, _in_words(scores[-1], settings.epochs))
        if best_weights is not None and epoch - best_epoch >= settings.patience:
            break
    if best_weights is not None:
        module.load_state_dict(best_weights)
    module.to("cpu").eval()
    return Curve(tuple(scores), best_epoch, stopped_early=len(scores) < settings.epochs)


def _moved(part: Part, device: str) -> Part:
    return Part(part.rows.to(device), part.codes.to(device))


def _step(
    module: "nn.Module", rows: "torch.Tensor", codes: "torch.Tensor", optimizer: "torch.optim.Optimizer", device: str
) -> None:
    import torch

    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
        logits = module(rows)
    loss = torch.nn.functional.cross_entropy(logits.float(), codes)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def _epoch_score(module: "nn.Module", epoch: int, train: Part, valid: Part | None) -> EpochScore:
    train_loss, train_accuracy = _loss_and_accuracy(module, train)
    valid_loss, valid_accuracy = _loss_and_accuracy(module, valid) if valid is not None else (None, None)
    return EpochScore(
        epoch=epoch,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        valid_loss=valid_loss,
        valid_accuracy=valid_accuracy,
    )


def _loss_and_accuracy(module: "nn.Module", part: Part) -> tuple[float, float]:
    import torch

    module.eval()
    loss, right = 0.0, 0
    with torch.inference_mode():
        for rows, codes in zip(
            torch.split(part.rows, EVALUATED_AT_ONCE), torch.split(part.codes, EVALUATED_AT_ONCE), strict=True
        ):
            logits = module(rows)
            loss += float(torch.nn.functional.cross_entropy(logits, codes, reduction="sum"))
            right += int((logits.argmax(1) == codes).sum())
    module.train()
    return loss / len(part.rows), right / len(part.rows)


def _in_words(score: EpochScore, epochs: int) -> str:
    held_out = f", {score.valid_accuracy:.1%} right on held-out rows" if score.valid_accuracy is not None else ""
    return f"epoch {score.epoch} of {epochs}: loss {score.train_loss:.3f}{held_out}"
