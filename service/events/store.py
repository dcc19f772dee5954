"""The queries of the event log."""

from typing import Any

from sqlalchemy.orm import Session

from evenhand.service.events.tables import Event


def record(session: Session, action: str, *, actor: str | None, subject: str | None, **detail: Any) -> None:
    """Add what happened to the log, in the caller's transaction: it is logged if and only if it is done."""
    session.add(Event(action=action, actor=actor, subject=subject, detail=detail))
