"""The service as processes: start, stop, a worker that is killed, two workers on PostgreSQL."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from evenhand.service import migrate
from evenhand.service.audits import store as audits
from evenhand.service.audits.representations import AuditSubmission
from evenhand.service.db import Database
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.jobs.tables import Job
from evenhand.service.reports.tables import ReportRow
from tests.service import postgres
from tests.service.running import SERVE, people, service
from tests.service.test_child_processes import is_running, wait_for


def test_everything_it_keeps_is_in_its_home(tmp_path: Path) -> None:
    home = tmp_path / "home"

    with service(home, HOME=str(tmp_path / "user")) as running:
        running.client.dataset(people())
        stopped = running.stop()

    assert stopped == 0
    assert (home / "evenhand.db").exists()
    assert oct((home / "secret_key").stat().st_mode)[-3:] == "600"
    assert not (tmp_path / "user").exists()


def test_the_first_token_is_shown_once_and_stays_good(tmp_path: Path) -> None:
    with service(tmp_path / "home") as first:
        token = first.client.token
        worker = first.worker_pid()
        first.stop()

    with service(tmp_path / "home", token=token) as second:
        said_again = [line for line in second.said if "Admin token" in line]
        answer = second.client.get("/api/v1/audits")

    assert not is_running(worker)
    assert said_again == []
    assert answer.status == 200


def test_a_port_in_use_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {**os.environ, "EVENHAND_HOME": str(tmp_path)}
        ended = subprocess.run(
            [sys.executable, "-c", SERVE, str(port)], env=environment, capture_output=True, text=True, check=False
        )

    assert ended.returncode != 0
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert f"--port {port + 1}" in ended.stderr


def test_an_audit_survives_the_death_of_its_worker_with_one_report(tmp_path: Path) -> None:
    with service(tmp_path / "home") as running:
        audit = running.client.submit(running.client.dataset(people(gap=0.3)))
        running.client.wait(f"/api/v1/audits/{audit}", until={"running"})

        os.kill(running.worker_pid(), signal.SIGKILL)

        done = running.client.wait(f"/api/v1/audits/{audit}", seconds=90)
        with running.database.reading() as session:
            reports = session.scalar(sa.select(sa.func.count()).select_from(ReportRow))
            attempts = session.get_one(Job, audit).attempts
    assert done["status"] == "succeeded"
    assert (reports, attempts) == (1, 2)


def test_an_audit_in_the_middle_goes_on_after_a_stop_in_good_order(tmp_path: Path) -> None:
    with service(tmp_path / "home") as first:
        audit = first.client.submit(first.client.dataset(people(gap=0.3)))
        first.client.wait(f"/api/v1/audits/{audit}", until={"running"})
        token = first.client.token
        first.stop()
        with first.database.reading() as session:
            left = session.get_one(Job, audit)

    with service(tmp_path / "home", token=token) as second:
        done = second.client.wait(f"/api/v1/audits/{audit}", seconds=90)
        with second.database.reading() as session:
            attempts = session.get_one(Job, audit).attempts

    assert left.status == "queued"
    assert (done["status"], attempts) == ("succeeded", 1)


def test_worker_and_web_server_end_when_serve_is_killed(tmp_path: Path) -> None:
    with service(tmp_path / "home") as running:
        worker = running.worker_pid()

        running.process.kill()
        running.process.wait()

        wait_for(lambda: not is_running(worker))
        port = int(running.client.address.rsplit(":", 1)[1])
        wait_for(lambda: not listens(port))


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.postgres
def test_another_worker_takes_over_from_one_that_is_killed(postgres_server: str, tmp_path: Path) -> None:
    with postgres.database(postgres_server) as url, contextlib.ExitStack() as stack:
        database = Database(url)
        stack.callback(database.dispose)
        migrate.upgrade(database)
        queue = JobQueue(url)
        stack.callback(queue.close)
        first = stack.enter_context(worker(url, tmp_path, "first"))
        with database.writing() as session:
            asked = AuditSubmission(dataset="compas", only=["group_disparity"])
            audit = audits.submit_audit(session, asked, queue=queue, actor=None)
        wait_for(lambda: status(database, audit.id) == "running")
        first.kill()
        first.wait()

        stack.enter_context(worker(url, tmp_path, "second"))

        wait_for(lambda: status(database, audit.id) in {"succeeded", "failed"}, seconds=90)
        with database.reading() as session:
            found = audits.get_audit(session, audit.id)
            assert (found.status, found.job.error) == ("succeeded", None)
            assert session.scalar(sa.select(sa.func.count()).select_from(ReportRow)) == 1


def status(database: Database, audit_id: str) -> str:
    with database.reading() as session:
        return audits.get_audit(session, audit_id).status


@contextlib.contextmanager
def worker(url: str, folder: Path, name: str):  # type: ignore[no-untyped-def]  # a process
    """A worker with a home of its own, as on a host of its own."""
    environment = {
        **os.environ,
        "EVENHAND_HOME": str(folder / name),
        "EVENHAND_ARTEFACTS_URL": (folder / "artefacts").as_uri(),
        "EVENHAND_DATABASE_URL": url,
        "EVENHAND_HEARTBEAT_SECONDS": "0.5",
        "EVENHAND_DEAD_AFTER_SECONDS": "2",
    }
    process = subprocess.Popen([sys.executable, "-m", "evenhand.service.worker"], env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=30)
