"""Databases of both kinds, and a service that runs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evenhand.service import migrate
from evenhand.service.db import Database
from evenhand.service.jobs.queue import JobQueue
from evenhand.service.tables import METADATA
from tests.service import postgres
from tests.service.running import Client, Service, service

MAX_UPLOAD_BYTES = 2_000_000
ENDPOINTS = {
    "EVENHAND_ENDPOINT_HOSTS": "127.0.0.1",
    "EVENHAND_ENDPOINT_LOOPBACK": "1",
    "EVENHAND_ENDPOINT_KEY": "Bearer sesame",
}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    try:
        with postgres.server() as address:
            yield address
    except postgres.NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "evenhand.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database)
    database.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    with postgres.database(postgres_server) as url:
        database = Database(url)
        migrate.upgrade(database)
        database.dispose()
        yield url


BACKENDS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.dispose()
        return
    with postgres.database(request.getfixturevalue("postgres_server")) as url:
        database = Database(url)
        yield database
        database.dispose()


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with all tables, and nothing in them but the default project."""
    if request.param == "sqlite":
        path = tmp_path / "evenhand.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), path)
        database = Database(f"sqlite:///{path}")
        yield database
        database.dispose()
        return
    database = Database(request.getfixturevalue("migrated_postgres"))
    yield database
    emptied = [f'"{name}"' for name in METADATA.tables if name != "projects"] + ["dbos.workflow_status"]
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(emptied)} CASCADE")
    database.dispose()


@pytest.fixture
def queue(database: Database) -> Iterator[JobQueue]:
    queue = JobQueue(database.url.render_as_string(hide_password=False))
    yield queue
    queue.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service on SQLite for all tests that leave it as they found it."""
    home = tmp_path_factory.mktemp("home")
    with service(home, EVENHAND_MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES), **ENDPOINTS) as found:
        yield found


@pytest.fixture
def client(running: Service) -> Client:
    return running.client


@pytest.fixture
def anonymous(running: Service) -> Client:
    return Client(running.client.address)
