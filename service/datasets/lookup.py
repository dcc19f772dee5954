"""Which data set a request means: one that was uploaded, by its id, or a built-in one, by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

from sqlalchemy.orm import Session

from evenhand.service.datasets.tables import Dataset
from evenhand.service.errors import UnknownChoice

if TYPE_CHECKING:
    from evenhand.datasets.card import DatasetCard


@dataclass(frozen=True)
class DatasetChoice:
    """The data set that is meant, and what is stored about it.

    Attributes:
        id: None for a built-in one.
        image_shape: height, width and channels of its pictures; None for tables, and where it is not stored.
        card: of a built-in one.
        values: of the columns that have few, by column.
    """

    id: str | None
    name: str
    kind: Literal["table", "images"] = "table"
    columns: tuple[str, ...] = ()
    image_shape: tuple[int, ...] | None = None
    card: "DatasetCard | None" = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)


def builtin_names() -> list[str]:
    """The names of the built-in sets, sorted."""
    from evenhand.datasets import builtin

    return sorted(builtin.names())


@cache
def builtin_choice(name: str) -> DatasetChoice:
    """A built-in set. It is opened once, for its columns and their values: it never changes."""
    from evenhand.datasets import builtin
    from evenhand.datasets.imageset import ImageSet
    from evenhand.datasets.profile import few_values

    data, card = builtin.load(name), builtin.card(name)
    if isinstance(data, ImageSet):
        shape = tuple(data.images.shape[1:])
        return DatasetChoice(None, name, "images", data.table.columns, shape, card, few_values(data.table))
    return DatasetChoice(None, name, "table", data.columns, None, card, few_values(data))


def choose_dataset(session: Session, named: str, *, within: str = "") -> DatasetChoice:
    """The data set of this id or built-in name.

    Args:
        named: as the request says.
        within: JSON pointer to what holds the field `dataset`, for the message.

    Raises:
        UnknownChoice: neither; nothing else is looked at, a path of the server least of all.
    """
    dataset = session.get(Dataset, named)
    if dataset is not None:
        shape = tuple(dataset.image_shape) if dataset.image_shape else None
        kind: Literal["table", "images"] = "images" if dataset.kind == "images" else "table"
        return DatasetChoice(dataset.id, dataset.name, kind, tuple(dataset.columns), shape, values=dataset.values or {})
    if named in builtin_names():
        return builtin_choice(named)
    wanted = f"the id of an uploaded data set, or one of: {', '.join(builtin_names())}"
    raise UnknownChoice("dataset", named, wanted, within=within)
