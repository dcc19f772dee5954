"""`evenhand serve`: the service with its worker."""

import click

from evenhand.service.cli.failing import Work, failing_clearly


@click.command("serve")
@click.option("--host", default=None, metavar="ADDRESS", help="Default: EVENHAND_HOST, else 127.0.0.1.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=None, metavar="N", help="Default: EVENHAND_PORT, else 8000."
)
def command(host: str | None, port: int | None) -> None:
    """Run the service: REST, dashboard and a worker, on an embedded database under EVENHAND_HOME.

    The first start prints an admin token, once. EVENHAND_DATABASE_URL names a PostgreSQL database instead.
    """
    with failing_clearly(Work("the service", "the service was not started")):
        from evenhand.service.config import Config
        from evenhand.service.serve import serve

        raise SystemExit(serve(Config.from_environment(), host, port))
