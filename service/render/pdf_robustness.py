"""Robustness on paper: pictures under attack, in every norm, under noise and corruption; recourse and fragility of tables."""

from collections.abc import Iterator, Sequence

from evenhand.auditors.report import (
    CorruptionRow,
    DistanceRank,
    FeasibleChanges,
    OtherNorm,
    Panel,
    Report,
    Robustness,
    RobustnessGap,
    RobustnessGroup,
)
from evenhand.service.render import numbers, recourse, robustness, sentences, words
from evenhand.service.render.pdf_pieces import (
    Block,
    Column,
    PaperCell,
    counted,
    estimated,
    heading,
    judged,
    listed,
    measured,
    named,
    remarks,
    table,
    text,
    within,
)

MOST_GROUPS = 6
"""Groups beside one another in one table."""


def blocks(report: Report) -> Iterator[Block]:
    audit = report.audits.robustness
    if audit is None:
        return
    yield from _tables(audit, audit.changes) if audit.changes else _pictures(report, audit)
    yield from remarks(audit.notes)


def _pictures(report: Report, audit: Robustness) -> Iterator[Block]:
    yield heading("Robustness by group")
    yield text(f"{sentences.attack(report)} Independent unit: {audit.units}.", soft=True)
    if audit.masking.suspected:
        yield text("Gradient masking is suspected: robust accuracy may be too high, and nothing is concluded from it.")
    yield from _accuracy(
        audit.groups, f"Accuracy without and under attack, eps {numbers.fixed(audit.attack.eps, 4)}", "Robust accuracy"
    )
    yield from _gaps(audit.gaps, "Gaps of robust accuracy; one decides")
    for curves in robustness.curve_numbers(audit):
        yield from _by_group(curves)
    yield from _ranks(audit.distance_ranks, audit.attack.norm, explained=True)
    yield from _trust(audit)
    for other in audit.other_norms:
        yield from _beside(other)
    if audit.noise:
        yield heading("Random noise of the same size", level=3)
        yield from _accuracy(audit.noise, "Accuracy under random noise", "Accuracy under noise")
    yield from _corruptions(audit)
    for panel in audit.panels:
        yield from _examples(panel)


def _accuracy(groups: Sequence[RobustnessGroup], caption: str, under: str) -> Iterator[Block]:
    distances = any(row.median_distance is not None for row in groups)
    columns = [
        Column("Group", 1.9, worded=True),
        Column("Class", 1.1, worded=True),
        Column("Pictures", 0.9),
        Column("Units", 0.7),
        Column("Clean accuracy", 1.5),
        Column(under, 1.5),
        *([Column("Median distance, upper bound", 1.2)] if distances else []),
    ]
    rows = [
        [
            named(row.group),
            PaperCell(row.label if row.label is not None else "all"),
            counted(row.n),
            counted(row.units),
            estimated(row.clean_accuracy),
            estimated(row.robust_accuracy),
            *([measured(row.median_distance)] if distances else []),
        ]
        for row in groups
    ]
    yield from table(caption, columns, rows)


def _gaps(gaps: Sequence[RobustnessGap], caption: str, size: str = "eps") -> Iterator[Block]:
    rows = [
        [
            PaperCell(words.first_upper(words.GAPS[gap.name]), "decides" if gap.decides else "", strong=gap.decides),
            PaperCell(gap.attribute),
            measured(gap.eps, decimals=4 if size == "eps" else 2),
            within(gap.estimate, gap.low, gap.high),
            PaperCell(numbers.p_value(gap.p_value)),
            judged(gap.verdict, gap.reason or ""),
        ]
        for gap in gaps
    ]
    yield from table(
        caption,
        [
            Column("Gap", 1.9, worded=True),
            Column("Attribute", 1, worded=True),
            Column(words.first_upper(size) if size != "eps" else size, 0.8),
            Column("Estimate", 1.5),
            Column("p", 0.6),
            Column("Verdict", 2.6, worded=True),
        ],
        rows,
    )


def _by_group(shown: robustness.ByGroup) -> Iterator[Block]:
    """A table with a column for each group, as many as paper has room for."""
    groups = shown.groups[:MOST_GROUPS]
    yield from table(
        shown.caption,
        [Column(shown.first, 1.4, worded=True), *(Column(name, 1.4) for name in groups)],
        [
            [
                PaperCell(name, strong=True),
                *(PaperCell("") if one is None else estimated(one) for one in cells[:MOST_GROUPS]),
            ]
            for name, cells in shown.rows
        ],
    )
    if len(shown.groups) > MOST_GROUPS:
        more = words.plural(len(shown.groups) - MOST_GROUPS, "more group is", "more groups are")
        yield text(f"{words.first_upper(more)} in the HTML and the JSON.", soft=True)


def _ranks(ranks: Sequence[DistanceRank], norm: str, *, explained: bool) -> Iterator[Block]:
    if not ranks:
        return
    if explained:
        yield heading("Whose pictures need the larger change", level=3)
        yield text(robustness.DISTANCES, soft=True)
    rows = [
        [
            PaperCell(rank.label, strong=True),
            PaperCell(words.group(rank.group)),
            PaperCell(words.group(rank.reference)),
            estimated(rank.auc),
        ]
        for rank in ranks
    ]
    yield from table(
        f"Probability that a picture of the first group needs a larger change than one of the second, {norm}",
        [
            Column("Class", 1.5, worded=True),
            Column("First", 1.5, worded=True),
            Column("Second", 1.5, worded=True),
            Column("Probability (AUC)", 1.5),
        ],
        rows,
    )


def _trust(audit: Robustness) -> Iterator[Block]:
    yield heading("Can the attack be trusted?", level=3)
    if not audit.masking.checks:
        yield text("Not needed: the attack used no gradients.", soft=True)
    rows = [
        [
            PaperCell(words.first_upper(words.metric(check.name)), strong=True),
            measured(check.value),
            measured(check.limit),
            PaperCell(
                "suspected" if check.suspected else "no sign",
                check.reason or "",
                tone="bad" if check.suspected else "ok",
            ),
        ]
        for check in audit.masking.checks
    ]
    yield from table(
        "Checks for gradient masking: each value should stay at or below its limit",
        [Column("Check", 2.2, worded=True), Column("Value"), Column("Limit"), Column("Outcome", 3, worded=True)],
        rows,
    )


def _beside(other: OtherNorm) -> Iterator[Block]:
    """Another norm: shown, and deciding nothing."""
    norm = other.attack.norm
    yield heading(f"The same in {norm}, beside and deciding nothing", level=3)
    suspected = " Gradient masking is suspected: nothing was assessed." if other.masking.suspected else ""
    yield text(f"{sentences.attack_in_full(other.attack)}{suspected}", soft=True)
    eps = numbers.fixed(other.attack.eps, 4)
    yield from _accuracy(other.groups, f"Accuracy without and under attack, {norm}, eps {eps}", "Robust accuracy")
    yield from _gaps(other.gaps, f"Gaps of robust accuracy, {norm}; none decides")
    yield from _ranks(other.distance_ranks, norm, explained=False)


def _corruptions(audit: Robustness) -> Iterator[Block]:
    if not audit.corruptions:
        return
    yield heading("Natural corruptions", level=3)
    yield text(robustness.CORRUPTIONS, soft=True)
    rows = [
        [
            PaperCell(words.first_upper(robustness.corruption_name(row)), row.attribute, strong=row.name == "all"),
            _between(row),
            within(row.gap.estimate, row.gap.low, row.gap.high, row.gap.reason),
            measured(row.gap.expected_by_chance),
            measured(row.gap.clean),
            PaperCell(numbers.p_value(row.gap.p_value)),
        ]
        for row in audit.corruptions
    ]
    yield from table(
        "Largest gap within a class under each corruption",
        [
            Column("Corruption", 1.5, worded=True),
            Column("Between", 2.2, worded=True),
            Column("Gap", 1.5),
            Column("Expected by chance", 1),
            Column("Same gap without corruption", 1.2),
            Column("p", 0.7),
        ],
        rows,
    )
    for row in audit.corruptions:
        if row.name == "all":
            yield from _by_severity(row)
    for corrupted in robustness.corrupted_numbers(audit.corruptions):
        yield from _by_group(corrupted)


def _between(row: CorruptionRow) -> PaperCell:
    if row.gap.group is None:
        return PaperCell("")
    said = f"{words.group(row.gap.group)} against {words.group(row.gap.reference)}"
    return PaperCell(said, f"class {row.gap.label}" if row.gap.label is not None else "")


def _by_severity(row: CorruptionRow) -> Iterator[Block]:
    """Accuracy of groups as a whole at each severity, mean over all corruptions."""
    rows = [
        [named(group.group), counted(group.n), estimated(group.clean_accuracy), *map(estimated, group.accuracy)]
        for group in row.groups
        if group.accuracy
    ]
    severities = max((len(cells) - 3 for cells in rows), default=0)
    yield from table(
        f"Accuracy against severity by {row.attribute}, mean over all corruptions",
        [
            Column("Group", 1.3, worded=True),
            Column("Pictures", 0.8),
            Column("Unchanged", 1),
            *(Column(str(severity + 1), 1) for severity in range(severities)),
        ],
        rows,
    )


def _examples(panel: Panel) -> Iterator[Block]:
    """What a panel of pictures says of each; the pictures themselves are in the HTML."""
    yield heading(panel.title, level=3)
    yield text(panel.text, soft=True)
    yield from listed(panel.lines)
    if panel.images:
        yield text("The pictures are in the HTML and the JSON.", soft=True)


def _tables(audit: Robustness, changes: FeasibleChanges) -> Iterator[Block]:
    yield heading("Recourse and fragility by group")
    yield text(f"{recourse.UPPER_BOUNDS} Independent unit: {audit.units}.", soft=True)
    for question, title in recourse.QUESTIONS.items():
        rows = [
            [named(row.group), counted(row.n), counted(row.searched), estimated(row.share), estimated(row.median_cost)]
            for row in recourse.groups(changes, question)
        ]
        yield heading(title, level=3)
        yield text(recourse.asked(changes, question), soft=True)
        yield from table(
            f"{title} by group",
            [
                Column("Group", 2, worded=True),
                Column("Rows"),
                Column("Searched"),
                Column(recourse.SHARES[question], 1.6),
                Column("Median cost", 1.6),
            ],
            rows,
        )
        yield from listed([recourse.example(shown) for shown in recourse.examples(changes, question)])
    yield from _gaps(audit.gaps, "Gaps between groups; one decides for each attribute", size="budget")
    yield from _may_change(changes)
    rows = [
        [
            named(row.group),
            counted(row.n),
            estimated(row.clean_accuracy),
            estimated(row.robust_accuracy),
            measured(row.median_distance),
        ]
        for row in audit.groups
    ]
    budget = numbers.brief(changes.fragility_budget)
    yield from table(
        f"Accuracy without and under feasible changes of cost up to {budget}",
        [
            Column("Group", 2, worded=True),
            Column("Rows"),
            Column("Clean accuracy", 1.6),
            Column("Robust accuracy", 1.6),
            Column("Median cost"),
        ],
        rows,
    )
    yield text(recourse.setting(changes), soft=True)


def _may_change(changes: FeasibleChanges) -> Iterator[Block]:
    rows = [
        [PaperCell(row.feature, strong=True), PaperCell(recourse.may_change(row)), PaperCell(row.reason)]
        for row in changes.features
    ]
    yield from table(
        "What may change, and what was assumed",
        [
            Column("Feature", 1.6, worded=True),
            Column("May become", 2.2, worded=True),
            Column("Because", 2.2, worded=True),
        ],
        rows,
    )
