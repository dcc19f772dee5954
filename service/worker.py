"""The worker process: takes jobs from the queues and runs them until told to stop. Running one is in `jobs.runner`.

Each worker has an executor id of its own that survives a restart: what it left behind when it was killed is taken up
again when it starts. With PostgreSQL, workers also take up what others left who do not come back.
"""

import fcntl
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import IO

from sqlalchemy.exc import OperationalError

from evenhand.service import migrate
from evenhand.service.artefacts import Artefacts
from evenhand.service.config import Config
from evenhand.service.db import Database
from evenhand.service.errors import ServiceError, WorkerRunning, problem_of
from evenhand.service.jobs import store
from evenhand.service.jobs.child import die_with_parent
from evenhand.service.jobs.context import Workplace
from evenhand.service.jobs.queue import APPLICATION, WORKFLOW, WORKFLOW_VERSION, dbos_url
from evenhand.service.jobs.reaper import take_over_from_the_dead
from evenhand.service.jobs.runner import Runner
from evenhand.service.jobs.tables import Worker

QUEUE_POLL_SECONDS = 0.2
STOP_WAIT_SECONDS = 1.0
MOST_SLOTS = 1000

log = logging.getLogger(__name__)


def work(config: Config) -> int:
    """Run jobs until SIGTERM or ctrl-C; returns the exit code.

    Raises:
        MigrationsPending: the PostgreSQL database is not at this version's migration.
        WorkerRunning: SQLite, and a worker runs already.
    """
    logging.basicConfig(level=config.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config.prepare_home()
    slot = _take_slot(config)
    executor_id = f"{socket.gethostname()}-{config.home_id()}-{slot.number}"
    database = Database(config.database_url)
    if config.embedded:
        migrate.upgrade(database)
    else:
        migrate.require_current(database)
    stopping = threading.Event()
    workplace = Workplace(
        config=config,
        database=database,
        artefacts=Artefacts(config.artefacts_url),
        executor_id=executor_id,
        stopping=stopping,
    )
    for end in (signal.SIGTERM, signal.SIGINT):
        signal.signal(end, lambda *_: stopping.set())
    _beat(workplace)
    running = _launch(workplace)
    try:
        while not stopping.wait(config.heartbeat_seconds):
            _tolerate(lambda: _beat(workplace))
            if not database.is_sqlite:
                _tolerate(lambda: take_over_from_the_dead(workplace))
    finally:
        stopping.set()
        running.wait_for_the_last(STOP_WAIT_SECONDS)
        _tolerate(lambda: _leave(workplace))
        database.dispose()
        logging.shutdown()
        sys.stdout.flush()
        # the threads of unfinished jobs are parked for good, so that the engine takes them up again at the next start
        os._exit(0)


class Running:
    """How many jobs run here now."""

    def __init__(self, run: Callable[[str], None]) -> None:
        self._run = run
        self._count = 0
        self._changed = threading.Condition()

    def __call__(self, job_id: str) -> None:
        with self._changed:
            self._count += 1
        try:
            self._run(job_id)
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait_for_the_last(self, seconds: float) -> None:
        """Let jobs that are just ending do so. Those in the middle never return, so the time is short."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, timeout=seconds)


def _launch(workplace: Workplace) -> Running:
    from dbos import DBOS, DBOSPortableJSONSerializer

    config = workplace.config
    running = Running(Runner(workplace).run)

    @DBOS.workflow(name=WORKFLOW)
    def run_job(job_id: str) -> None:
        running(job_id)

    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": dbos_url(workplace.database.url.render_as_string(hide_password=False)),
            "application_version": WORKFLOW_VERSION,
            "executor_id": workplace.executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "run_migrations": False,
            "log_level": config.log_level,
        }
    )
    DBOS.listen_queues(list(config.queues))
    DBOS.launch()
    for name in config.queues:
        DBOS.register_queue(
            name,
            worker_concurrency=config.worker_concurrency,
            polling_interval_sec=QUEUE_POLL_SECONDS,
            on_conflict="always_update",
        )
    return running


class Slot:
    """A number that no other process on this home has while this one lives: the kernel holds the lock."""

    def __init__(self, number: int, file: IO[str]) -> None:
        self.number = number
        self._file = file


def _take_slot(config: Config) -> Slot:
    for number in range(1 if config.embedded else MOST_SLOTS):
        path = config.home / f"worker-{number}.lock"
        file = path.open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        return Slot(number, file)
    raise WorkerRunning(config.home)


def _beat(workplace: Workplace) -> None:
    with workplace.database.writing() as session:
        store.beat(
            session,
            Worker(
                executor_id=workplace.executor_id,
                host=socket.gethostname(),
                pid=os.getpid(),
                queues=list(workplace.config.queues),
            ),
        )


def _leave(workplace: Workplace) -> None:
    with workplace.database.writing() as session:
        store.put_back(session, workplace.executor_id)
        store.retire(session, workplace.executor_id)


def _tolerate(action: Callable[[], object]) -> None:
    try:
        action()
    except OperationalError:
        log.warning("the database did not answer", exc_info=True)


def main() -> int:
    """What `serve` starts: a worker that ends with the process that started it."""
    die_with_parent(by=signal.SIGTERM)
    try:
        return work(Config.from_environment())
    except ServiceError as error:
        problem = problem_of(error)
        print(f"evenhand worker: {problem.detail}", file=sys.stderr)  # noqa: T201 - a program's last words
        return problem.exit_code


if __name__ == "__main__":
    sys.exit(main())
