"""What is kept of a training: from which rows, with which settings, and how well it went, epoch by epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from evenhand.classifiers.training.leakage import Leakage
from evenhand.classifiers.training.seen import SeenRows
from evenhand.classifiers.training.weighted_sum import WeightedSum

Part = Literal["train", "valid"]


@dataclass(frozen=True, kw_only=True)
class EpochScore:
    """Mean log loss and accuracy after an epoch; the validation part's are None where nothing was held out.

    Where rows were weighted (`class_weight`, `group_weight` in the settings), the loss is, and the accuracy is not.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    valid_loss: float | None
    valid_accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class CellCurve:
    """How well one cell was learned, epoch by epoch: a class, or a class within a group of a sensitive column.

    Args:
        part: "train" (the rows learned from) or "valid" (the rows held out).
        label: the class.
        attribute: the sensitive column; None for the class as a whole.
        group: its value; None with an attribute: the value is missing.
        n: rows of the cell in this part; never 0.
        right: of these, how many were classified rightly after each epoch, in the order of the record's `epochs`.
        loss: their mean log loss after each epoch, without weights.
    """

    part: Part
    label: str
    attribute: str | None
    group: str | None
    n: int
    right: tuple[int, ...]
    loss: tuple[float, ...]

    @property
    def accuracy(self) -> tuple[float, ...]:
        """Share classified rightly after each epoch."""
        return tuple(count / self.n for count in self.right)


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
        cells: the same curves by class, and by class and group where sensitive columns were given.
        leakage: rows kept for the audit that the training rows hold too; None where it was not looked for.
        seen: digests of the rows learned from, so that an audit of the same rows can say so; None where not kept.
        weighted_sum: of a neuron that reads tables, its sum on a typical row; None for others.
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
    cells: tuple[CellCurve, ...] = ()
    leakage: Leakage | None = None
    seen: SeenRows | None = None
    weighted_sum: WeightedSum | None = None
    notes: tuple[str, ...] = ()

    @property
    def best(self) -> EpochScore:
        """The scores of the weights that were kept."""
        return next(score for score in self.epochs if score.epoch == self.best_epoch)

    def of_part(self, part: Part, attribute: str | None) -> tuple[CellCurve, ...]:
        """The cells of one part: by class where the attribute is None, else by class and group of that column."""
        return tuple(cell for cell in self.cells if cell.part == part and cell.attribute == attribute)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self) | {"settings": dict(self.settings)}

    def shown(self) -> dict[str, Any]:
        """The same without the digests of rows, for reports and pages."""
        return {name: value for name, value in self.to_json().items() if name != "seen"}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TrainingRecord":
        """The inverse of `to_json`.

        Raises:
            KeyError, TypeError, ValueError: the document is not of that form.
        """
        fields = dict(document)
        fields["epochs"] = tuple(EpochScore(**score) for score in fields["epochs"])
        fields["class_counts"] = tuple(int(count) for count in fields["class_counts"])
        fields["cells"] = tuple(_cell(cell) for cell in fields.get("cells", ()))
        fields["leakage"] = Leakage.from_json(fields["leakage"]) if fields.get("leakage") else None
        fields["seen"] = SeenRows.from_json(fields["seen"]) if fields.get("seen") else None
        fields["weighted_sum"] = WeightedSum.from_json(fields["weighted_sum"]) if fields.get("weighted_sum") else None
        fields["notes"] = tuple(str(note) for note in fields.get("notes", ()))
        return cls(**fields)


def _cell(document: Mapping[str, Any]) -> CellCurve:
    right, loss = tuple(map(int, document["right"])), tuple(map(float, document["loss"]))
    if document["part"] not in ("train", "valid") or int(document["n"]) < 1 or len(right) != len(loss):
        raise ValueError("a cell of the learning curves is no cell")
    return CellCurve(**{**document, "right": right, "loss": loss})
