"""The datasets table: what was uploaded. The bytes are in the artefact store under their hash."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now
from evenhand.service.projects.tables import DEFAULT_PROJECT


class Dataset(Base):
    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str] = mapped_column(sa.ForeignKey("projects.id"), default=DEFAULT_PROJECT)
    name: Mapped[str]
    filename: Mapped[str]
    kind: Mapped[str] = mapped_column(doc="table or images")
    sha256: Mapped[str] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(sa.BigInteger)
    rows: Mapped[int] = mapped_column(sa.BigInteger)
    columns: Mapped[list[str]]
    image_shape: Mapped[list[int] | None] = mapped_column(
        sa.JSON(none_as_null=True), doc="height, width, channels of pictures"
    )
    values: Mapped[dict[str, list[str]] | None] = mapped_column(
        sa.JSON(none_as_null=True), doc="of the columns that have few; null for an upload before there were any"
    )
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)
    created_by: Mapped[str | None]
