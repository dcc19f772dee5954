"""Opens the service's database for commands that act on it."""

from collections.abc import Iterator
from contextlib import contextmanager

from evenhand.service.config import Config
from evenhand.service.db import Database


@contextmanager
def opened(*, migrated: bool) -> Iterator[Database]:
    """The configured database, closed at the end.

    Args:
        migrated: bring an embedded database up first, and require a PostgreSQL one to be.

    Raises:
        MigrationsPending, BadSetting.
    """
    from evenhand.service import migrate

    config = Config.from_environment()
    config.prepare_home()
    database = Database(config.database_url)
    try:
        if migrated and config.embedded:
            migrate.upgrade(database)
        elif migrated:
            migrate.require_current(database)
        yield database
    finally:
        database.dispose()
