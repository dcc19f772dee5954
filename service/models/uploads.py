"""Taking in a model: received, loaded in a confined process, kept; or refused, and nothing is left behind."""

from evenhand.service.artefacts import Spooled, spool
from evenhand.service.current import Service
from evenhand.service.datasets.store import StoredFile
from evenhand.service.datasets.uploads import forget_unneeded
from evenhand.service.jobs.process import Limits, run_child
from evenhand.service.models.documents import EndpointRequest
from evenhand.service.models.store import add_model
from evenhand.service.models.tables import Model

CHILD = "evenhand.service.models.inspection"


def take_in_endpoint(service: Service, endpoint: EndpointRequest, *, name: str | None, actor: str | None) -> Model:
    """Keep the description of an endpoint as a model. It names the variables that hold secrets, and no secret.

    Raises:
        FailedElsewhere: BadEndpoint or EndpointRefused, as told by the process that read it.
    """
    content = endpoint.model_dump_json(exclude_none=True).encode()
    with spool(
        [content],
        folder=service.config.work,
        filename="endpoint.json",
        limit_bytes=service.config.max_upload_bytes,
        announced_bytes=len(content),
    ) as spooled:
        return take_in(service, spooled, name=name or endpoint.url.partition("?")[0][:200], actor=actor)


def take_in(service: Service, spooled: Spooled, *, name: str, actor: str | None) -> Model:
    """Keep a file as a model.

    Args:
        spooled: the file as received; its bytes tell its format.
        name: how to call it.
        actor: who sends it, for the log.

    Raises:
        FailedElsewhere: it is of a format that can run code, or cannot be loaded; it says which, and what to do.
        OutOfTime, ChildCrashed: loading it took too long, or took down the process.
    """
    seconds = service.config.inspection_timeout_seconds
    description = run_child(
        CHILD,
        [str(spooled.path), spooled.path.name],
        limits=Limits(seconds=seconds, told_seconds=seconds),
        log=service.config.logs / "uploads.log",
    )
    file = StoredFile(sha256=spooled.sha256, size_bytes=spooled.size_bytes)
    service.artefacts.put_file(spooled.path, file.sha256)
    try:
        with service.database.writing() as session:
            return add_model(
                session, name=name, filename=spooled.path.name, file=file, description=description, actor=actor
            )
    except BaseException:
        forget_unneeded(service, file.sha256)
        raise
