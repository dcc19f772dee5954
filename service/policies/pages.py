"""Policies: what is checked without one, and an evenhand.toml for chosen data to start from."""

from typing import Any

from flask import Response, request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from evenhand.auditors.errors import listed
from evenhand.auditors.policy import SMALL_GROUP_ROWS, Policy, default_checks
from evenhand.service.auth.session import needs
from evenhand.service.current import reading
from evenhand.service.datasets.pages import Shown, builtin_cards, shown_dataset
from evenhand.service.datasets.store import list_datasets
from evenhand.service.importers.toml import policy_text
from evenhand.service.pages import FieldErrors, blueprint, field_errors, given, show
from evenhand.service.policies import keys

pages = blueprint("policies", __name__)

MOST_CHOICES = 200
ROLES = ("label", "prediction", "score", "threshold", "positive", "favourable")
COLUMNS = ("label", "prediction", "score")
MODEL_FILE = "model.onnx"


@pages.get("/policies")
@needs()
def policies() -> Response:
    named = request.args.get("dataset")
    if not named:
        return _show(None, filled=MultiDict(), errors={}, text=None)
    dataset = shown_dataset(named)
    filled = request.args if "sensitive" in request.args or "label" in request.args else _filled_by_card(dataset)
    errors = _unknown(dataset, filled)
    if not dataset.card and filled is not request.args:
        return _show(dataset, filled=filled, errors={}, text=None)
    try:
        text = None if errors else policy_text(_policy(dataset, filled), heading=_heading(dataset))
    except ValidationError as error:
        text, errors = None, field_errors(error)
    return _show(dataset, filled=filled, errors=errors, text=text)


def _policy(dataset: Shown, filled: MultiDict[str, str]) -> Policy:
    """What the form says, with the default checks written out.

    Raises:
        ValidationError: it contradicts itself.
    """
    data: dict[str, Any] = {"source": dataset.row.filename if dataset.row else dataset.id, **given(filled, *ROLES)}
    data["sensitive"] = filled.getlist("sensitive")
    policy: dict[str, Any] = {"data": data, "check": default_checks(with_labels="label" in data)}
    if "prediction" not in data and "score" not in data:
        policy["model"] = {"path": MODEL_FILE}
    return Policy.model_validate(policy)


def _filled_by_card(dataset: Shown) -> MultiDict[str, str]:
    filled: MultiDict[str, str] = MultiDict()
    if dataset.card is not None:
        for name in ROLES:
            value = getattr(dataset.card, name)
            filled[name] = "" if value is None else f"{value:g}" if isinstance(value, float | int) else value
        filled.setlist("sensitive", list(dataset.card.sensitive))
    return filled


def _unknown(dataset: Shown, filled: MultiDict[str, str]) -> FieldErrors:
    named = [(name, filled.get(name, "")) for name in COLUMNS] + [
        ("sensitive", each) for each in filled.getlist("sensitive")
    ]
    return {
        field: f"column '{column}' is not in {dataset.title}. It has: {listed(dataset.columns)}."
        for field, column in named
        if column and column not in dataset.columns
    }


def _heading(dataset: Shown) -> str:
    return f"Save as evenhand.toml; then: evenhand audit evenhand.toml. For {dataset.title}."


def _show(dataset: Shown | None, *, filled: MultiDict[str, str], errors: FieldErrors, text: str | None) -> Response:
    with reading() as session:
        uploaded = list_datasets(session, limit=MOST_CHOICES).items
    return show(
        "policies/policies.html",
        status=422 if errors else 200,
        dataset=dataset,
        sets=[*((row.id, row.name) for row in uploaded), *((card.name, card.title) for card in builtin_cards())],
        defaults=default_checks(with_labels=True),
        empty=Policy(),
        small_group_rows=SMALL_GROUP_ROWS,
        model_file=MODEL_FILE,
        parts=keys.parts(),
        filled=filled,
        errors=errors,
        text=text,
    )
