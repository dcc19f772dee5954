import pytest
import sqlalchemy as sa
from alembic import command

from evenhand.service import migrate
from evenhand.service.db import Database
from evenhand.service.errors import MigrationsPending
from evenhand.service.migrate import _alembic
from evenhand.service.tables import METADATA


def test_migrations_make_the_tables_that_the_code_declares(empty_database: Database) -> None:
    """Alembic's autogenerate would find nothing to do."""
    migrate.upgrade(empty_database)

    with empty_database.engine.connect() as connection:
        command.check(_alembic(connection))


def test_upgrading_twice_changes_nothing(empty_database: Database) -> None:
    first = migrate.upgrade(empty_database)

    assert migrate.upgrade(empty_database) == first == migrate.head()


def test_downgrading_removes_every_table_of_ours(empty_database: Database) -> None:
    migrate.upgrade(empty_database)

    migrate.downgrade(empty_database)

    left = set(sa.inspect(empty_database.engine).get_table_names())
    assert left.isdisjoint(METADATA.tables)
    assert migrate.current(empty_database) is None


def test_a_database_without_tables_is_not_current(empty_database: Database) -> None:
    assert not migrate.is_current(empty_database)

    with pytest.raises(MigrationsPending, match="evenhand db upgrade"):
        migrate.require_current(empty_database)
