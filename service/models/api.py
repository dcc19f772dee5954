"""/api/v1/models: uploading a model or asking for one to be trained, listing and deleting them."""

from apiflask import APIBlueprint
from flask import Response, request

from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.datasets.lookup import choose_dataset
from evenhand.service.datasets.uploads import forget_unneeded
from evenhand.service.idempotency import idempotent
from evenhand.service.jobs.documents import progress_of
from evenhand.service.models import store
from evenhand.service.models.documents import ModelDocument, ModelList, ModelOrder, TrainingRequest
from evenhand.service.models.tables import Model
from evenhand.service.models.uploads import take_in, take_in_endpoint
from evenhand.service.rest import (
    API,
    IDEMPOTENCY_KEY,
    JSON,
    Paging,
    answers,
    auth,
    body,
    document,
    json_content,
    page_of,
    principal,
    takes,
)
from evenhand.service.uploads import FILE, FILENAME, NAME, received_file, upload_name

api = APIBlueprint("models", __name__, url_prefix=f"{API}/models", tag="Models")


@api.post("")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(
    responses={
        **answers(
            201,
            "It was loaded without an error, or describes an endpoint that may be asked, and is kept",
            ModelDocument,
            Location="where it is",
        ),
        **answers(202, "It is going to be trained", ModelDocument, Location="where to follow it"),
    },
    extensions=takes({"application/octet-stream": FILE, **json_content(ModelOrder)}, FILENAME, NAME, IDEMPOTENCY_KEY),
)
@idempotent
def add() -> Response:
    """Upload a model, describe an endpoint, or ask for a model to be trained.

    The file itself is the body: ONNX, safetensors with evenhand's description, or skops. Formats that can run code
    (pickle, joblib, .pt) are refused. A JSON body describes a model that answers over HTTP (`endpoint`), or asks for a
    training (`train`) instead. Nothing is sent to an endpoint before an audit asks it.
    """
    if request.mimetype == JSON:
        asked = body(ModelOrder)
        if asked.endpoint is not None:
            kept = take_in_endpoint(service(), asked.endpoint, name=asked.name, actor=principal().name)
            return document(shown(kept), status=201, location=f"{API}/models/{kept.id}")
        order = asked.train
        assert order is not None  # ModelOrder holds one of both
        with writing() as session:
            choice = choose_dataset(session, order.dataset, within="/train")
            model = store.submit_training(session, order, choice, queue=service().queue, actor=principal().name)
        return document(shown(model), status=202, location=f"{API}/models/{model.id}")
    with received_file() as spooled:
        model = take_in(service(), spooled, name=upload_name(spooled.path.name), actor=principal().name)
    return document(shown(model), status=201, location=f"{API}/models/{model.id}")


@api.get("")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(Paging, location="query", arg_name="paging")
@api.doc(responses=answers(200, "One page, newest first", ModelList))
def list_all(paging: Paging) -> Response:
    """List models."""
    return page_of(store.list_models, paging, shown, ModelList)


@api.get("/<id:model_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=answers(200, "The model, and how far its training is", ModelDocument))
def show(model_id: str) -> Response:
    """Show a model."""
    with reading() as session:
        return document(shown(store.get_model(session, model_id)))


@api.delete("/<id:model_id>")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(responses=answers(204, "It is deleted"))
def delete(model_id: str) -> Response:
    """Delete a model; reports on it stay."""
    with writing() as session:
        sha256 = store.delete_model(session, model_id, actor=principal().name)
    if sha256 is not None:
        forget_unneeded(service(), sha256)
    return Response(status=204)


def shown(model: Model) -> ModelDocument:
    return ModelDocument(
        id=model.id,
        name=model.name,
        kind=model.kind,
        filename=model.filename,
        sha256=model.sha256,
        size_bytes=model.size_bytes,
        description=model.description,
        training=None if model.training is None else TrainingRequest.model_validate(model.training),
        created_at=model.created_at,
        created_by=model.created_by,
        **progress_of(model.job),
    )
