"""Handing work to the workers: the only place that knows how a job is enqueued. Running it belongs to `worker`."""

import threading
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from evenhand.service.jobs.tables import Job

if TYPE_CHECKING:
    from dbos import DBOSClient

CPU_QUEUE = "cpu"
GPU_QUEUE = "gpu"

APPLICATION = "evenhand"
WORKFLOW = "evenhand.job"
WORKFLOW_VERSION = "wf1"
"""Bumped by hand when workflows of the old code cannot go on in the new: recovery takes its own version only."""


def dbos_url(database_url: str) -> str:
    """The same database as ours, as the job engine wants it written: a job and our row commit together."""
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


class JobQueue:
    """Enqueues jobs in the caller's transaction. Connects at the first use, so that it may be made before a fork."""

    def __init__(self, database_url: str) -> None:
        self._url = dbos_url(database_url)
        self._client: DBOSClient | None = None
        self._lock = threading.Lock()

    def enqueue(self, session: Session, job: Job) -> None:
        """Add the job to its queue: both are there once the session's transaction commits, or neither is."""
        session.add(job)
        session.flush()
        self._connected().enqueue_in_transaction(
            session,
            {
                "workflow_name": WORKFLOW,
                "queue_name": job.queue,
                "workflow_id": job.id,
                "app_version": WORKFLOW_VERSION,
            },
            job.id,
        )

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.destroy()
                self._client = None

    def _connected(self) -> "DBOSClient":
        with self._lock:
            if self._client is None:
                from dbos import DBOSClient, DBOSPortableJSONSerializer

                self._client = DBOSClient(
                    system_database_url=self._url,
                    serializer=DBOSPortableJSONSerializer(),
                    application_name=APPLICATION,
                    lazy=True,
                )
            return self._client


def queue_for(device: str) -> str:
    """The queue of work that asks for this device: `cuda` waits for a worker that has one."""
    return GPU_QUEUE if device.startswith("cuda") else CPU_QUEUE
