"""Bringing a database to the tables that this version works with, and back. The steps are in `migrations/`."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from evenhand.service.db import Database
from evenhand.service.errors import MigrationsPending
from evenhand.service.jobs.queue import dbos_url

_LOCK = 7240881
"""Key of the PostgreSQL advisory lock that keeps two upgrades apart."""


def upgrade(database: Database, revision: str = "head") -> str | None:
    """Bring the tables up to a revision, and the job engine's too; safe to run twice, and twice at once.

    Returns:
        The revision that the database is at.
    """
    with _locked(database) as connection:
        command.upgrade(_alembic(connection), revision)
    _upgrade_job_engine(database)
    return current(database)


def downgrade(database: Database, revision: str = "base") -> str | None:
    """Take the tables back to a revision, with what they hold. The job engine's tables stay."""
    with _locked(database) as connection:
        command.downgrade(_alembic(connection), revision)
    return current(database)


def current(database: Database) -> str | None:
    """The revision that the database is at; None where it has none of our tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this version works with."""
    found = ScriptDirectory.from_config(_alembic(None)).get_current_head()
    if found is None:
        raise RuntimeError("no migration is installed; the package is incomplete")
    return found


def is_current(database: Database) -> bool:
    return current(database) == head()


def require_current(database: Database) -> None:
    """Raise MigrationsPending where the database is not at this version's revision."""
    found = current(database)
    if found != head():
        raise MigrationsPending(found, head())


def _alembic(connection: sa.Connection | None) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", "evenhand:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _locked(database: Database) -> Iterator[sa.Connection]:
    engine = database.engine.execution_options(evenhand_writes=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        yield connection


def _upgrade_job_engine(database: Database) -> None:
    from dbos import run_dbos_database_migrations

    run_dbos_database_migrations(dbos_url(database.url.render_as_string(hide_password=False)))
