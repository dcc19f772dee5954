"""`evenhand doctor`: what works on this machine, and what to do where it does not."""

import sys
from collections.abc import Callable

import click


@click.command("doctor")
def command() -> None:
    """Say what works here. Exits 0 when audits can run, 2 when something they need is missing."""
    from evenhand.service.cli.failing import Work, failing_clearly

    failed = False
    with failing_clearly(Work("the check of this machine", "not everything was checked")):
        for name, check in CHECKS.items():
            try:
                good, text = True, check()
            except _Missing as missing:
                good, text = False, str(missing)
            failed |= not good
            click.echo(f"{'ok     ' if good else 'MISSING'} {name:<12} {text}")
    sys.exit(2 if failed else 0)


class _Missing(Exception):
    """Something that does not work, and what to do."""


def _package() -> str:
    from importlib import import_module
    from pathlib import Path

    import evenhand
    from evenhand import __version__

    for room in ("service", "auditors", "classifiers", "datasets", "migrations"):
        folder = Path(evenhand.__path__[0]) / room
        if not folder.is_dir():
            raise _Missing(
                f"{folder} is no folder: the checkout has no symbolic links. Clone with core.symlinks=true (on Windows: "
                "inside WSL), or install the wheel."
            )
    import_module("evenhand.auditors.report")
    return f"evenhand {__version__}, Python {sys.version.split()[0]}"


def _device() -> str:
    try:
        import torch
    except ImportError as error:
        raise _Missing(f"torch cannot be imported ({error}); networks need it. Install again: make install") from None
    if torch.cuda.is_available():
        return f"torch {torch.__version__}, GPU {torch.cuda.get_device_name(0)}"
    return f"torch {torch.__version__}, no GPU: networks run on the processor, with the same results"


def _sandbox() -> str:
    from evenhand.classifiers.confine.mode import confinement

    found = confinement()
    parts = (
        f"Landlock {found.landlock_abi or 'no'}",
        f"seccomp {'yes' if found.seccomp else 'no'}",
        f"bubblewrap {'not needed' if found.bwrap is None else 'yes' if found.bwrap else 'no'}",
    )
    if not found.is_enough:
        raise _Missing(
            f"{found.detail} ({', '.join(parts)}). Uploaded models are refused; predictions, endpoints and networks in "
            "safetensors can be audited. Use Linux 5.13 or later with Landlock, or install bubblewrap, or accept less "
            "with EVENHAND_SANDBOX=weak."
        )
    return f"{found.mode}: {found.detail} ({', '.join(parts)})"


def _datasets() -> str:
    from evenhand.datasets import builtin

    rows = sum(builtin.load(name).rows for name in builtin.names())
    return f"{len(builtin.names())} built-in sets, {rows:,} rows"


def _database() -> str:
    from evenhand.service import migrate
    from evenhand.service.config import Config
    from evenhand.service.db import Database

    config = Config.from_environment()
    if config.embedded and not config.home.exists():
        return f"none yet; `evenhand serve` makes one under {config.home}"
    database = Database(config.database_url)
    try:
        current = migrate.current(database)
    except Exception as error:
        raise _Missing(f"{database.url.render_as_string()} does not answer: {error}") from None
    finally:
        database.dispose()
    if current is not None and current != migrate.head() and not config.embedded:
        raise _Missing(f"at {current}, this version works with {migrate.head()}. Run `evenhand db upgrade`.")
    return f"{database.url.render_as_string()}, at {current or 'no revision'}"


CHECKS: dict[str, Callable[[], str]] = {
    "package": _package,
    "device": _device,
    "confinement": _sandbox,
    "data": _datasets,
    "database": _database,
}
