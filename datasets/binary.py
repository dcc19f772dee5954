"""A column as no and yes: which value counts as positive; several classes are GroupCodes."""

import numpy as np
from numpy.typing import NDArray

from evenhand.datasets.errors import NotBinary, UnknownPositive
from evenhand.datasets.groups import GroupCodes
from evenhand.datasets.place import Place

TRUTH = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}
"""Spellings, in small letters, that are understood without a declared positive value."""


def encode_binary(groups: GroupCodes, place: Place, positive: str | None) -> NDArray[np.int8]:
    """1 where the value is the positive one, else 0; int8 of shape (n,).

    Raises:
        MissingValue: some row has no value.
        NotBinary: positive is None and the values are not 0 and 1, or false and true.
        UnknownPositive: positive never occurs.
    """
    if groups.has_missing:
        raise place.missing(groups.missing)
    is_positive = _truths(groups.names, place) if positive is None else _matches(groups.names, place, positive)
    return np.array(is_positive, np.int8)[groups.codes]


def _truths(names: tuple[str, ...], place: Place) -> list[bool]:
    if not all(name.lower() in TRUTH for name in names):
        raise NotBinary(place.column, names)
    return [TRUTH[name.lower()] for name in names]


def _matches(names: tuple[str, ...], place: Place, positive: str) -> list[bool]:
    exact = [name == positive for name in names]
    if any(exact):
        return exact
    wanted = TRUTH.get(positive.lower())
    if wanted is not None and all(name.lower() in TRUTH for name in names):
        same_truth = [TRUTH[name.lower()] is wanted for name in names]
        if any(same_truth):
            return same_truth
    same_number = [_number(name) is not None and _number(name) == _number(positive) for name in names]
    if any(same_number):
        return same_number
    raise UnknownPositive(place.column, positive, names)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
