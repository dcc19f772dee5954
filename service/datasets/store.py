"""The queries of data sets. Their bytes are in the artefact store under the hash that the row names."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.audits.tables import Audit
from evenhand.service.datasets.tables import Dataset
from evenhand.service.errors import DatasetInUse, DatasetNotFound
from evenhand.service.events.store import record
from evenhand.service.ids import new_id
from evenhand.service.jobs import store as jobs
from evenhand.service.models.tables import Model
from evenhand.service.paging import DEFAULT_LIMIT, Page, page


@dataclass(frozen=True)
class StoredFile:
    """A file that the artefact store holds."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class Contents:
    """What was found in a data set when it was opened."""

    kind: str
    """`table` or `images`."""
    rows: int
    columns: list[str]
    image_shape: list[int] | None = None
    """Height, width and channels of pictures."""
    values: dict[str, list[str]] | None = None
    """Of the columns that have few."""


def add_dataset(
    session: Session, *, name: str, filename: str, file: StoredFile, contents: Contents, actor: str | None
) -> Dataset:
    """Keep a data set whose file is stored and was opened without an error."""
    dataset = Dataset(
        id=new_id("ds"),
        name=name,
        filename=filename,
        kind=contents.kind,
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        rows=contents.rows,
        columns=contents.columns,
        image_shape=contents.image_shape,
        values=contents.values,
        created_by=actor,
    )
    session.add(dataset)
    record(session, "dataset.add", actor=actor, subject=dataset.id, sha256=file.sha256)
    session.flush()
    return dataset


def get_dataset(session: Session, dataset_id: str) -> Dataset:
    """Raises DatasetNotFound."""
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise DatasetNotFound(dataset_id)
    return dataset


def list_datasets(session: Session, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[Dataset]:
    """One page, newest first. Raises BadCursor."""
    return page(session, sa.select(Dataset), made=Dataset.created_at, key=Dataset.id, limit=limit, cursor=cursor)


def delete_dataset(session: Session, dataset_id: str, *, actor: str | None) -> str:
    """Delete a data set; reports on it stay.

    Returns:
        The hash of its file.

    Raises:
        DatasetNotFound: there is none.
        DatasetInUse: an audit or a training that is not over needs it.
    """
    dataset = get_dataset(session, dataset_id)
    users = jobs.unfinished(session, sa.select(Audit.job_id).where(Audit.dataset_id == dataset_id))
    users += jobs.unfinished(
        session, sa.select(Model.job_id).where(Model.dataset_id == dataset_id, Model.job_id.is_not(None))
    )
    if users:
        raise DatasetInUse(dataset_id, users)
    session.delete(dataset)
    record(session, "dataset.delete", actor=actor, subject=dataset_id)
    return dataset.sha256
