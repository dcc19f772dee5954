"""Lists in pages: newest first, the place to go on kept in a cursor that callers do not read."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from evenhand.service.errors import BadCursor

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows, and the cursor of the rest; None where there is no more."""

    items: list[Row]
    next: str | None


def page(
    session: Session,
    query: sa.Select[Any],
    *,
    made: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[str],
    limit: int = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[Any]:
    """One page of a query's rows, by `made` and then `key`, both descending.

    Raises:
        BadCursor: the cursor is not one.
    """
    if cursor:
        moment, last = _decode(cursor)
        query = query.where(sa.or_(made < moment, sa.and_(made == moment, key < last)))
    limit = max(1, min(limit, MAX_LIMIT))
    rows = list(session.scalars(query.order_by(made.desc(), key.desc()).limit(limit + 1)).unique())
    more = len(rows) > limit
    rows = rows[:limit]
    get: Callable[[Any], str] = lambda row: _encode(getattr(row, made.key), getattr(row, key.key))  # noqa: E731
    return Page(items=rows, next=get(rows[-1]) if more else None)


def _encode(moment: datetime, key: str) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {key}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> tuple[datetime, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, key = base64.urlsafe_b64decode(padded.encode("ascii")).decode().split(" ")
        return datetime.fromisoformat(moment), key
    except (ValueError, binascii.Error) as error:
        raise BadCursor(cursor) from error
