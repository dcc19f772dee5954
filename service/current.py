"""What a request works with: the service's parts and its sessions. Wiring them up belongs to `app`."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

from evenhand.service.artefacts import Artefacts
from evenhand.service.config import Config
from evenhand.service.db import Database
from evenhand.service.jobs.queue import JobQueue

EXTENSION = "evenhand"


@dataclass(frozen=True)
class Service:
    """The parts that every route and page may use."""

    config: Config
    database: Database
    artefacts: Artefacts
    queue: JobQueue


def service() -> Service:
    """The parts of the application that answers this request."""
    return cast(Service, current_app.extensions[EXTENSION])


@contextlib.contextmanager
def reading() -> Iterator[Session]:
    """`with reading() as session:` a session that changes nothing."""
    with service().database.reading() as session:
        yield session


@contextlib.contextmanager
def writing() -> Iterator[Session]:
    """`with writing() as session:` one transaction, committed at the end."""
    with service().database.writing() as session:
        yield session
