"""`evenhand worker`: one more worker for the queue."""

import click

from evenhand.service.cli.failing import Work, failing_clearly


@click.command("worker")
def command() -> None:
    """Run one more worker (PostgreSQL; an embedded database has the one that `serve` starts).

    EVENHAND_QUEUES=cpu,gpu says which jobs it takes.
    """
    with failing_clearly(Work("the worker", "no worker was started")):
        from evenhand.service.config import Config
        from evenhand.service.worker import work

        raise SystemExit(work(Config.from_environment()))
