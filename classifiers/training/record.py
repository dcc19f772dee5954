"""What is kept of a training: from which rows, with which settings, and how well it went, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class EpochScore:
    """Mean log loss and accuracy after an epoch; the validation part's are None where nothing was held out."""

    epoch: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None
    valid_accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """How a classifier came to be. All values are plain, so that it travels as JSON.

    Args:
        kind: what was trained, e.g. "convnet4".
        seed: the only source of chance; with the same rows, device and versions it gives the same classifier.
        device: "cpu" or "cuda".
        split: in words, how rows were held out.
        train_rows, valid_rows: rows learned from, rows held out.
        class_counts: rows of every class, in the order of the classes, over all rows.
        settings: numbers and names that the training used.
        epochs: scores by epoch; one entry for methods without epochs.
        best_epoch: the epoch whose weights were kept.
        stopped_early: whether epochs were left out because the validation loss no longer fell.
        notes: what a reader should know, e.g. that the solver did not converge.
    """

    kind: str
    seed: int
    device: str
    split: str
    train_rows: int
    valid_rows: int
    class_counts: tuple[int, ...]
    settings: Mapping[str, float | int | str | bool]
    epochs: tuple[EpochScore, ...]
    best_epoch: int
    stopped_early: bool = False
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> EpochScore:
        """The scores of the weights that were kept."""
        return next(score for score in self.epochs if score.epoch == self.best_epoch)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"settings": dict(self.settings)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TrainingRecord":
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: the document is not of that form.
        """
        fields = dict(document)
        fields["epochs"] = tuple(EpochScore(**score) for score in fields["epochs"])
        fields["class_counts"] = tuple(int(count) for count in fields["class_counts"])
        fields["notes"] = tuple(str(note) for note in fields.get("notes", ()))
        return cls(**fields)
