"""The tables of work in the background: one row a job, one a worker. What a job is about has the job's id."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from evenhand.service.db import Base, now


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}


class Job(Base):
    """How far a piece of work is. `version` grows with every change, so that a poll can wait for one."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(primary_key=True, doc="the id of the audit or model it is about")
    kind: Mapped[str] = mapped_column(doc="audit or training")
    queue: Mapped[str]
    status: Mapped[str] = mapped_column(default=JobStatus.QUEUED)
    stage: Mapped[str | None]
    fraction: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str | None]
    error: Mapped[dict[str, Any] | None] = mapped_column(doc="a problem (RFC 9457) where it failed")
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0, doc="how often it was begun; a worker that dies counts")
    version: Mapped[int] = mapped_column(default=0)
    executor_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None] = mapped_column(doc="absolute, set at the first start")


class Worker(Base):
    """The heartbeat of one worker."""

    __tablename__ = "workers"

    executor_id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]]
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
