"""What Alembic runs for every command. `evenhand.service.migrate` hands in the connection; there is no alembic.ini."""

from alembic import context

from evenhand.service.db import UtcDateTime
from evenhand.service.tables import METADATA


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """The job engine keeps its tables in the same SQLite file and migrates them itself."""
    return kind != "table" or name in METADATA.tables


def render_item(kind: str, item: object, _autogenerate: object) -> str | bool:
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        include_name=include_name,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    # the caller's transaction holds the lock that keeps two upgrades apart
    context.run_migrations()


run()
