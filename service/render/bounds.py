"""Arranges what unknown rows could hide: one row a check, those whose answer they could turn first."""

from dataclasses import dataclass

from evenhand.auditors.report import GroupDisparity, UnknownBounds


@dataclass(frozen=True)
class BoundsTable:
    """What the rows without one attribute could hide."""

    attribute: str
    rows: list[UnknownBounds]

    @property
    def turned(self) -> int:
        return sum(row.straddles for row in self.rows)


def tables(audit: GroupDisparity) -> list[BoundsTable]:
    """One table an attribute, in the order of the report."""
    attributes = dict.fromkeys(bound.attribute for bound in audit.bounds or [])
    return [
        BoundsTable(name, sorted((b for b in audit.bounds or [] if b.attribute == name), key=lambda b: not b.straddles))
        for name in attributes
    ]
