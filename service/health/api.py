"""/healthz, /readyz and /metrics, at the root of the address: for load balancers and monitors, without a token."""

import functools
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from evenhand import __version__
from evenhand.service import migrate
from evenhand.service.current import reading, service
from evenhand.service.jobs import store as jobs
from evenhand.service.jobs.tables import JobStatus
from evenhand.service.rest import JSON

api = APIBlueprint("health", __name__, tag="Health")

ANY_JSON = {JSON: {"schema": {"type": "object"}}}
TEXT = {"text/plain": {"schema": {"type": "string"}}}

# Any: APIFlask's type of `responses` is too narrow
ALIVE: Any = {"200": {"description": "The web process answers", "content": ANY_JSON}}
READY: Any = {
    "200": {"description": "Everything an audit needs is there", "content": ANY_JSON},
    "503": {"description": "Something is missing; `checks` says what", "content": ANY_JSON},
}
COUNTED: Any = {"200": {"description": "Counts in Prometheus' text format", "content": TEXT}}


@api.get("/healthz")
@api.doc(responses=ALIVE)
def healthy() -> Response:
    """Whether the web process answers."""
    return _json({"status": "ok", "version": __version__}, 200)


@api.get("/readyz")
@api.doc(responses=READY)
def ready() -> Response:
    """Whether audits can be taken and run: database, migrations, artefacts, worker, and how models are confined."""
    checks = {name: _checked(check) for name, check in CHECKS.items()}
    is_ready = all(check["ok"] for check in checks.values())
    return _json({"status": "ready" if is_ready else "not ready", "checks": checks}, 200 if is_ready else 503)


@api.get("/metrics")
@api.doc(responses=COUNTED)
def metrics() -> Response:
    """Jobs by status and live workers, in Prometheus' text format."""
    with reading() as session:
        counted = jobs.count_by_status(session)
        workers = jobs.live_workers(session, dead_after_seconds=service().config.dead_after_seconds)
    lines = [
        "# HELP evenhand_jobs Audits and trainings by status.",
        "# TYPE evenhand_jobs gauge",
        *(f'evenhand_jobs{{status="{status}"}} {counted.get(status, 0)}' for status in JobStatus),
        "# HELP evenhand_workers Workers with a heartbeat.",
        "# TYPE evenhand_workers gauge",
        f"evenhand_workers {len(workers)}",
        "# HELP evenhand_info Version.",
        "# TYPE evenhand_info gauge",
        f'evenhand_info{{version="{__version__}"}} 1',
    ]
    return Response("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")


def _database() -> str:
    with reading() as session:
        session.connection().exec_driver_sql("SELECT 1")
    return service().database.url.get_backend_name()


def _migrations() -> str:
    migrate.require_current(service().database)
    return migrate.head()


def _artefacts() -> str:
    service().artefacts.check()
    return "reachable"


def _worker() -> str:
    with reading() as session:
        workers = jobs.live_workers(session, dead_after_seconds=service().config.dead_after_seconds)
    if not workers:
        raise NoWorker()
    queues = sorted({queue for worker in workers for queue in worker.queues})
    return f"{len(workers)} with a heartbeat, taking {' and '.join(queues)} jobs"


@functools.cache
def _confinement() -> dict[str, Any]:
    # what the kernel offers does not change while we run
    from evenhand.classifiers.confine.mode import confinement

    found = confinement()
    said = asdict(found) | {"detail": f"{found.mode}: {found.detail}"}
    if not found.is_enough:
        said["detail"] += (
            ". Uploaded models are refused; predictions, endpoints and networks in safetensors are audited."
        )
    return said


class NoWorker(Exception):
    """No worker has a heartbeat."""

    def __init__(self) -> None:
        super().__init__("no worker has a heartbeat. `evenhand serve` starts one; `evenhand worker` starts more.")


CHECKS: dict[str, Callable[[], str | dict[str, Any]]] = {
    "database": _database,
    "migrations": _migrations,
    "artefacts": _artefacts,
    "worker": _worker,
    "confinement": _confinement,
}


def _checked(check: Callable[[], str | dict[str, Any]]) -> dict[str, Any]:
    try:
        found = check()
    except Exception as error:  # whatever is wrong is the answer
        return {"ok": False, "detail": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    return {"ok": True, **(found if isinstance(found, dict) else {"detail": found})}


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content), status=status, mimetype=JSON)
