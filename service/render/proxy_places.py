"""Where in the data features encode: regions that were found, each beside everywhere else, apart from declared strata."""

from dataclasses import dataclass

from evenhand.auditors.report import ProxyAudit, ProxyFeature, ProxySet


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


@dataclass(frozen=True)
class SetPlace:
    """A joint set inside a region, and the same set outside."""

    inside: ProxySet
    outside: ProxySet


def strata(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    """Rows about strata that were declared, stratum by stratum."""
    found = {(row.feature, row.stratum) for place in regions(audit, attribute) for row in (place.inside, place.outside)}
    return [row for row in _inside(audit, attribute) if (row.feature, row.stratum) not in found]


def set_regions(audit: ProxyAudit, attribute: str) -> list[SetPlace]:
    """As `regions`, of joint sets."""
    from evenhand.auditors.proxies.places import outside

    rows = {(*row.features, row.stratum): row for row in _sets_inside(audit, attribute)}
    pairs = [(row, rows.get((*row.features, outside(row.stratum or "")))) for row in rows.values()]
    return [SetPlace(row, elsewhere) for row, elsewhere in pairs if elsewhere is not None]


def set_strata(audit: ProxyAudit, attribute: str) -> list[ProxySet]:
    """As `strata`, of joint sets."""
    found = [row for place in set_regions(audit, attribute) for row in (place.inside, place.outside)]
    return [row for row in _sets_inside(audit, attribute) if row not in found]


def _inside(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    return [row for row in audit.features if row.attribute == attribute and row.stratum is not None]


def _sets_inside(audit: ProxyAudit, attribute: str) -> list[ProxySet]:
    return [row for row in audit.sets if row.attribute == attribute and row.stratum is not None]
