"""How REST shows the progress of something that a job makes."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from evenhand.service.jobs.tables import Job

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]


class Progress(BaseModel):
    """How far it is."""

    status: Status
    stage: str | None = None
    fraction: float = Field(ge=0, le=1)
    message: str | None = None
    error: dict[str, Any] | None = Field(default=None, description="a problem (RFC 9457) where it failed")


def progress_of(job: Job | None) -> dict[str, Any]:
    """The fields of Progress; without a job it is done."""
    if job is None:
        return {"status": "succeeded", "fraction": 1.0}
    return {
        "status": job.status,
        "stage": job.stage,
        "fraction": job.fraction,
        "message": job.message,
        "error": job.error,
    }
