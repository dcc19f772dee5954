"""Proxies on paper: per attribute what each feature encodes, is used for and adds to the gap."""

from collections.abc import Iterator, Sequence

from evenhand.auditors.report import (
    Encodes,
    Estimate,
    ExplainedGap,
    FeatureProfile,
    Leakage,
    ProxyAudit,
    ProxyFeature,
    Report,
    WhatIf,
)
from evenhand.service.render import alternatives, numbers, proxies, proxy_places, words
from evenhand.service.render.pdf_pieces import (
    Block,
    Column,
    PaperCell,
    estimated,
    heading,
    listed,
    measured,
    of_interval,
    remarks,
    table,
    text,
    within,
)

MOST_PROFILES, FEWEST_PROFILES = 6, 2
"""Features whose values are listed: those that are more than neutral, and the first of all where there are few of them."""
MOST_PROFILED_GROUPS = 4


def blocks(report: Report) -> Iterator[Block]:
    audit = report.audits.proxy
    if audit is None:
        return
    yield heading("Features that stand in for an attribute")
    yield text(
        "A proxy encodes an attribute, is used by the model, and moves the gap. That does not make it wrong; its use needs "
        "justification.",
        soft=True,
    )
    if audit.surrogate is not None:
        yield text(audit.surrogate.message)
    for attribute in proxies.attributes(audit):
        yield heading(attribute, level=3)
        yield from _answer(report, audit, attribute)
        yield from _features(
            proxies.features(audit, attribute),
            f"Features and {attribute}, {numbers.rows(audit.rows_used)} rows: proxies, joint proxies and masking features "
            "need justification",
        )
        yield from _beside_the_features(audit, attribute)
        yield from _values(audit, attribute)
    yield from remarks(audit.notes)


def _answer(report: Report, audit: ProxyAudit, attribute: str) -> Iterator[Block]:
    """What was found, in sentences."""
    own = proxies.received(audit, attribute)
    if own:
        yield text(
            f"The model receives {' and '.join(own)}: it can decide by the attribute itself, and needs no proxy for it."
        )
    for choice in alternatives.proven(audit, attribute):
        yield text(f"Less discriminatory alternative, {attribute}: {choice.message}")
    gap = audit.gap.get(attribute)
    if numbers.is_number(gap):
        yield text(f"The gap of decisions is {numbers.short(gap)}.")
    yield from listed(proxies.asking(report, audit, attribute))
    may = proxies.not_excluded(audit, attribute)
    if may:
        named = ", ".join(may)
        yield text(f"Not shown to encode {attribute}, and with these rows not excluded either: {named}.", soft=True)


def _features(rows: Sequence[ProxyFeature], caption: str) -> Iterator[Block]:
    scored = any(row.score_contribution is not None for row in rows)
    cells = [
        [
            PaperCell(row.feature, _place(row), strong=True),
            PaperCell(words.role(row.role), _remark(row), tone=words.TONES.get(row.role)),
            _area(row.encodes),
            measured(row.flip_rate),
            estimated(row.contribution),
            *([estimated(row.score_contribution)] if scored else []),
            _alone(row),
        ]
        for row in rows
    ]
    yield from table(
        caption,
        [
            Column("Feature", 1.7, worded=True),
            Column("Role", 1.9, worded=True),
            Column("Encodes (area)", 1.2),
            Column("Decisions turned", 0.95),
            Column("Part of the gap", 1.2),
            *([Column("Part of the gap of mean scores", 1.2)] if scored else []),
            Column("Permuted alone, never a share", 1.2),
        ],
        cells,
    )


def _place(row: ProxyFeature) -> str:
    said = [f"in {row.stratum}"] if row.stratum is not None else []
    said += [f"moved together: {', '.join(row.block)}"] if len(row.block) > 1 else []
    return "; ".join(said)


def _remark(row: ProxyFeature) -> str:
    return "; ".join(filter(None, ("by the surrogate" if row.surrogate else "", row.note)))


def _area(encodes: Encodes) -> PaperCell:
    if encodes.auc is None:
        return PaperCell("not told here", tone="quiet")
    return PaperCell(numbers.fixed(encodes.auc), numbers.span(encodes.low, encodes.high))


def _alone(row: ProxyFeature) -> PaperCell:
    return of_interval(row.influence_interval) if row.influence_interval is not None else measured(row.influence)


def _beside_the_features(audit: ProxyAudit, attribute: str) -> Iterator[Block]:
    """Joint sets, regions, strata, the gap's explained part, leakage, and what other choices would do."""
    for found in proxies.sets(audit, attribute):
        yield text(proxies.set_in_words(found))
    for place in proxy_places.regions(audit, attribute):
        inside, elsewhere = place.inside, place.outside
        yield text(
            f"{inside.feature} encodes {attribute} where {inside.stratum} ({numbers.short(inside.encodes.auc)}), and is "
            f"not shown to elsewhere ({numbers.short(elsewhere.encodes.auc)}): {words.role(inside.role)}."
        )
    for joint in proxy_places.set_regions(audit, attribute):
        yield text(
            f"{proxies.placed_name(joint.inside)}, {attribute}: {proxies.row_in_words(audit, joint.inside)}; "
            f"{words.role(joint.inside.role)}."
        )
    yield from _features(proxy_places.strata(audit, attribute), f"Features and {attribute}, by stratum")
    for split in audit.explained:
        if split.attribute == attribute:
            yield from _explained(split)
    for leak in proxies.leaks(audit, attribute):
        yield from _leakage(leak)
    yield from _other_choices(audit, attribute)


def _explained(split: ExplainedGap) -> Iterator[Block]:
    yield text(proxies.explained_in_words(split))
    parts = (
        ("Explained", split.explained, "the groups differ in these factors, and people who have them are decided so"),
        ("Unexplained", split.unexplained, "people with the same factors are decided differently by group"),
        (
            "Not comparable",
            split.outside_common_support,
            "people whose combination of factors occurs in one group only; "
            f"{numbers.short(split.common_support)} of people can be compared",
        ),
    )
    yield from table(
        f"The gap of {split.attribute} split by declared factors, {numbers.rows(split.rows)} rows, "
        f"{numbers.rows(split.cells)} combinations, intervals of {numbers.level(split.level)}",
        [Column("Part", 1.3, worded=True), Column("Of the gap", 1.2), Column("In words", 4, worded=True)],
        [[PaperCell(name, strong=True), estimated(part), PaperCell(meaning)] for name, part, meaning in parts],
    )


def _leakage(leak: Leakage) -> Iterator[Block]:
    def row(
        name: str, area: Encodes, permuted: float | None, p_value: float | None, error: Estimate | None
    ) -> list[PaperCell]:
        said = f"p {numbers.p_value(p_value)}" if p_value is not None else ""
        limit = leak.certificate_limit
        return [
            PaperCell(name, strong=True),
            _area(area),
            PaperCell("not computed", tone="quiet") if permuted is None else PaperCell(numbers.fixed(permuted), said),
            PaperCell("not computed", tone="quiet") if error is None else of_interval(error),
            PaperCell("none" if limit is None else f"above {numbers.fixed(limit)}"),
        ]

    yield from table(
        f"How well {leak.attribute} can be told; .5 tells nothing",
        [
            Column("From", 1.8, worded=True),
            Column("Area under the curve", 1.3),
            Column(f"With {leak.attribute} permuted", 1.2),
            Column("Balanced error rate (.5 is chance)", 1.4),
            Column("Needed to certify an impact ratio above .8", 1.5),
        ],
        [
            row("All features together", leak.features, leak.null_auc, leak.p_value, leak.balanced_error_rate),
            row("The score alone", leak.score, leak.score_null_auc, leak.score_p_value, leak.score_balanced_error_rate),
        ],
    )
    yield from remarks([said for said in (leak.certificate, leak.score_certificate) if said])


def _other_choices(audit: ProxyAudit, attribute: str) -> Iterator[Block]:
    tried = alternatives.choices(audit, attribute)
    if not tried:
        return
    proven = len(alternatives.proven(audit, attribute))
    yield text(
        f"{words.first_upper(words.plural(len(tried), 'other choice'))} tried, "
        f"{words.number_word(proven) if proven else 'none'} proven less discriminatory. Whose decisions each changes is in "
        "the HTML and the JSON.",
        soft=True,
    )
    names = ("Accuracy", "Gap of decisions", "Gap of error rates")
    yield from table(
        f"What changes without a feature, {attribute}: before and after, and the change with its paired interval",
        [Column("Choice", 2, worded=True), *(Column(name, 1.5) for name in names)],
        [
            [
                PaperCell(", ".join(row.features), _choice(row), strong=row.alternative == "proven"),
                *(_changed(row, metric) for metric in alternatives.METRICS),
            ]
            for row in tried
        ],
    )


def _choice(row: WhatIf) -> str:
    return alternatives.how(row) + ("; less discriminatory, proven" if row.alternative == "proven" else "")


def _changed(row: WhatIf, metric: str) -> PaperCell:
    change = next((one for one in alternatives.changes(row, metric) if one.against == "model"), None)
    if change is None:
        return PaperCell("not computed", tone="quiet")
    by = change.change
    return PaperCell(
        f"{numbers.fixed(change.before)} to {numbers.fixed(change.after)}",
        f"{numbers.fixed(by.estimate)}; {numbers.span(by.low, by.high)}",
    )


def _values(audit: ProxyAudit, attribute: str) -> Iterator[Block]:
    """The most telling features value by value."""
    known = [row for row, _ in proxies.profiles(audit, attribute)]
    telling = sum(row.role != "neutral" for row in known)
    shown = known[: min(max(telling, FEWEST_PROFILES), MOST_PROFILES)]
    for row in shown:
        if row.profile is not None:
            yield from _profile(row, row.profile, attribute)
    if len(known) > len(shown):
        left = words.plural(len(known) - len(shown), "more feature is", "more features are")
        yield text(f"{words.first_upper(left)} shown value by value in the HTML and the JSON.", soft=True)


def _profile(row: ProxyFeature, profile: FeatureProfile, attribute: str) -> Iterator[Block]:
    groups = profile.groups[:MOST_PROFILED_GROUPS]
    rated = bool(profile.cells[0].rate)
    columns = [Column(row.feature, 1.6, worded=True)]
    for group, n in zip(groups, profile.rows, strict=False):
        columns.append(Column(f"{words.value(group)}: {numbers.rows(n)} rows", 1))
        columns += [Column("decided for", 1.2)] if rated else []
    cells = []
    for cell in profile.cells:
        line = [PaperCell(words.value(cell.value), strong=True)]
        for i in range(len(groups)):
            line.append(PaperCell(numbers.fixed(cell.share[i]), numbers.rows(cell.rows[i])))
            line += [within(cell.rate[i], cell.low[i], cell.high[i], "no rows")] if rated else []
        cells.append(line)
    left = len(profile.groups) - len(groups)
    said = "share of the group, rows below" + ("; share of positive decisions" if rated else "")
    yield from table(f"{row.feature} by {attribute}: {said}", columns, cells)
    yield from remarks(
        [f"{words.first_upper(words.plural(left, 'more group'))} in the HTML and the JSON."] if left else []
    )
    yield from remarks([f"{words.first_upper(profile.note)}."] if profile.note else [])
