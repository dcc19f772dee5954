"""Models: the list, one model, uploading, and training."""

from typing import get_args

from flask import Response, redirect, request, url_for
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from evenhand.service.auth.session import needs, signed_in
from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.datasets.lookup import choose_dataset
from evenhand.service.datasets.pages import builtin_cards
from evenhand.service.datasets.store import list_datasets
from evenhand.service.errors import ServiceError, problem_of
from evenhand.service.jobs.tables import JobStatus
from evenhand.service.models.documents import TrainingKind, TrainingRequest
from evenhand.service.models.store import get_model, list_models, submit_training
from evenhand.service.models.tables import Model
from evenhand.service.models.uploads import take_in
from evenhand.service.pages import FieldErrors, blueprint, field_errors, given, received_in_form, refusal, show

pages = blueprint("models", __name__)

KINDS = {
    "logistic_regression": "logistic regression (tables)",
    "hist_gradient_boosting": "gradient-boosted trees (tables)",
    "random_forest": "random forest (tables)",
    "neuron": "one sigmoid neuron (tables, PyTorch)",
    "mlp": "multilayer perceptron (tables, PyTorch)",
    "convnet4": "four-layer convolutional network (pictures, PyTorch)",
}


@pages.get("/models")
@needs()
def all_models() -> Response:
    return _list(filled=MultiDict({"seed": "0"}), errors={})


@pages.get("/models/<id:model_id>")
@needs()
def model(model_id: str) -> Response:
    with reading() as session:
        found = get_model(session, model_id)
    return show("models/model.html", model=found, is_over=_is_over(found))


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
        return _list(filled=MultiDict({"seed": "0"}), errors={"file": problem_of(error).detail}, status=422)


@pages.post("/models/train")
@needs(Role.AUDITOR)
def train() -> AnyResponse:
    try:
        seed = request.form.get("seed", "").strip() or "0"
        wanted = {
            **given(request.form, "kind", "dataset", "label", "name"),
            "seed": int(seed) if seed.isdecimal() else seed,
        }
        order = TrainingRequest.model_validate(wanted)
        with writing() as session:
            dataset = choose_dataset(session, order.dataset)
            model = submit_training(session, order, dataset, queue=service().queue, actor=signed_in().name)
        return redirect(url_for(".model", model_id=model.id))
    except ValidationError as error:
        return _list(filled=request.form, errors=field_errors(error), status=422)
    except ServiceError as error:
        return _list(filled=request.form, errors=refusal(error), status=422)


def _is_over(model: Model) -> bool:
    return model.job is None or JobStatus(model.job.status).is_final


def _list(*, filled: MultiDict[str, str], errors: FieldErrors, status: int = 200) -> Response:
    with reading() as session:
        models = list_models(session, cursor=request.args.get("cursor"))
        uploaded = list_datasets(session, limit=200).items
    return show(
        "models/list.html",
        status=status,
        models=models,
        kinds={kind: KINDS.get(kind, kind) for kind in get_args(TrainingKind)},
        cards=builtin_cards(),
        uploaded=uploaded,
        filled=filled,
        errors=errors,
    )
