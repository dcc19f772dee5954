"""The command line. Each command lives in a module of its own and is imported only when it is called."""

import os
import sys
from importlib import import_module

import click

COMMANDS = {
    "audit": "Audit predictions, or a model and data, and answer with an exit code.",
    "train": "Train a classifier on a data set and save it.",
    "verify": "Check that a report says what its data say: digests, arithmetic, gate.",
    "compare": "Show what changed between two reports.",
    "plan": "Say how many rows a group it takes, before any data.",
    "import": "Turn another tool's configuration into evenhand.toml.",
    "serve": "Run the service: REST, dashboard and a worker.",
    "worker": "Run one more worker for the service's queue.",
    "demo": "Audit real data with real models, from training to report.",
    "datasets": "List the built-in data sets, show the card of one, or describe your own.",
    "metrics": "Explain the metrics: formula, range, when undefined, source.",
    "doctor": "Say what works here: devices, confinement, database.",
    "token": "Create, list and revoke API tokens.",
    "db": "Bring the database to this version's schema, or back.",
}

MODULES = {"import": "importing"}
"""Commands whose module cannot be called as they are."""


class LazyGroup(click.Group):
    """Lists commands by the table above and imports a command's module when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"evenhand.service.cli.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from evenhand.auditors.errors import nearest

            hint = nearest(args[0], COMMANDS)
            raise click.UsageError(f"there is no command '{args[0]}'.{hint} `evenhand --help` lists them.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="evenhand", prog_name="evenhand")
def cli() -> None:
    """evenhand audits classifiers for algorithmic bias and says what it can prove.

    Exit codes: 0 every strict check proven within, 1 a disparity is proven, 2 wrong input, 3 inconclusive, 4 failed.
    """


def main() -> None:
    """The console script.

    What click would end with 1 (stopped by the keyboard, before a command is there) ends with 130: 1 is a verdict.
    """
    # where a caller has closed them, printing would fail, and the first file opened would take their place
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    try:
        ended = cli.main(prog_name="evenhand", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("error: stopped; nothing was done", err=True)
        sys.exit(130)
    sys.exit(ended if isinstance(ended, int) else 0)
