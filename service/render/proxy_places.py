"""Where in the data a feature encodes: regions that were found, each beside everywhere else, apart from declared strata."""

from dataclasses import dataclass

from evenhand.auditors.report import ProxyAudit, ProxyFeature


@dataclass(frozen=True)
class Place:
    """A feature inside a region, and the same feature outside."""

    inside: ProxyFeature
    outside: ProxyFeature


def regions(audit: ProxyAudit, attribute: str) -> list[Place]:
    """Rows about a region that was searched for, which come with a row about all other people."""
    from evenhand.auditors.proxies.places import outside

    rows = {(row.feature, row.stratum): row for row in _inside(audit, attribute)}
    pairs = [(row, rows.get((row.feature, outside(row.stratum or "")))) for row in rows.values()]
    return [Place(row, elsewhere) for row, elsewhere in pairs if elsewhere is not None]


def strata(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    """Rows about strata that were declared, stratum by stratum."""
    found = {(row.feature, row.stratum) for place in regions(audit, attribute) for row in (place.inside, place.outside)}
    return [row for row in _inside(audit, attribute) if (row.feature, row.stratum) not in found]


def _inside(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    return [row for row in audit.features if row.attribute == attribute and row.stratum is not None]
