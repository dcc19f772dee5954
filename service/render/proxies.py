"""Arranges the proxy audit for its map and its table."""

from evenhand.auditors.report import Encodes, ProxyAudit, ProxyFeature
from evenhand.service.render import charts, words

_BY_ROLE = ("proxy", "joint_proxy", "masking", "latent_proxy", "neutral")


def attributes(audit: ProxyAudit) -> list[str]:
    return list(dict.fromkeys(feature.attribute for feature in audit.features))


def features(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    """The pooled row of every feature, those that need justification first."""
    pooled = [row for row in audit.features if row.attribute == attribute and row.stratum is None]
    return sorted(pooled, key=lambda row: (_BY_ROLE.index(row.role), -abs(row.contribution.estimate or 0.0)))


def strata(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    """The rows that are about one stratum."""
    return [row for row in audit.features if row.attribute == attribute and row.stratum is not None]


def strength(encodes: Encodes) -> float | None:
    """How much is encoded, whichever way round: .2 as much as .8."""
    return None if encodes.auc is None else max(encodes.auc, 1 - encodes.auc)


def proxy_map(audit: ProxyAudit, attribute: str) -> charts.ProxyMap:
    """Encodes against contribution; features with an undefined number are in the table alone."""
    placed = []
    for row in features(audit, attribute):
        encodes = strength(row.encodes)
        if encodes is not None and row.contribution.estimate is not None:
            placed.append(
                (row.feature, encodes, row.contribution.estimate, row.flip_rate or 0.0, words.TONES[row.role])
            )
    return charts.proxy_map(placed)


def needing_justification(audit: ProxyAudit, attribute: str) -> list[str]:
    return [row.feature for row in features(audit, attribute) if row.role in ("proxy", "joint_proxy", "masking")]
