"""The queries of jobs and workers. Every change of a job raises its `version`, which polls wait for."""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from evenhand.service.db import now
from evenhand.service.jobs.tables import Job, JobStatus, Worker

MAX_ATTEMPTS = 3
"""A job that was begun so often and never ended killed its workers; it is not tried again."""

_FINAL = [status for status in JobStatus if status.is_final]


def get_job(session: Session, job_id: str) -> Job | None:
    return session.get(Job, job_id)


def version_of(session: Session, job_id: str) -> int | None:
    """The job's version, straight from the database."""
    return session.scalar(sa.select(Job.version).where(Job.id == job_id))


def begin(session: Session, job_id: str, *, executor_id: str, timeout_seconds: float) -> Job | None:
    """Take a job up: running from now on, one more attempt. The deadline is set at the first start.

    Returns:
        The job; None where there is nothing to do: it is over, was cancelled, or was tried too often.
    """
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or JobStatus(job.status).is_final:
        return None
    if job.cancel_requested:
        _end(job, JobStatus.CANCELLED, message="cancelled")
        return None
    if job.attempts >= MAX_ATTEMPTS:
        _end(job, JobStatus.FAILED, message="gave up", error=_died(job.attempts))
        return None
    moment = now()
    job.attempts += 1
    job.executor_id = executor_id
    job.status = JobStatus.RUNNING
    job.started_at = job.started_at or moment
    job.deadline_at = job.deadline_at or moment + timedelta(seconds=timeout_seconds)
    job.fraction, job.stage, job.message = 0.0, "start", "starting"
    job.version += 1
    return job


def note_progress(
    session: Session, job_id: str, *, executor_id: str, fraction: float, stage: str, message: str
) -> None:
    """Keep how far a running job is. Says nothing about a job that another worker has taken over."""
    session.execute(
        sa.update(Job)
        .where(Job.id == job_id, Job.status == JobStatus.RUNNING, Job.executor_id == executor_id)
        .values(
            fraction=min(max(fraction, 0.0), 1.0), stage=stage[:200], message=message[:1000], version=Job.version + 1
        )
    )


def is_cancel_requested(session: Session, job_id: str) -> bool:
    return bool(session.scalar(sa.select(Job.cancel_requested).where(Job.id == job_id)))


def succeed(session: Session, job_id: str, *, message: str = "done") -> bool:
    """End a job well. False where it was over already, or somebody asked to cancel it."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or JobStatus(job.status).is_final:
        return False
    if job.cancel_requested:
        _end(job, JobStatus.CANCELLED, message="cancelled")
        return False
    job.fraction = 1.0
    _end(job, JobStatus.SUCCEEDED, message=message)
    return True


def fail(session: Session, job_id: str, error: dict[str, Any]) -> None:
    """End a job with a problem; cancelled where somebody asked for that. A job that is over stays as it is."""
    job = session.get(Job, job_id, with_for_update=True)
    if job is None or JobStatus(job.status).is_final:
        return
    if job.cancel_requested:
        _end(job, JobStatus.CANCELLED, message="cancelled")
    else:
        _end(job, JobStatus.FAILED, message=str(error.get("detail") or error.get("title") or "failed"), error=error)


def request_cancel(session: Session, job: Job) -> None:
    """Ask for the end of a job: at once while it is queued, within seconds while it runs, never once it is over."""
    session.refresh(job, with_for_update=True)
    if JobStatus(job.status).is_final:
        return
    job.cancel_requested = True
    job.version += 1
    if job.status == JobStatus.QUEUED:
        _end(job, JobStatus.CANCELLED, message="cancelled")


def put_back(session: Session, executor_id: str) -> list[str]:
    """Queue a worker's running jobs again because it stops in good order; that attempt does not count."""
    jobs = list(session.scalars(sa.select(Job).where(Job.executor_id == executor_id, Job.status == JobStatus.RUNNING)))
    for job in jobs:
        job.status, job.stage, job.message, job.executor_id = JobStatus.QUEUED, None, "waits for a worker", None
        job.attempts -= 1
        job.version += 1
    return [job.id for job in jobs]


def beat(session: Session, worker: Worker) -> None:
    """Say that a worker lives."""
    known = session.get(Worker, worker.executor_id)
    if known is None:
        session.add(worker)
    else:
        known.host, known.pid, known.queues, known.seen_at = worker.host, worker.pid, worker.queues, now()


def retire(session: Session, executor_id: str) -> None:
    """Say that a worker stopped in good order: what it left is for others at once."""
    worker = session.get(Worker, executor_id)
    if worker is not None:
        worker.seen_at = now() - timedelta(days=1)


def live_workers(session: Session, *, dead_after_seconds: float) -> list[Worker]:
    since = now() - timedelta(seconds=dead_after_seconds)
    return list(session.scalars(sa.select(Worker).where(Worker.seen_at >= since).order_by(Worker.executor_id)))


def lock_dead_workers(session: Session, *, dead_after_seconds: float, but: str) -> list[Worker]:
    """Workers without a heartbeat, their rows locked; rows that another reaper holds are passed over."""
    since = now() - timedelta(seconds=dead_after_seconds)
    query = sa.select(Worker).where(Worker.seen_at < since, Worker.executor_id != but)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def count_by_status(session: Session) -> dict[str, int]:
    rows = session.execute(sa.select(Job.status, sa.func.count()).group_by(Job.status))
    return {status: count for status, count in rows}  # noqa: C416 - rows are not pairs to a type checker


def unfinished(session: Session, job_ids: sa.Select[Any]) -> list[str]:
    """Those of the jobs that are not over."""
    return list(session.scalars(sa.select(Job.id).where(Job.id.in_(job_ids), Job.status.not_in(_FINAL))))


def _end(job: Job, status: JobStatus, *, message: str, error: dict[str, Any] | None = None) -> None:
    job.status, job.stage, job.message, job.error = status, None, message[:1000], error
    job.finished_at = now()
    job.version += 1


def _died(attempts: int) -> dict[str, Any]:
    return {
        "type": "/problems/worker-died",
        "title": "Worker died",
        "status": 500,
        "detail": f"the worker died {attempts} times while it ran this job, so it is not tried again. "
        "It may need more memory than the machine has; try fewer rows, or a larger machine.",
        "exit_code": 4,
    }
