"""A PostgreSQL server for tests: the one that runs on this machine, or one started in a temporary folder."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

RUNNING = "postgresql://root@127.0.0.1:5432"
PACKAGES = Path("/usr/lib/postgresql")


class NoPostgres(Exception):
    """Neither a running server nor the programs to start one."""


@contextlib.contextmanager
def server() -> Iterator[str]:
    """The address of a server where databases may be made, without a database name. Raises NoPostgres."""
    if _answers(RUNNING):
        yield RUNNING
        return
    with _started() as address:
        yield address


@contextlib.contextmanager
def database(address: str, *, template: str | None = None) -> Iterator[str]:
    """A fresh database, dropped in the end."""
    name = f"evenhand_test_{uuid.uuid4().hex[:16]}"
    copied = f' TEMPLATE "{template}"' if template else ""
    _run(address, f'CREATE DATABASE "{name}"{copied}')
    try:
        yield f"{address}/{name}"
    finally:
        _run(address, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _run(address: str, statement: str) -> None:
    with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[arg-type]  # names are made here


def _answers(address: str) -> bool:
    try:
        psycopg.connect(f"{address}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def _started() -> Iterator[str]:
    programs = sorted(PACKAGES.glob("*/bin"))
    if not programs:
        raise NoPostgres("no PostgreSQL answers at 127.0.0.1:5432 and none is installed to start")
    # the server refuses to run as root
    user = "nobody" if os.geteuid() == 0 else None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="evenhand-postgres-"))
    try:
        if user:
            shutil.chown(folder, user)
        data = str(folder / "data")
        initialise = [str(programs[-1] / "initdb"), "-D", data, "-U", "root", "-A", "trust"]
        subprocess.run(initialise, check=True, capture_output=True, user=user, cwd=folder)
        options = f"-h 127.0.0.1 -p {port} -k {folder} -F"
        control = [str(programs[-1] / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log")]
        subprocess.run([*control, "-o", options, "start"], check=True, capture_output=True, user=user, cwd=folder)
        try:
            yield f"postgresql://root@127.0.0.1:{port}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(stop, check=True, capture_output=True, user=user, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
