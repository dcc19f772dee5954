"""Arranges the proxy audit for its map, its table and its features."""

from evenhand.auditors.policy import INTERSECTION_SIGN
from evenhand.auditors.report import Encodes, ExplainedGap, Leakage, ProxyAudit, ProxyFeature, ProxySet, Report
from evenhand.service.render import alternatives, numbers, profile_chart, proxy_map, proxy_places, words

_BY_ROLE = ("proxy", "joint_proxy", "masking", "latent_proxy", "neutral")
_IN_A_REGION, _MEMBER = 0.25, 0.5
"""How far behind its role a row stands: one of a region, and a feature that does not encode without its set."""
_ASKING = ("proxy", "joint_proxy", "masking")
ENCODES_FROM = 0.60
"""Area, or its mirror, from which a feature counts as encoding an attribute."""
MOST_NAMED = 4


def attributes(audit: ProxyAudit) -> list[str]:
    return list(dict.fromkeys(feature.attribute for feature in audit.features))


def ranked(audit: ProxyAudit, attribute: str) -> list[ProxyFeature | ProxySet]:
    """Features and sets, of all rows and of the regions that were found: those that most need justification first.

    Proxies, joint proxies, both of regions, masking; then latent ones, then neutral ones. Among equals the larger part of
    the gap comes first. The attribute itself is before everything, and the members of a set, which do not encode alone,
    are behind everything else that needs justification.
    """
    pooled = [row for row in audit.features if row.attribute == attribute and row.stratum is None]
    joint, own = sets(audit, attribute), received(audit, attribute)
    members = _in_sets(audit, attribute)
    rows: list[ProxyFeature | ProxySet] = [*pooled, *joint, *in_regions(audit, attribute)]
    return sorted(
        rows,
        key=lambda row: (
            row.stratum is not None or name_in(row) not in own,
            _place_in_line(row, members),
            -abs(row.contribution.estimate or 0.0),
            -(strength(row.encodes) or 0.0),
        ),
    )


def _place_in_line(row: ProxyFeature | ProxySet, members: set[str]) -> float:
    masking, joint = _BY_ROLE.index("masking"), _BY_ROLE.index("joint_proxy")
    place = _BY_ROLE.index(row.role)
    if row.stratum is not None:
        return joint + _IN_A_REGION if row.role in _ASKING else place + _IN_A_REGION
    if name_in(row) in members and row.role not in ("proxy", "neutral"):
        return max(place, masking) + _MEMBER
    return place


def _in_sets(audit: ProxyAudit, attribute: str) -> set[str]:
    """Features of the sets found over all rows."""
    return {name for found in sets(audit, attribute) for name in found.features}


def features(audit: ProxyAudit, attribute: str) -> list[ProxyFeature]:
    """The pooled row of every feature, ranked."""
    return [row for row in ranked(audit, attribute) if isinstance(row, ProxyFeature) and row.stratum is None]


def sets(audit: ProxyAudit, attribute: str) -> list[ProxySet]:
    """The joint sets found over all rows; those of strata and regions belong in `proxy_places`."""
    return [found for found in audit.sets if found.attribute == attribute and found.stratum is None]


def received(audit: ProxyAudit, attribute: str) -> list[str]:
    """Features that are the attribute itself, or a part of an intersection."""
    names = {row.feature for row in audit.features}
    return [name for name in dict.fromkeys((attribute, *attribute.split(INTERSECTION_SIGN))) if name in names]


def strength(encodes: Encodes) -> float | None:
    """How much is encoded, whichever way round: .2 as much as .8."""
    return None if encodes.auc is None else max(encodes.auc, 1 - encodes.auc)


def the_map(audit: ProxyAudit, attribute: str) -> proxy_map.ProxyMap:
    """Encodes against contribution; features with an undefined number are in the table alone."""
    marks = [_mark(row, row.feature, row.flip_rate or 0.0) for row in features(audit, attribute)]
    marks += [_mark(found, set_name(found), 0.0, tuple(found.features)) for found in sets(audit, attribute)]
    return proxy_map.place([mark for mark in marks if mark is not None])


def map_in_words(audit: ProxyAudit, attribute: str) -> str:
    """What somebody hears who does not see the map: its three most telling features."""
    said = [
        f"{row.feature} encodes {numbers.short(strength(row.encodes), 2)} and contributes "
        f"{numbers.short(row.contribution.estimate)}"
        for row in features(audit, attribute)
        if strength(row.encodes) is not None and row.contribution.estimate is not None
    ]
    return f"Proxy map for {attribute}: {'; '.join(said[:3])}. All numbers are in the table"


def mark_in_words(mark: proxy_map.Mark) -> str:
    between = numbers.span(mark.low, mark.high, text="sentence")
    return (
        f"{mark.name}: encodes {numbers.short(mark.encodes, 2)}, contributes {numbers.short(mark.contribution)}"
        + (f" ({between})" if between else "")
        + ("" if mark.members else f", turns {numbers.short(mark.use)} of decisions")
    )


def set_name(found: ProxySet) -> str:
    return " & ".join(found.features)


def profiles(audit: ProxyAudit, attribute: str) -> list[tuple[ProxyFeature, profile_chart.ProfileChart]]:
    """The features that have a profile, each with its chart."""
    rows = features(audit, attribute)
    return [(row, profile_chart.chart(row.profile)) for row in rows if row.profile and row.profile.cells]


def message(report: Report, row: ProxyFeature | ProxySet) -> str:
    """The finding about the row's block or set, in words; empty where there is none."""
    is_set = isinstance(row, ProxySet)
    name = f"proxy/contribution/{row.attribute}/{set_name(row) if is_set else ' + '.join(row.block)}"
    return next((finding.message for finding in report.findings if finding.id == name), "")


def needing_justification(audit: ProxyAudit, attribute: str) -> list[str]:
    """'deposit & tenure where region = north', 'zip': features and sets, of all rows and of regions that were found."""
    return [placed_name(row) for row in ranked(audit, attribute) if row.role in _ASKING]


def in_regions(audit: ProxyAudit, attribute: str) -> list[ProxyFeature | ProxySet]:
    """The rows inside the regions that were found."""
    alone = [place.inside for place in proxy_places.regions(audit, attribute)]
    return [*alone, *(place.inside for place in proxy_places.set_regions(audit, attribute))]


def name_in(row: ProxyFeature | ProxySet) -> str:
    return set_name(row) if isinstance(row, ProxySet) else row.feature


def placed_name(row: ProxyFeature | ProxySet) -> str:
    return name_in(row) if row.stratum is None else f"{name_in(row)} where {row.stratum}"


def asking(report: Report, audit: ProxyAudit, attribute: str) -> list[str]:
    """What needs justification, in words: a block of several features once, sets, and what does so in a region.

    Proven alternatives are left to `alternatives`, which says them first.
    """
    known = [choice.message for choice in alternatives.proven(audit, attribute)]
    said = [
        _without(message(report, row), known) if row.stratum is None else _in_a_region(row)
        for row in ranked(audit, attribute)
        if row.role in _ASKING
    ]
    return [text for text in dict.fromkeys(said) if text]


def meaning(row: ProxyFeature) -> str:
    """What the role says of this row; a note says it better where there is one."""
    if row.role == "neutral" or row.note:
        return ""
    if row.role != "latent_proxy":
        return words.ROLES[row.role]
    if row.flip_rate is None or row.contribution.estimate is None:
        return "encodes the attribute"
    return "encodes the attribute; " + ("no decision changed" if row.flip_rate == 0 else "hardly used")


def row_in_words(audit: ProxyAudit, row: ProxyFeature | ProxySet) -> str:
    """'encodes .754, turns .114 of decisions, part of the gap .097 (.086 to .109)', as far as it is known.

    Of a set 'together encode .635, ...'; in a region 'encodes .954 there, .525 elsewhere, part of the gap there ...'.
    """
    several, there = isinstance(row, ProxySet), "" if row.stratum is None else " there"
    said = [f"{'together encode' if several else 'encodes'} {numbers.short(row.encodes.auc)}{there}"]
    if (other := _elsewhere(audit, row)) is not None:
        said.append("not told elsewhere" if other.auc is None else f"{numbers.short(other.auc)} elsewhere")
    if isinstance(row, ProxyFeature) and row.flip_rate is None:
        return f"{', '.join(said)}; whether decisions use it is not known"
    if isinstance(row, ProxyFeature) and row.flip_rate is not None and row.stratum is None:
        said.append(f"turns {numbers.short(row.flip_rate)} of decisions")
    part = row.contribution
    if part.estimate is None:
        return f"{', '.join(said)}; {'their' if several else 'its'} part of the gap{there} is not known"
    between = numbers.span(part.low, part.high, text="sentence")
    said.append(f"part of the gap{there} {numbers.short(part.estimate)}" + (f" ({between})" if between else ""))
    return ", ".join(said)


def _elsewhere(audit: ProxyAudit, row: ProxyFeature | ProxySet) -> Encodes | None:
    """What the row of a region encodes outside it; None of every other row."""
    alone = {id(place.inside): place.outside.encodes for place in proxy_places.regions(audit, row.attribute)}
    together = {id(place.inside): place.outside.encodes for place in proxy_places.set_regions(audit, row.attribute)}
    return (alone | together).get(id(row))


def not_excluded(audit: ProxyAudit, attribute: str) -> list[str]:
    """Neutral features whose interval reaches to where encoding starts: more rows might show it."""
    return [row.feature for row in features(audit, attribute) if row.role == "neutral" and _reaches(row.encodes)]


def none_in_words(audit: ProxyAudit, attribute: str) -> str:
    """What a search that found nothing says, and of which features it says nothing."""
    may = not_excluded(audit, attribute)
    named = ", ".join(may[:MOST_NAMED]) + (f" and {len(may) - MOST_NAMED} more" if len(may) > MOST_NAMED else "")
    return "no feature is shown to encode it" + (f"; with these rows it is not excluded of {named}" if may else "")


def leaks(audit: ProxyAudit, attribute: str) -> list[Leakage]:
    return [leak for leak in audit.leakage if leak.attribute == attribute]


def brief(audit: ProxyAudit, attribute: str) -> list[str]:
    """What a summary says: proven alternatives first, then what needs justification, or that nothing was found."""
    found = needing_justification(audit, attribute)
    by = "by a surrogate: " if any(row.surrogate for row in features(audit, attribute)) else ""
    best = alternatives.line(audit, attribute)
    return [
        *([f"Less discriminatory alternative proven, {best}"] if best else []),
        f"{attribute}: {by}{', '.join(found)} need{'s' if len(found) == 1 else ''} justification"
        if found
        else f"{attribute}: {_nothing_found(audit, attribute)}",
    ]


def _nothing_found(audit: ProxyAudit, attribute: str) -> str:
    if any(row.flip_rate is not None for row in features(audit, attribute)):
        return "nothing found that encodes it, is used and moves the gap"
    members = _in_sets(audit, attribute)
    telling = [
        row
        for row in ranked(audit, attribute)
        if row.role != "neutral" and (row.stratum is not None or name_in(row) not in members)
    ]
    encoding = [placed_name(row) for row in telling]
    one = len(telling) == 1 and isinstance(telling[0], ProxyFeature)
    said = f"{', '.join(encoding)} encode{'s' if one else ''} it" if encoding else none_in_words(audit, attribute)
    return f"{said}; what decisions use is not known"


def set_in_words(found: ProxySet) -> str:
    """What a joint set encodes and adds to the gap, and whether it needs justification."""
    between = numbers.span(found.contribution.low, found.contribution.high, text="sentence")
    part = found.contribution.estimate
    reason = f"; {found.contribution.reason}" if found.contribution.reason else ""
    contributes = (
        reason if part is None else f"; contribution {numbers.short(part)}" + (f" ({between})" if between else "")
    )
    asks = " Needs justification." if found.role in _ASKING else ""
    note = f" {words.first_upper(found.note)}." if found.note else ""
    return (
        f"{words.first_upper(words.role(found.role))}: {', '.join(found.features)} encode {found.attribute} together "
        f"({numbers.short(found.encodes.auc)}) though none does alone{contributes}.{asks}{note}"
    )


def leak_in_words(leak: Leakage) -> str:
    """How well all features, and the score alone, tell the attribute, with what that certifies."""
    said = (
        f"All features together give {leak.attribute} away with an area of {numbers.short(leak.features.auc)}, the score "
        f"alone with {numbers.short(leak.score.auc)}; .5 gives nothing away."
    )
    return " ".join(filter(None, (said, leak.certificate, leak.score_certificate)))


def explained_in_words(split: ExplainedGap) -> str:
    """'Of the gap of .200 (Male less Female), .081 (.070 to .092) goes with hours, declared legitimate; ...'."""
    parts = [
        f"{numbers.short(part.estimate)} ({numbers.span(part.low, part.high, text='sentence')}) {said}"
        for part, said in (
            (split.explained, f"goes with {', '.join(split.factors)}, declared legitimate"),
            (split.unexplained, "does not"),
            (split.outside_common_support, "comes from people who cannot be compared"),
        )
    ]
    return (
        f"Of the gap of {numbers.short(split.gap)} ({words.value(split.high)} less {words.value(split.low)}), "
        f"{'; '.join(parts)}. Whether these factors are legitimate is for people to justify."
    )


def _in_a_region(row: ProxyFeature | ProxySet) -> str:
    """'Where region = north, deposit & tenure encode group together (AUC .94) and account for .657 of the gap there: ...'."""
    several = isinstance(row, ProxySet)
    part = row.contribution.estimate
    moves = "" if part is None else numbers.short(abs(part))
    verb = ("narrow" if several else "narrows") if row.role == "masking" else ("account" if several else "accounts")
    does = f"{verb} the gap there by {moves}" if row.role == "masking" else f"{verb} for {moves} of the gap there"
    return (
        f"Where {row.stratum}, {name_in(row)} {'encode' if several else 'encodes'} {row.attribute}"
        f"{' together' if several else ''} (AUC {numbers.short(row.encodes.auc, 2)}) and {does}: "
        f"{'need' if several else 'needs'} justification."
    )


def _without(said: str, known: list[str]) -> str:
    for message in known:
        said = said.removesuffix(message).rstrip()
    return said


def _reaches(encodes: Encodes) -> bool:
    low, high = encodes.low, encodes.high
    return low is not None and high is not None and max(high, 1 - low) >= ENCODES_FROM


def _mark(row: ProxyFeature | ProxySet, name: str, use: float, members: tuple[str, ...] = ()) -> proxy_map.Mark | None:
    encodes, part = strength(row.encodes), row.contribution
    if encodes is None or part.estimate is None:
        return None
    return proxy_map.Mark(name, encodes, part.estimate, part.low, part.high, use, words.TONES[row.role], members)
