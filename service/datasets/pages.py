"""Data sets: the built-in ones with their cards, the uploaded ones, and uploading."""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service
from evenhand.service.datasets.store import get_dataset, list_datasets
from evenhand.service.datasets.tables import Dataset
from evenhand.service.datasets.uploads import take_in
from evenhand.service.errors import ServiceError, problem_of
from evenhand.service.pages import FieldErrors, blueprint, received_in_form, show

if TYPE_CHECKING:
    from evenhand.datasets.card import DatasetCard

pages = blueprint("datasets", __name__)


@dataclass(frozen=True)
class Column:
    """A column of a built-in set, as its page shows it."""

    name: str
    type: str
    missing: int
    role: str


@dataclass(frozen=True)
class Size:
    """Rows of one group; the value is None where it is missing."""

    value: str | None
    rows: int


@dataclass(frozen=True)
class Contents:
    """What a built-in set holds."""

    columns: list[Column]
    groups: dict[str, list[Size]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A data set for a page: an uploaded one with its row, or a built-in one with its card."""

    id: str
    title: str
    rows: int
    kind: str
    columns: list[str]
    card: "DatasetCard | None" = None
    row: Dataset | None = None


@pages.get("/datasets")
@needs()
def all_datasets() -> Response:
    return _list(errors={})


@pages.post("/datasets/upload")
@needs(Role.AUDITOR)
def upload() -> AnyResponse:
    try:
        with received_in_form() as spooled:
            name = request.form.get("name", "").strip()[:200] or spooled.path.name
            kept = take_in(service(), spooled, name=name, actor=signed_in().name)
        return redirect(url_for(".dataset", dataset_id=kept.id))
    except ServiceError as error:
        return _list(errors={"file": problem_of(error).detail}, status=422)


@pages.get("/datasets/<id:dataset_id>")
@needs()
def dataset(dataset_id: str) -> Response:
    shown = shown_dataset(dataset_id)
    return show("datasets/dataset.html", dataset=shown, contents=builtin_contents(shown.id) if shown.card else None)


def builtin_cards() -> "list[DatasetCard]":
    from evenhand.datasets import builtin

    return [builtin.card(name) for name in builtin.names()]


def shown_dataset(named: str) -> Shown:
    """The data set of this built-in name or id. Raises DatasetNotFound."""
    card = next((card for card in builtin_cards() if card.name == named), None)
    if card is not None:
        columns = [column.name for column in builtin_contents(named).columns]
        return Shown(card.name, card.title, card.rows, card.kind, columns, card=card)
    with reading() as session:
        row = get_dataset(session, named)
    return Shown(row.id, row.name, row.rows, row.kind, row.columns, row=row)


@cache
def builtin_contents(name: str) -> Contents:
    """Columns with types and missing values, and the sizes of the groups. Read once: built-in sets never change."""
    import numpy as np

    from evenhand.datasets import builtin
    from evenhand.datasets.table import Table

    data = builtin.load(name)
    table, card = (data if isinstance(data, Table) else data.table), builtin.card(name)
    columns = [
        Column(column, str(table.column(column).type), table.column(column).null_count, _role(card, column))
        for column in table.columns
    ]
    groups = {}
    for attribute in card.sensitive:
        codes = table.groups(attribute)
        sizes = np.bincount(codes.codes, minlength=len(codes.values))
        listed = [Size(value, int(size)) for value, size in zip(codes.values, sizes, strict=True)]
        groups[attribute] = sorted(listed, key=lambda size: -size.rows)
    return Contents(columns, groups)


def _list(*, errors: FieldErrors, status: int = 200) -> Response:
    with reading() as session:
        uploaded = list_datasets(session, cursor=request.args.get("cursor"))
    return show("datasets/list.html", status=status, cards=builtin_cards(), uploaded=uploaded, errors=errors)


def _role(card: "DatasetCard", column: str) -> str:
    roles = {
        card.label: "label",
        card.prediction: "prediction",
        card.score: "score",
        card.unit: "unit",
        card.pair: "pair",
    }
    if column in card.sensitive:
        return "sensitive"
    return roles.get(column) or ("feature" if column in (card.features or ()) else "")
