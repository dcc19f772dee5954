"""The queries of models. Their bytes are in the artefact store under the hash that the row names."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.audits.tables import Audit
from evenhand.service.datasets.lookup import DatasetChoice
from evenhand.service.datasets.store import StoredFile
from evenhand.service.errors import ModelInUse, ModelNotFound
from evenhand.service.events.store import record
from evenhand.service.ids import new_id
from evenhand.service.jobs import store as jobs
from evenhand.service.jobs.queue import JobQueue, queue_for
from evenhand.service.jobs.tables import Job, JobStatus
from evenhand.service.models.admission import refuse_unfit
from evenhand.service.models.documents import TrainingRequest
from evenhand.service.models.tables import Model
from evenhand.service.paging import DEFAULT_LIMIT, Page, page


def add_model(
    session: Session, *, name: str, filename: str, file: StoredFile, description: dict[str, Any], actor: str | None
) -> Model:
    """Keep a model whose file is stored and was loaded without an error; `description` is what was found in it."""
    model = Model(
        id=new_id("mdl"),
        name=name,
        filename=filename,
        kind=description.get("kind"),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        description=description,
        job=None,
        created_by=actor,
    )
    session.add(model)
    confined = description.get("confined")
    record(session, "model.add", actor=actor, subject=model.id, sha256=file.sha256, confinement=confined)
    session.flush()
    return model


def submit_training(
    session: Session, request: TrainingRequest, dataset: DatasetChoice, *, queue: JobQueue, actor: str | None
) -> Model:
    """Ask for a model to be trained. Its job is queued if and only if the caller's transaction commits.

    Raises:
        RefusedAtDoor: the data have no such columns, no label is named, or the kind does not learn from such data.
    """
    refuse_unfit(request, dataset)
    model_id = new_id("mdl")
    job = Job(id=model_id, kind="training", queue=queue_for(request.device))
    queue.enqueue(session, job)
    model = Model(
        id=model_id,
        name=request.name or f"{request.kind} on {dataset.name}",
        kind=request.kind,
        description={},
        training=request.model_dump(mode="json"),
        dataset_id=dataset.id,
        job=job,
        created_by=actor,
    )
    session.add(model)
    record(session, "model.train", actor=actor, subject=model.id)
    session.flush()
    return model


def get_model(session: Session, model_id: str) -> Model:
    """Raises ModelNotFound."""
    model = session.get(Model, model_id)
    if model is None:
        raise ModelNotFound(model_id)
    return model


def list_models(session: Session, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Model]:
    """One page, newest first. Raises BadCursor."""
    return page(session, sa.select(Model), made=Model.created_at, key=Model.id, limit=limit, cursor=cursor)


def keep_trained(
    session: Session, model_id: str, *, filename: str, file: StoredFile, description: dict[str, Any]
) -> bool:
    """End a training with its model. False where the job was over or cancelled: then nothing is kept."""
    if not jobs.succeed(session, model_id, message="trained"):
        return False
    model = get_model(session, model_id)
    model.filename, model.sha256, model.size_bytes = filename, file.sha256, file.size_bytes
    model.description = description
    return True


def delete_model(session: Session, model_id: str, *, actor: str | None) -> str | None:
    """Delete a model; reports on it stay.

    Returns:
        The hash of its file; None where it had none.

    Raises:
        ModelNotFound: there is none.
        ModelInUse: it is being trained, or an audit that is not over needs it.
    """
    model = get_model(session, model_id)
    users = jobs.unfinished(session, sa.select(Audit.job_id).where(Audit.model_id == model_id))
    if model.job is not None and not JobStatus(model.job.status).is_final:
        users.append(model.job.id)
    if users:
        raise ModelInUse(model_id, users)
    session.delete(model)
    record(session, "model.delete", actor=actor, subject=model_id)
    return model.sha256
