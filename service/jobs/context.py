"""What a job works with while a worker runs it: its folder, its child, and how it tells the world."""

import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.exc import OperationalError

from evenhand.service.artefacts import Artefacts
from evenhand.service.config import Config
from evenhand.service.db import Database, now
from evenhand.service.jobs import store
from evenhand.service.jobs.process import Limits, run_child
from evenhand.service.jobs.tables import Job

Result = TypeVar("Result")

CANCELLED = "cancelled"
STOPPING = "stopping"

PROGRESS_EVERY_SECONDS = 0.5
CANCEL_ASKED_EVERY_SECONDS = 0.5
DATABASE_GIVEN_UP_AFTER_SECONDS = 120.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workplace:
    """What every job of one worker shares."""

    config: Config
    database: Database
    artefacts: Artefacts
    executor_id: str
    stopping: threading.Event


class JobContext:
    """One job while it runs."""

    def __init__(self, workplace: Workplace, job: Job) -> None:
        self.workplace = workplace
        self.job = job
        self.folder = workplace.config.work / job.id
        self._told = 0.0
        self._stage = ""
        self._asked = 0.0

    def __enter__(self) -> "JobContext":
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def fetch(self, sha256: str, filename: str, *, into: str) -> Path:
        """A stored file in the job's folder under its own name, its hash checked."""
        path = self.folder / into / filename
        path.parent.mkdir(exist_ok=True)
        self.workplace.artefacts.fetch(sha256, path)
        return path

    def run_child(self, module: str, *arguments: str) -> dict[str, Any]:
        """Run the heavy part in a child process that a cancel, the deadline and the worker's end all end."""
        limit = self.workplace.config.job_timeout_seconds
        deadline = self.job.deadline_at
        left = limit if deadline is None else (deadline - now()).total_seconds()
        return run_child(
            module,
            list(arguments),
            limits=Limits(seconds=left, told_seconds=limit),
            log=self.workplace.config.logs / "jobs" / f"{self.job.id}.log",
            hears=self._hears,
            interrupt=self._interrupt,
        )

    def _hears(self, fraction: float, stage: str, message: str) -> None:
        moment = time.monotonic()
        if stage == self._stage and moment - self._told < PROGRESS_EVERY_SECONDS:
            return
        self._told, self._stage = moment, stage
        try:
            with self.workplace.database.writing() as session:
                store.note_progress(
                    session,
                    self.job.id,
                    executor_id=self.workplace.executor_id,
                    fraction=fraction,
                    stage=stage,
                    message=message,
                )
        except OperationalError:
            # the work goes on without: only its end must be kept
            log.warning("progress of %s was not kept", self.job.id, exc_info=True)

    def _interrupt(self) -> str | None:
        if self.workplace.stopping.is_set():
            return STOPPING
        moment = time.monotonic()
        if moment - self._asked < CANCEL_ASKED_EVERY_SECONDS:
            return None
        self._asked = moment
        try:
            with self.workplace.database.reading() as session:
                return CANCELLED if store.is_cancel_requested(session, self.job.id) else None
        except OperationalError:
            log.warning("whether %s is cancelled could not be asked", self.job.id, exc_info=True)
            return None


def persist(action: Callable[[], Result]) -> Result:
    """Do what must be kept, again and again while the database is away."""
    started, pause = time.monotonic(), 0.5
    while True:
        try:
            return action()
        except OperationalError:
            if time.monotonic() - started > DATABASE_GIVEN_UP_AFTER_SECONDS:
                raise
            log.warning("the database did not answer; trying again", exc_info=True)
            time.sleep(pause)
            pause = min(pause * 2, 10.0)
