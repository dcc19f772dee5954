"""Taking in a data set: received, opened as an audit would, kept; or refused, and nothing is left behind."""

from evenhand.service.artefacts import Spooled
from evenhand.service.current import Service
from evenhand.service.datasets.profiles import forget_profiles
from evenhand.service.datasets.store import Contents, StoredFile, add_dataset
from evenhand.service.datasets.tables import Dataset
from evenhand.service.jobs.process import Limits, run_child
from evenhand.service.retention import is_needed

CHILD = "evenhand.service.datasets.inspection"


def take_in(service: Service, spooled: Spooled, *, name: str, actor: str | None) -> Dataset:
    """Keep a file as a data set.

    Args:
        spooled: the file as received; its name tells its format.
        name: how to call it.
        actor: who sends it, for the log.

    Raises:
        FailedElsewhere: it cannot be opened; it says why.
        OutOfTime, ChildCrashed: opening it took too long, or took down the process.
    """
    seconds = service.config.inspection_timeout_seconds
    found = run_child(
        CHILD,
        [str(spooled.path), spooled.path.name],
        limits=Limits(seconds=seconds, told_seconds=seconds),
        log=service.config.logs / "uploads.log",
    )
    contents = Contents(**found)
    file = StoredFile(sha256=spooled.sha256, size_bytes=spooled.size_bytes)
    service.artefacts.put_file(spooled.path, file.sha256)
    try:
        with service.database.writing() as session:
            return add_dataset(
                session, name=name, filename=spooled.path.name, file=file, contents=contents, actor=actor
            )
    except BaseException:
        forget_unneeded(service, file.sha256)
        raise


def forget_unneeded(service: Service, sha256: str) -> None:
    """Delete a stored file that nothing has any more."""
    with service.database.writing() as session:
        # inside the write lock: an upload of the same bytes waits for it
        if not is_needed(session, sha256):
            service.artefacts.delete(sha256)
            forget_profiles(service, sha256)
