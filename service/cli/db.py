"""`evenhand db`: the schema of the service's database."""

import click

from evenhand.service.cli.failing import Work, failing_clearly


@click.group("db")
def command() -> None:
    """Bring the database to this version's schema, or back. An embedded one is brought up by itself on start."""


@command.command("upgrade")
@click.option("--revision", default="head", show_default=True)
def upgrade(revision: str) -> None:
    """Bring the tables up to REVISION; safe to run twice."""
    with failing_clearly(Work("the upgrade of the database", "the database was not changed")):
        from evenhand.service import migrate
        from evenhand.service.cli.database import opened

        with opened(migrated=False) as database:
            click.echo(f"the database is at {migrate.upgrade(database, revision)}")


@command.command("downgrade")
@click.option("--revision", required=True, help="A revision, or `base` for none of our tables.")
@click.confirmation_option(prompt="This drops tables and what they hold. Go on?")
def downgrade(revision: str) -> None:
    """Take the tables back to REVISION, with what they hold."""
    with failing_clearly(Work("the downgrade of the database", "the database was not changed")):
        from evenhand.service import migrate
        from evenhand.service.cli.database import opened

        with opened(migrated=False) as database:
            click.echo(f"the database is at {migrate.downgrade(database, revision) or 'no revision'}")


@command.command("current")
def current() -> None:
    """Say at which revision the database is, and which this version works with."""
    with failing_clearly(Work("the look at the database", "nothing was read")):
        from evenhand.service import migrate
        from evenhand.service.cli.database import opened

        with opened(migrated=False) as database:
            click.echo(
                f"the database is at {migrate.current(database) or 'no revision'}; this version works with {migrate.head()}"
            )
