"""Runs one job from its row to its end, whatever its kind. When and where it runs is decided by `worker`."""

import logging
import threading
from collections.abc import Callable

from evenhand.service.audits.jobs import run_audit_job
from evenhand.service.errors import problem_of
from evenhand.service.jobs import store
from evenhand.service.jobs.context import CANCELLED, JobContext, Workplace, persist
from evenhand.service.jobs.process import Interrupted
from evenhand.service.jobs.tables import Job
from evenhand.service.models.jobs import run_training_job
from evenhand.service.wording import Fields, spoken

KINDS: dict[str, Callable[[JobContext], None]] = {"audit": run_audit_job, "training": run_training_job}

log = logging.getLogger(__name__)


class Runner:
    """Runs jobs of one worker, each in the thread that calls."""

    def __init__(self, workplace: Workplace) -> None:
        self._workplace = workplace
        self._parked = threading.Event()

    def run(self, job_id: str) -> None:
        """Run a job; its row says how it ended. Raises nothing but what the database raises in the end.

        When the worker stops, this never returns: a job that returned would count as done and not be taken up again.
        """
        job = persist(lambda: self._begin(job_id))
        if job is None:
            return
        try:
            with spoken(Fields(job.kind)), JobContext(self._workplace, job) as context:
                KINDS[job.kind](context)
        except Interrupted as interrupted:
            if interrupted.reason != CANCELLED:
                self._parked.wait()
            self._fail(job, interrupted)
        except Exception as error:  # the edge of a job
            log.info("job %s failed", job_id, exc_info=True)
            self._fail(job, error)

    def _begin(self, job_id: str) -> Job | None:
        place = self._workplace
        with place.database.writing() as session:
            return store.begin(
                session,
                job_id,
                executor_id=place.executor_id,
                timeout_seconds=place.config.job_timeout_seconds,
            )

    def _fail(self, job: Job, error: BaseException) -> None:
        said = problem_of(error).document()

        def fail() -> None:
            with self._workplace.database.writing() as session:
                store.fail(session, job.id, said)

        persist(fail)
