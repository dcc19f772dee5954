"""Arranges what unknown rows could hide: one row a check, those whose answer they could turn first."""

from dataclasses import dataclass

from evenhand.auditors.report import GroupDisparity, Report, UnknownBounds
from evenhand.service.render import checks, words


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


def lines(report: Report) -> list[str]:
    """For outputs of a few lines: which gated checks rest on who the rows without an attribute are."""
    audit = report.audits.group_disparity
    gated = {(check.finding.attribute, check.finding.metric) for check in checks.gated(report)}
    said = []
    for table in tables(audit) if audit is not None else []:
        turned = [
            words.metric(row.metric) for row in table.rows if row.straddles and (table.attribute, row.metric) in gated
        ]
        if turned:
            missing = max(row.unknown for row in table.rows)
            rows = words.plural(missing, "row has", "rows have")
            said.append(
                f"{words.first_upper(rows)} no {table.attribute}: who they are could turn {' and '.join(turned)}, whatever "
                "is proven of the rows that have it."
            )
    return said
