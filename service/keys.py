"""Keys of a document that pydantic describes: which one was meant where there is no such key."""

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from evenhand.auditors.errors import listed, nearest


def no_such_key(model: type[BaseModel], place: Sequence[str | int]) -> str:
    """What to say of a key that a document has and its model has not, with the nearest of those it has.

    Args:
        model: of the whole document.
        place: names and positions that lead to the key, which is the last.
    """
    *above, key = place
    known = {model}
    for part in above:
        fields = [each.model_fields[part] for each in known if isinstance(part, str) and part in each.model_fields]
        known = {each for field in fields for each in _models(field.annotation)} or known
    keys = sorted({alias or name for each in known for name, alias in _names(each)})
    near = nearest(str(key), keys).strip().replace("Did", "did")
    return f"there is no such key ({near or f'known are: {listed(keys, most=30)}'})"


def _names(model: type[BaseModel]) -> Iterator[tuple[str, str | None]]:
    return ((name, field.alias) for name, field in model.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
