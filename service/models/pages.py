"""Models: the list, one model, uploading, and training."""

from collections.abc import Sequence
from typing import Any

from flask import Response, redirect, request, url_for
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from evenhand.classifiers.savable import FORMATS
from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.datasets.lookup import choose_dataset
from evenhand.service.datasets.pages import Shown, builtin_cards, shown_dataset
from evenhand.service.datasets.store import list_datasets
from evenhand.service.errors import ServiceError, problem_of
from evenhand.service.jobs.tables import JobStatus
from evenhand.service.models.admission import OF_PICTURES
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.store import get_model, list_models, submit_training
from evenhand.service.models.tables import Model
from evenhand.service.models.uploads import take_in
from evenhand.service.pages import FieldErrors, blueprint, field_errors, given, received_in_form, refusal, show
from evenhand.service.render.learning import arranged

pages = blueprint("models", __name__)

KINDS = {
    "logistic_regression": "logistic regression (tables)",
    "hist_gradient_boosting": "gradient-boosted trees (tables)",
    "random_forest": "random forest (tables)",
    "neuron": "one sigmoid neuron (tables, PyTorch)",
    "mlp": "multilayer perceptron (tables, PyTorch)",
    "convnet4": "four-layer convolutional network (pictures, PyTorch)",
    "resnet_small": "small residual network (pictures, PyTorch)",
}
LONGEST_NUMBER = 18
FORMAT_NAMES = {"safetensors": "safetensors (networks)", "skops": "skops (scikit-learn)", "onnx": "ONNX"}


@pages.get("/models")
@needs()
def all_models() -> Response:
    return _list(errors={})


@pages.get("/models/<id:model_id>")
@needs()
def model(model_id: str) -> Response:
    with reading() as session:
        found = get_model(session, model_id)
    learning = arranged(found.description.get("training"))
    return show("models/model.html", model=found, learning=learning, is_over=_is_over(found))


@pages.get("/models/<id:model_id>/progress")
@needs()
def progress(model_id: str) -> Response:
    """The part of the page that polls; once the training is over it loads the page anew."""
    with reading() as session:
        found = get_model(session, model_id)
    response = show("models/progress.html", model=found, is_over=_is_over(found))
    if _is_over(found):
        response.headers["HX-Refresh"] = "true"
    return response


@pages.post("/models/upload")
@needs(Role.AUDITOR)
def upload() -> AnyResponse:
    try:
        with received_in_form() as spooled:
            name = request.form.get("name", "").strip()[:200] or spooled.path.name
            kept = take_in(service(), spooled, name=name, actor=signed_in().name)
        return redirect(url_for(".model", model_id=kept.id))
    except ServiceError as error:
        return _list(errors={"file": problem_of(error).detail}, status=422)


@pages.get("/models/train")
@needs(Role.AUDITOR)
def new_training() -> AnyResponse:
    """Once the data are chosen, their columns can be."""
    named = request.args.get("dataset")
    if not named:
        return redirect(url_for(".all_models"))
    dataset = shown_dataset(named)
    return _training_form(dataset, filled=_filled_by_card(dataset), errors={})


@pages.post("/models/train")
@needs(Role.AUDITOR)
def train() -> AnyResponse:
    form = request.form
    errors = {} if form.get("label", "").strip() else {"label": "Choose the column that is learned."}
    if errors:
        return _training_form(shown_dataset(form.get("dataset", "")), filled=form, errors=errors, status=422)
    try:
        order = TrainingRequest.model_validate(_order(form))
        with writing() as session:
            dataset = choose_dataset(session, order.dataset)
            model = submit_training(session, order, dataset, queue=service().queue, actor=signed_in().name)
        return redirect(url_for(".model", model_id=model.id))
    except ValidationError as error:
        errors = field_errors(error)
    except ServiceError as error:
        errors = refusal(error)
    return _training_form(shown_dataset(form.get("dataset", "")), filled=form, errors=errors, status=422)


def _order(form: MultiDict[str, str]) -> dict[str, Any]:
    """The form as the document that REST takes too."""
    sides = [form.get(f"picture_{side}", "").strip() for side in ("width", "height")]
    return {
        **given(form, "kind", "dataset", "label", "name", "unit", "class_weight", "group_weight", "format"),
        **{name: _number(text) for name, text in given(form, "seed", "epochs", "patience").items()},
        "features": form.getlist("features") or None,
        "categorical": form.getlist("categorical"),
        "sensitive": form.getlist("sensitive"),
        "deterministic": bool(form.get("deterministic")),
        "picture_size": [_number(side) for side in sides] if any(sides) else None,
    }


def _number(text: str) -> int | str:
    """A whole number; other text as it is, for the document to refuse."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else text


def _filled_by_card(dataset: Shown) -> MultiDict[str, str]:
    """The form as the card of a built-in set fills it; an uploaded set has none."""
    filled: MultiDict[str, str] = MultiDict(
        {name: str(TrainingRequest.model_fields[name].default) for name in ("seed", "epochs", "patience")}
    )
    card = dataset.card
    if card is not None:
        filled["label"] = card.label
        filled["unit"] = card.unit or ""
        for name in ("features", "categorical", "sensitive"):
            filled.setlist(name, list(getattr(card, name) or ()))
    return filled


def _formats(kinds: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that any of the kinds can be saved in, each with its name for people."""
    savable = {each for kind, _ in kinds for each in FORMATS[kind]}
    return [(each, name) for each, name in FORMAT_NAMES.items() if each in savable]


def _training_form(dataset: Shown, *, filled: MultiDict[str, str], errors: FieldErrors, status: int = 200) -> Response:
    of_pictures = dataset.kind != "table"
    kinds = [(kind, name) for kind, name in KINDS.items() if (kind in OF_PICTURES) == of_pictures]
    return show(
        "models/train.html",
        status=status,
        dataset=dataset,
        of_pictures=of_pictures,
        kinds=kinds,
        formats=_formats(kinds),
        filled=filled,
        errors=errors,
    )


def _is_over(model: Model) -> bool:
    return model.job is None or JobStatus(model.job.status).is_final


def _list(*, errors: FieldErrors, status: int = 200) -> Response:
    with reading() as session:
        models = list_models(session, cursor=request.args.get("cursor"))
        uploaded = list_datasets(session, limit=200).items
    return show(
        "models/list.html",
        status=status,
        models=models,
        cards=builtin_cards(),
        uploaded=uploaded,
        filled=request.form,
        errors=errors,
    )
