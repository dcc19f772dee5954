"""Data sets: the built-in ones with their cards, the uploaded ones, and uploading."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from evenhand.auditors.errors import listed
from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service
from evenhand.service.datasets.lookup import builtin_choice
from evenhand.service.datasets.profiles import (
    LIMIT_BYTES,
    MOST_ATTRIBUTES,
    PICTURE_SEED,
    Profile,
    ProfileOrder,
    profile_of,
)
from evenhand.service.datasets.store import get_dataset, list_datasets
from evenhand.service.datasets.tables import Dataset
from evenhand.service.datasets.uploads import take_in
from evenhand.service.errors import ServiceError, problem_of
from evenhand.service.pages import FieldErrors, blueprint, given, received_in_form, show

if TYPE_CHECKING:
    from evenhand.datasets.card import DatasetCard

pages = blueprint("datasets", __name__)


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
    """The data set with its profile, by the columns that the address names or else by its card."""
    shown = shown_dataset(dataset_id)
    order, errors = _order(shown)
    profile = None
    if not errors and not _is_too_large(shown):
        try:
            profile = _profile(shown, order)
        except ServiceError as error:
            errors = {"": problem_of(error).detail}
    return show(
        "datasets/dataset.html",
        status=422 if errors else 200,
        dataset=shown,
        profile=profile,
        order=order,
        filled=MultiDict(
            [("label", order.label or ""), ("positive", order.positive or ""), *(("by", by) for by in order.by)]
        ),
        limit_bytes=LIMIT_BYTES if _is_too_large(shown) else None,
        picture_seed=PICTURE_SEED,
        roles=_roles(shown),
        errors=errors,
    )


def _order(shown: Shown) -> tuple[ProfileOrder, FieldErrors]:
    """Which columns are looked at, and what is wrong with those that the address names."""
    asked = request.args
    if not any(name in asked for name in ("label", "by", "positive")):
        card = shown.card
        return ProfileOrder(
            label=card.label if card else None,
            positive=card.positive if card else None,
            by=list(card.sensitive[:MOST_ATTRIBUTES]) if card else [],
        ), {}
    named = given(asked, "label", "positive")
    order = ProfileOrder(**named, by=list(dict.fromkeys(asked.getlist("by")))[:MOST_ATTRIBUTES])
    places = [("label", order.label), *(("by", name) for name in order.by)]
    errors = {
        place: f"'{name}' is not in {shown.title}. It has: {listed(shown.columns)}."
        for place, name in places
        if name and name not in shown.columns
    }
    return order, errors


def _is_too_large(shown: Shown) -> bool:
    return shown.row is not None and shown.row.size_bytes > LIMIT_BYTES


def _profile(shown: Shown, order: ProfileOrder) -> Profile:
    if shown.row is None:
        return profile_of(service(), order, sha256=None, filename=None, builtin=shown.id)
    return profile_of(service(), order, sha256=shown.row.sha256, filename=shown.row.filename, builtin=None)


def _roles(shown: Shown) -> dict[str, str]:
    """Column of a built-in set to what its card says it is."""
    card = shown.card
    if card is None:
        return {}
    roles = dict.fromkeys(card.features or (), "feature") | dict.fromkeys(card.sensitive, "sensitive")
    named = {
        "label": card.label,
        "prediction": card.prediction,
        "score": card.score,
        "unit": card.unit,
        "pair": card.pair,
    }
    return roles | {column: role for role, column in named.items() if column}


def builtin_cards() -> "list[DatasetCard]":
    from evenhand.datasets import builtin

    return [builtin.card(name) for name in builtin.names()]


def shown_dataset(named: str) -> Shown:
    """The data set of this built-in name or id. Raises DatasetNotFound."""
    card = next((card for card in builtin_cards() if card.name == named), None)
    if card is not None:
        return Shown(card.name, card.title, card.rows, card.kind, list(builtin_choice(named).columns), card=card)
    with reading() as session:
        row = get_dataset(session, named)
    return Shown(row.id, row.name, row.rows, row.kind, row.columns, row=row)


def _list(*, errors: FieldErrors, status: int = 200) -> Response:
    with reading() as session:
        uploaded = list_datasets(session, cursor=request.args.get("cursor"))
    return show("datasets/list.html", status=status, cards=builtin_cards(), uploaded=uploaded, errors=errors)
