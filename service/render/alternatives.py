"""Other choices that the proxy audit tried, for people to read: those proven less discriminatory first."""

from evenhand.auditors.report import ProxyAudit, WhatIf, WhatIfChange
from evenhand.service.render import numbers, words

ACTIONS = {"permute": "shuffled", "neutralise": "neutralised", "retrain": "left out, trained anew"}
METRICS = ("accuracy", "demographic_parity_difference", "equalized_odds_difference")
MOST_GROUPS = 5
"""Groups named beside a choice, the largest; the others are in the JSON."""


def choices(audit: ProxyAudit, attribute: str) -> list[WhatIf]:
    """All that were tried for this attribute: what is proven first, else in the report's order."""
    mine = [row for row in audit.what_if if row.attribute == attribute]
    return sorted(mine, key=lambda row: row.alternative != "proven")


def proven(audit: ProxyAudit, attribute: str) -> list[WhatIf]:
    """Choices with a smaller gap by proof, and accuracy not worse by more than the margin."""
    return [row for row in choices(audit, attribute) if row.alternative == "proven"]


def changes(row: WhatIf, metric: str) -> list[WhatIfChange]:
    """Against the audited classifier first, then against one trained in the same way with all features."""
    mine = [change for change in row.changes if change.metric == metric]
    return sorted(mine, key=lambda change: change.against != "model")


def whose(row: WhatIf) -> list[str]:
    """'Female: .012 to positive, .026 to negative': shares of each group whose decisions change."""
    largest = sorted(row.groups, key=lambda group: -group.n)[:MOST_GROUPS]
    said = [
        f"{words.group(group.group)}: {numbers.short(group.to_positive)} to positive, "
        f"{numbers.short(group.to_negative)} to negative"
        for group in largest
    ]
    left_out = len(row.groups) - len(largest)
    return said + ([f"and {words.plural(left_out, 'smaller group')}"] if left_out else [])


def how(row: WhatIf) -> str:
    """'neutralised', or what was trained anew and whether it stands in for the audited kind."""
    if row.classifier is None:
        return ACTIONS[row.action]
    return f"{ACTIONS[row.action]} ({row.classifier}{', in place of the audited kind' if row.stand_in else ''})"


def line(audit: ProxyAudit, attribute: str) -> str:
    """The proven alternative with the smallest gap, on one line; empty where none is proven."""
    found = proven(audit, attribute)
    if not found:
        return ""
    best = min(found, key=_gap_change)
    said = ", ".join(
        f"{name} {numbers.short(change.before)} to {numbers.short(change.after)}"
        for name, metric in (("gap", METRICS[1]), ("accuracy", METRICS[0]))
        for change in changes(best, metric)[:1]
    )
    more = f"; {words.number_word(len(found) - 1)} more proven" if len(found) > 1 else ""
    return f"{attribute}: {' and '.join(best.features)} {ACTIONS[best.action]}: {said}{more}"


def _gap_change(row: WhatIf) -> float:
    gaps = changes(row, METRICS[1])
    return gaps[0].change.estimate or 0.0 if gaps else 0.0
