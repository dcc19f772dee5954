"""`evenhand serve`: brings the database up, starts the web server and a worker, and ends both when told to.

The web server is gunicorn with threads. This process only watches: it opens the socket, so that a port in use is told
at once, starts the worker again should it die, and passes SIGTERM and ctrl-C on.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

from evenhand.service import migrate
from evenhand.service.auth.store import count_tokens, create_token
from evenhand.service.auth.tables import Role
from evenhand.service.config import Config
from evenhand.service.db import Database
from evenhand.service.errors import PortInUse
from evenhand.service.jobs.child import PARENT_VARIABLE

READY_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 15
WATCH_EVERY_SECONDS = 0.5
BACKLOG = 512
WORKER_RESTART_SECONDS = (0.0, 1.0, 5.0, 15.0)
"""Pauses before a worker that died is started again; the last one from then on."""


def serve(config: Config, host: str | None = None, port: int | None = None) -> int:
    """Serve until SIGTERM or ctrl-C; returns the exit code.

    Raises:
        PortInUse: another program listens there.
        MigrationsPending: the PostgreSQL database is not at this version's migration.
    """
    config = replace(config, host=host or config.host, port=config.port if port is None else port)
    config.prepare_home()
    config.secret_key()
    with _listening(config.host, config.port) as listener:
        _prepare_database(config)
        return _Supervisor(config, listener).run()


def _prepare_database(config: Config) -> None:
    """Bring the tables up: SQLite here and now, PostgreSQL by `evenhand db upgrade` alone."""
    database = Database(config.database_url)
    try:
        if config.embedded:
            migrate.upgrade(database)
        else:
            migrate.require_current(database)
    finally:
        database.dispose()


def _first_token(config: Config) -> str | None:
    """The text of an admin token, made where there is no token at all; else None."""
    database = Database(config.database_url)
    try:
        with database.writing() as session:
            if count_tokens(session):
                return None
            return create_token(session, name="admin", role=Role.ADMIN, actor="serve").text
    finally:
        database.dispose()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise PortInUse(host, port, error.strerror or str(error)) from error
        listener.listen(BACKLOG)
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Supervisor:
    """The web server and the worker while they run."""

    def __init__(self, config: Config, listener: socket.socket) -> None:
        self._config = config
        self._listener = listener
        self._address = _address(listener)
        self._stopping = threading.Event()
        self._environment = {**os.environ, **_as_environment(config), PARENT_VARIABLE: str(os.getpid())}
        self._worker_deaths = 0

    def run(self) -> int:
        for end in (signal.SIGTERM, signal.SIGINT):
            signal.signal(end, lambda *_: self._stopping.set())
        web, worker = self._start_web(), self._start_worker()
        try:
            if not self._wait_until_ready(web):
                return 1
            self._greet()
            while not self._stopping.wait(WATCH_EVERY_SECONDS):
                if web.poll() is not None:
                    _say(f"the web server ended (code {web.returncode}), so evenhand ends too")
                    return 1
                if worker.poll() is not None:
                    worker = self._restart_worker(worker)
            return 0
        finally:
            _end(web, worker)

    def _start_web(self) -> "subprocess.Popen[bytes]":
        config = self._config
        handle = self._listener.fileno()
        command = [
            *(sys.executable, "-m", "gunicorn"),
            *("--bind", f"fd://{handle}"),
            *("--worker-class", "gthread"),
            *("--workers", str(config.web_processes)),
            *("--threads", str(config.web_threads)),
            *("--config", "python:evenhand.service.web_server"),
            *("--log-level", config.log_level.lower()),
            "evenhand.service.app:from_environment()",
        ]
        # of a session of its own, so that ctrl-C comes to it through us and once
        return subprocess.Popen(command, env=self._environment, pass_fds=[handle], start_new_session=True)

    def _start_worker(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "evenhand.service.worker"]
        return subprocess.Popen(command, env=self._environment, start_new_session=True)

    def _restart_worker(self, worker: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        pause = WORKER_RESTART_SECONDS[min(self._worker_deaths, len(WORKER_RESTART_SECONDS) - 1)]
        self._worker_deaths += 1
        _say(f"the worker ended (code {worker.returncode}); starting it again in {pause:.0f} s")
        if self._stopping.wait(pause):
            return worker
        return self._start_worker()

    def _wait_until_ready(self, web: "subprocess.Popen[bytes]") -> bool:
        until = time.monotonic() + READY_WITHIN_SECONDS
        while time.monotonic() < until and not self._stopping.is_set():
            if web.poll() is not None:
                _say(f"the web server did not start (code {web.returncode})")
                return False
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(f"{self._reachable()}/healthz", timeout=5).close()
                return True
            self._stopping.wait(0.1)
        return self._stopping.is_set()

    def _reachable(self) -> str:
        return self._address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")

    def _greet(self) -> None:
        if self._stopping.is_set():
            return
        # made once it can be shown: a server that failed to start would take it to the grave
        token = _first_token(self._config)
        if token is not None:
            _say("")
            _say(f"Admin token: {token}")
            _say("It is shown this once. Keep it: sign in with it, and send it as `Authorization: Bearer …`.")
            _say("")
        _say(f"evenhand is at {self._address}")
        kept = "Everything it keeps" if self._config.embedded else "What it keeps beside its database"
        _say(f"{kept} is in {self._config.home}. Press ctrl-C to stop.")


def _as_environment(config: Config) -> dict[str, str]:
    """The settings that the two processes must share with us, however we came by them."""
    return {
        "EVENHAND_HOME": str(config.home),
        "EVENHAND_DATABASE_URL": config.database_url,
        "EVENHAND_ARTEFACTS_URL": config.artefacts_url,
        "EVENHAND_MAX_UPLOAD_BYTES": str(config.max_upload_bytes),
        "EVENHAND_WEB_PROCESSES": str(config.web_processes),
        "EVENHAND_WEB_THREADS": str(config.web_threads),
        "EVENHAND_WORKER_CONCURRENCY": str(config.worker_concurrency),
        "EVENHAND_QUEUES": ",".join(config.queues),
        "EVENHAND_JOB_TIMEOUT_SECONDS": str(config.job_timeout_seconds),
        "EVENHAND_INSPECTION_TIMEOUT_SECONDS": str(config.inspection_timeout_seconds),
        "EVENHAND_HEARTBEAT_SECONDS": str(config.heartbeat_seconds),
        "EVENHAND_DEAD_AFTER_SECONDS": str(config.dead_after_seconds),
        "EVENHAND_SECURE_COOKIES": "1" if config.secure_cookies else "0",
        "EVENHAND_LOG_LEVEL": config.log_level,
    }


def _end(*processes: "subprocess.Popen[bytes]") -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + STOP_WITHIN_SECONDS
    for process in processes:
        try:
            process.wait(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - what `evenhand serve` says
