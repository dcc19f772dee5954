"""The models table: classifiers that were uploaded, or trained here. The bytes are in the artefact store."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evenhand.service.db import Base, now
from evenhand.service.jobs.tables import Job
from evenhand.service.projects.tables import DEFAULT_PROJECT


class Model(Base):
    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("projects.id"), default=DEFAULT_PROJECT)
    name: Mapped[str]
    filename: Mapped[str | None] = mapped_column(doc="None until it is trained")
    kind: Mapped[str | None] = mapped_column(doc="what it is: onnx, convnet4, logistic_regression, …")
    sha256: Mapped[str | None] = mapped_column(index=True)
    size_bytes: Mapped[int | None] = mapped_column(sa.BigInteger)
    description: Mapped[dict[str, Any]] = mapped_column(default=dict, doc="features, classes, gradients as found")
    training: Mapped[dict[str, Any] | None] = mapped_column(doc="the training asked for; None for an upload")
    dataset_id: Mapped[str | None] = mapped_column(sa.ForeignKey("datasets.id", ondelete="SET NULL"), index=True)
    job_id: Mapped[str | None] = mapped_column(sa.ForeignKey("jobs.id"))
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    created_by: Mapped[str | None]

    job: Mapped[Job | None] = relationship(lazy="joined")

    @property
    def status(self) -> str:
        """`succeeded` for an upload, which was checked before it was kept; else how its training is."""
        return "succeeded" if self.job is None else self.job.status

    @property
    def is_ready(self) -> bool:
        return self.sha256 is not None
