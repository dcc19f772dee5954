"""Taking over jobs of workers that died and do not come back. For PostgreSQL, where workers are many.

On SQLite the one worker takes its own jobs up again when it starts, and asking the engine from inside a transaction of
ours would wait for our own lock.
"""

import logging

from sqlalchemy.orm import Session

from evenhand.service.jobs import store
from evenhand.service.jobs.context import Workplace
from evenhand.service.jobs.queue import APPLICATION, WORKFLOW, dbos_url
from evenhand.service.jobs.tables import Job, JobStatus

log = logging.getLogger(__name__)


def take_over_from_the_dead(workplace: Workplace) -> list[str]:
    """Queue again what dead workers were running.

    The rows of the dead are locked meanwhile, so of two reapers one alone resumes a job: resuming does not ask whether
    somebody runs it.

    Returns:
        The ids of the jobs that were queued again.
    """
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    resumed: list[str] = []
    with workplace.database.writing() as session:
        dead = store.lock_dead_workers(
            session, dead_after_seconds=workplace.config.dead_after_seconds, but=workplace.executor_id
        )
        if not dead:
            return []
        client = DBOSClient(
            system_database_url=dbos_url(workplace.database.url.render_as_string(hide_password=False)),
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )
        try:
            for worker in dead:
                for workflow in client.list_workflows(
                    status="PENDING", executor_id=worker.executor_id, name=WORKFLOW, load_output=False
                ):
                    if _wants_running(session, workflow.workflow_id):
                        client.resume_workflow(
                            workflow.workflow_id, queue_name=_queue_of(session, workflow.workflow_id)
                        )
                        resumed.append(workflow.workflow_id)
                    else:
                        client.cancel_workflow(workflow.workflow_id)
                session.delete(worker)
        finally:
            client.destroy()
    if resumed:
        log.warning("took over %s from workers that died", ", ".join(resumed))
    return resumed


def _wants_running(session: Session, job_id: str) -> bool:
    # resuming would revive a cancelled workflow too, so our row decides
    job = session.get(Job, job_id)
    if job is None or JobStatus(job.status).is_final:
        return False
    if job.cancel_requested:
        store.fail(session, job_id, {})
        return False
    return True


def _queue_of(session: Session, job_id: str) -> str | None:
    job = session.get(Job, job_id)
    return None if job is None else job.queue
