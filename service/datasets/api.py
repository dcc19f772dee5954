"""/api/v1/datasets: uploading data, listing and deleting it."""

from apiflask import APIBlueprint
from flask import Response

from evenhand.service.auth.tables import Role
from evenhand.service.current import reading, service, writing
from evenhand.service.datasets import store
from evenhand.service.datasets.documents import DatasetDocument, DatasetList
from evenhand.service.datasets.lookup import builtin_names
from evenhand.service.datasets.tables import Dataset
from evenhand.service.datasets.uploads import forget_unneeded, take_in
from evenhand.service.idempotency import idempotent
from evenhand.service.rest import API, IDEMPOTENCY_KEY, Paging, answers, auth, document, page_of, principal, takes
from evenhand.service.uploads import FILE, FILENAME, NAME, received_file, upload_name

api = APIBlueprint("datasets", __name__, url_prefix=f"{API}/datasets", tag="Data sets")

CONTENT_TYPES = ("application/octet-stream", "text/csv", "application/vnd.apache.parquet", "application/zip")


@api.post("")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(
    responses=answers(201, "It was opened without an error, and is kept", DatasetDocument, Location="where it is"),
    extensions=takes(dict.fromkeys(CONTENT_TYPES, FILE), FILENAME, NAME, IDEMPOTENCY_KEY),
)
@idempotent
def upload() -> Response:
    """Upload a data set.

    The file itself is the body: CSV, Parquet, Arrow, or an .npz or .zip of pictures. It is opened before it is kept.
    """
    with received_file() as spooled:
        dataset = take_in(service(), spooled, name=upload_name(spooled.path.name), actor=principal().name)
    return document(shown(dataset), status=201, location=f"{API}/datasets/{dataset.id}")


@api.get("")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.input(Paging, location="query", arg_name="paging")
@api.doc(responses=answers(200, "One page, newest first", DatasetList))
def list_all(paging: Paging) -> Response:
    """List data sets."""
    return page_of(store.list_datasets, paging, shown, DatasetList, builtin=builtin_names())


@api.get("/<id:dataset_id>")
@api.auth_required(auth, roles=[Role.VIEWER])
@api.doc(responses=answers(200, "The data set", DatasetDocument))
def show(dataset_id: str) -> Response:
    """Show a data set."""
    with reading() as session:
        return document(shown(store.get_dataset(session, dataset_id)))


@api.delete("/<id:dataset_id>")
@api.auth_required(auth, roles=[Role.AUDITOR])
@api.doc(responses=answers(204, "It is deleted"))
def delete(dataset_id: str) -> Response:
    """Delete a data set; reports on it stay."""
    with writing() as session:
        sha256 = store.delete_dataset(session, dataset_id, actor=principal().name)
    forget_unneeded(service(), sha256)
    return Response(status=204)


def shown(dataset: Dataset) -> DatasetDocument:
    return DatasetDocument.model_validate(dataset, from_attributes=True)
