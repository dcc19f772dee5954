"""Which data set a request means: one that was uploaded, by its id, or a built-in one, by its name."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from evenhand.service.datasets.tables import Dataset
from evenhand.service.errors import UnknownChoice


@dataclass(frozen=True)
class DatasetChoice:
    """The data set that is meant; `id` is None for a built-in one."""

    id: str | None
    name: str


def builtin_names() -> list[str]:
    """The names of the built-in sets, sorted."""
    from evenhand.datasets import builtin

    return sorted(builtin.names())


def choose_dataset(session: Session, named: str) -> DatasetChoice:
    """The data set of this id or built-in name.

    Raises:
        UnknownChoice: neither; nothing else is looked at, a path of the server least of all.
    """
    dataset = session.get(Dataset, named)
    if dataset is not None:
        return DatasetChoice(id=dataset.id, name=dataset.name)
    if named in builtin_names():
        return DatasetChoice(id=None, name=named)
    raise UnknownChoice("dataset", named, f"the id of an uploaded data set, or one of: {', '.join(builtin_names())}")
