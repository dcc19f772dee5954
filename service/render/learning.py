"""Arranges a training record for the page of its model: curves over the epochs, cells of the epoch kept, one neuron's sum."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evenhand.service.render import charts

PARTS = {"train": "learned from", "valid": "held out"}
MOST_LINES = 8
SMALL_CELL_ROWS = 30


@dataclass(frozen=True)
class Plot:
    """A chart of curves over the epochs; `left_out` cells have no line, for the table has them all."""

    title: str
    small: str
    chart: charts.CurveChart
    left_out: int = 0


@dataclass(frozen=True)
class CellRow:
    """A class, or a class within a group, at the epoch whose weights were kept; None where a part has none."""

    name: str
    label: str
    learned: int
    learned_accuracy: float | None
    held_out: int
    held_out_accuracy: float | None
    held_out_loss: float | None

    @property
    def is_small(self) -> bool:
        return self.held_out < SMALL_CELL_ROWS


@dataclass(frozen=True)
class CellTable:
    """The cells of one attribute; None: the classes."""

    attribute: str | None
    rows: tuple[CellRow, ...]


@dataclass(frozen=True)
class Learning:
    """What the page shows of a training."""

    record: Mapping[str, Any]
    plots: tuple[Plot, ...]
    tables: tuple[CellTable, ...]
    best: Mapping[str, Any]

    @property
    def small_cells(self) -> int:
        """Rows of the tables that are faint."""
        return sum(row.is_small for table in self.tables for row in table.rows)

    @property
    def small_cell_rows(self) -> int:
        return SMALL_CELL_ROWS

    @property
    def has_epochs(self) -> bool:
        """Whether it was trained in epochs, as networks are; the record of any other kind has one entry, of the end."""
        return "epochs" in self.record["settings"] or len(self.record["epochs"]) > 1


def arranged(record: Mapping[str, Any] | None) -> Learning | None:
    """A training record, as JSON, for the page; None where there is none, or it is of a version without curves."""
    if not record or not record.get("epochs"):
        return None
    epochs: list[Mapping[str, Any]] = record["epochs"]
    place = next(i for i, epoch in enumerate(epochs) if epoch["epoch"] == record["best_epoch"])
    cells: list[Mapping[str, Any]] = record.get("cells") or []
    attributes = list(dict.fromkeys(cell["attribute"] for cell in cells))
    return Learning(
        record=record,
        plots=tuple(_plots(epochs, cells, attributes)) if len(epochs) > 1 else (),
        tables=tuple(_table(cells, attribute, place) for attribute in attributes),
        best=epochs[place],
    )


def _plots(
    epochs: Sequence[Mapping[str, Any]], cells: Sequence[Mapping[str, Any]], attributes: Sequence[str | None]
) -> list[Plot]:
    held_out = any(epoch["valid_loss"] is not None for epoch in epochs)
    parts = [part for part in PARTS if part == "train" or held_out]
    at = [float(epoch["epoch"]) for epoch in epochs]

    def of_all(what: str) -> list[tuple[str, list[float]]]:
        return [(PARTS[part], [float(epoch[f"{part}_{what}"]) for epoch in epochs]) for part in parts]

    plots = [
        Plot("Loss by epoch", "mean log loss", _curves(at, of_all("loss"), top=_largest(of_all("loss")))),
        Plot("Accuracy by epoch", "share classified rightly", _curves(at, of_all("accuracy"))),
    ]
    shown = parts[-1]
    for attribute in attributes:
        of_part = [cell for cell in cells if cell["part"] == shown and cell["attribute"] == attribute]
        drawn = sorted(of_part, key=lambda cell: -int(cell["n"]))[:MOST_LINES]
        lines = [(_name(cell), [right / cell["n"] for right in cell["right"]]) for cell in of_part if cell in drawn]
        title = "Accuracy by class and epoch" if attribute is None else f"Accuracy by {attribute}, class and epoch"
        plots.append(Plot(title, f"rows {PARTS[shown]}", _curves(at, lines), len(of_part) - len(drawn)))
    return plots


def _curves(at: list[float], lines: Sequence[tuple[str, list[float]]], *, top: float = 1.0) -> charts.CurveChart:
    return charts.curves([(name, at, values, values, values) for name, values in lines], top=top)


def _largest(lines: Sequence[tuple[str, list[float]]]) -> float:
    return max((value for _, values in lines for value in values), default=1.0) or 1.0


def _name(cell: Mapping[str, Any]) -> str:
    if cell["attribute"] is None:
        return str(cell["label"])
    return f"{_group(cell)}, {cell['label']}"


def _group(cell: Mapping[str, Any]) -> str:
    return "missing" if cell["group"] is None else str(cell["group"])


def _table(cells: Sequence[Mapping[str, Any]], attribute: str | None, place: int) -> CellTable:
    by_part: dict[tuple[str | None, str], dict[str, Mapping[str, Any]]] = {}
    for cell in cells:
        if cell["attribute"] == attribute:
            by_part.setdefault((cell["group"], cell["label"]), {})[cell["part"]] = cell
    return CellTable(attribute, tuple(_row(parts, place) for parts in by_part.values()))


def _row(parts: Mapping[str, Mapping[str, Any]], place: int) -> CellRow:
    some, train, valid = next(iter(parts.values())), parts.get("train"), parts.get("valid")
    return CellRow(
        name="all" if some["attribute"] is None else _group(some),
        label=str(some["label"]),
        learned=train["n"] if train else 0,
        learned_accuracy=train["right"][place] / train["n"] if train else None,
        held_out=valid["n"] if valid else 0,
        held_out_accuracy=valid["right"][place] / valid["n"] if valid else None,
        held_out_loss=valid["loss"][place] if valid else None,
    )
