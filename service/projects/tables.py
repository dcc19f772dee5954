"""The projects table: whose things are whose. One project, `default`, is made by the first migration."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now

DEFAULT_PROJECT = "default"


class Project(Base):
    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
