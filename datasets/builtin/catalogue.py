"""Which sets are built in, and how to get one; adding a set touches this tuple and adds a file."""

from typing import Protocol

from evenhand.datasets.builtin import adult, compas, digits, emoji_people, german
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.errors import UnknownDataset
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.table import Table


class _Builtin(Protocol):
    CARD: DatasetCard

    def load(self) -> Table | ImageSet: ...


_SETS: tuple[_Builtin, ...] = (adult, compas, german, digits, emoji_people)
_BY_NAME = {builtin.CARD.name: builtin for builtin in _SETS}


def names() -> tuple[str, ...]:
    """The names that load takes."""
    return tuple(_BY_NAME)


def card(name: str) -> DatasetCard:
    """The card of a built-in set, without loading its rows.

    Raises:
        UnknownDataset: there is none of that name.
    """
    return _found(name).CARD


def load(name: str) -> Table | ImageSet:
    """A built-in set with its card: a Table, or an ImageSet where the card's kind is "image".

    Raises:
        UnknownDataset: there is none of that name.
    """
    return _found(name).load()


def _found(name: str) -> _Builtin:
    if name not in _BY_NAME:
        raise UnknownDataset(name, names())
    return _BY_NAME[name]
