"""Groups on paper: rates by group, then what lies beyond them: strata, subgroups, classes, scores, and what is not known."""

from collections.abc import Iterator

from evenhand.auditors.report import MemberRate, MembershipGap, Multiclass, Report, StrataResult, SubgroupSearch
from evenhand.service.render import bounds, groups, numbers, scores, subgroups, words
from evenhand.service.render.pdf_pieces import (
    Block,
    Column,
    PaperCell,
    counted,
    estimated,
    heading,
    judged,
    measured,
    named,
    remarks,
    table,
    text,
    within,
)

MOST_COLUMNS = 5
"""Groups beside one another in one table."""


def rates(report: Report) -> Iterator[Block]:
    """The rates of every group, and of everyone."""
    shown = groups.tables(report)
    if shown:
        yield heading("Groups")
    for each in shown:
        overall = each.result.overall
        rows = [
            [named(row.group, groups.tag(row)), counted(row.n)]
            + [estimated(row.metrics.get(metric)) for metric in each.headline]
            for row in each.rows
        ]
        everyone = [PaperCell("Everyone", strong=True), counted(overall.n)]
        everyone += [estimated(overall.metrics.get(metric)) for metric in each.headline]
        yield from table(
            f"Rates by {each.attribute}, with intervals of 95 % below",
            [
                Column(each.attribute, 2, worded=True),
                Column("Rows", 0.9),
                *(Column(words.first_upper(words.metric(name)), 1.5) for name in each.headline),
            ],
            [*rows, everyone],
        )
    audit = report.audits.group_disparity
    if audit is not None:
        yield from remarks(audit.notes)


def beyond(report: Report) -> Iterator[Block]:
    """What an audit adds to the rates, where it was asked for or the data give it."""
    audit = report.audits.group_disparity
    if audit is None:
        return
    if audit.strata:
        yield heading("Within strata")
        for part in audit.strata:
            yield from _stratified(part)
    if audit.subgroups:
        yield from _subgroups(audit.subgroups)
    if audit.multiclass:
        yield from _classes(audit.multiclass)
    yield from _scores(report)


def _stratified(part: StrataResult) -> Iterator[Block]:
    title = f"{part.attribute} within {part.stratum}"
    yield heading(title, level=3)
    for row in part.groups:
        if row.reversed:
            yield text(row.message)
    yield from table(
        f"Each group against all others: {title}. Disparity is the share among the refused minus the share among the favoured",
        [
            Column(part.attribute, 1.6, worded=True),
            Column("Over all rows", 1),
            Column("Within strata", 1.5),
            Column("Odds ratio within strata", 1.5),
            Column("p of 1", 0.8),
            Column("Strata agree", 1.3),
        ],
        [
            [
                named(row.group),
                measured(row.disparity),
                estimated(row.conditional),
                PaperCell("differs by stratum") if row.homogeneous is False else estimated(row.odds_ratio),
                PaperCell(numbers.p_value(row.p_value) or numbers.UNDEFINED),
                PaperCell(numbers.UNDEFINED)
                if row.tarone_p_value is None
                else PaperCell(
                    "no" if row.homogeneous is False else "not refuted", f"p {numbers.p_value(row.tarone_p_value)}"
                ),
            ]
            for row in part.groups
        ],
    )
    compared = part.strata[0].groups[:MOST_COLUMNS] if part.strata else []
    yield from table(
        f"Rates of the favourable outcome: {title}",
        [
            Column(part.stratum, 1.4, worded=True),
            Column("Rows", 0.8),
            *(Column(words.group(cell.group), 1.3) for cell in compared),
        ],
        [
            [
                PaperCell(words.value(stratum.stratum), strong=True),
                counted(stratum.n),
                *(estimated(cell.favourable_rate) for cell in stratum.groups[:MOST_COLUMNS]),
            ]
            for stratum in part.strata
        ],
    )
    yield from remarks(part.notes)


def _subgroups(search: SubgroupSearch) -> Iterator[Block]:
    yield heading("Worst subgroups")
    yield text(subgroups.outcome(search))
    yield text(f"{subgroups.what_was_searched(search)} p is adjusted over all that were carried (Holm).", soft=True)
    yield from remarks(search.notes)
    yield from table(
        f"Subgroups that differ from the rest, by proven gap; proven beyond {numbers.brief(search.tolerance)} where so marked",
        [
            Column("Subgroup", 2.4, worded=True),
            Column("Rate", 1.3, worded=True),
            Column("Rows", 0.7),
            Column("Its rate", 0.7),
            Column("The rest's", 0.8),
            Column("Gap", 1.3),
            Column("p", 0.6),
            Column("Verdict", 1.2, worded=True),
        ],
        [
            [
                PaperCell(words.group_in_full(row.group), strong=True),
                PaperCell(words.metric(row.metric)),
                counted(row.n),
                measured(row.rate),
                measured(row.rest_rate),
                within(row.gap, row.low, row.high),
                PaperCell(numbers.p_value(row.adjusted_p)),
                judged(row.verdict),
            ]
            for row in subgroups.confirmed(search)
        ],
    )
    others = len(subgroups.open_questions(search))
    if others:
        said = words.first_upper(words.plural(others, "subgroup"))
        yield text(f"{said} not confirmed: in the HTML and the JSON.", soft=True)


def _classes(classes: Multiclass) -> Iterator[Block]:
    yield heading("Every class")
    favourable = "" if classes.favourable is None else f"; favourable is {classes.favourable}"
    yield text(
        f"{classes.label} has {words.number_word(len(classes.classes))} classes{favourable}. Each is compared with all others "
        "taken together: of the rows that have the label, how many were found? Nothing here counts for the gate.",
        soft=True,
    )
    yield from table(
        "Largest gap between two groups on each class",
        [
            Column("Class", 1.3, worded=True),
            Column("By", 1.1, worded=True),
            Column("Found more often", 1.5, worded=True),
            Column("Found less often", 1.5, worded=True),
            Column("Gap", 1.3),
            Column("Adjusted p", 0.8),
            Column("Verdict", 1.2, worded=True),
        ],
        [
            [
                PaperCell(gap.name, strong=True),
                PaperCell(gap.attribute),
                PaperCell(words.group(gap.group) if gap.group else "no groups to compare"),
                PaperCell(words.group(gap.reference) if gap.reference else ""),
                within(gap.estimate, gap.low, gap.high),
                PaperCell(numbers.p_value(gap.p_value)),
                judged(gap.verdict),
            ]
            for gap in classes.gaps
        ],
    )
    yield from table(
        "Share predicted as labelled, over all classes",
        [Column("Group", 2, worded=True), Column("Rows"), Column("Accuracy", 1.6)],
        [[named(row.group), counted(row.n), estimated(row.accuracy)] for row in classes.accuracy],
    )
    yield from remarks([*classes.notes, "Each class by group, with its counts, is in the HTML and the JSON."])


def _scores(report: Report) -> Iterator[Block]:
    arranged = [one for one in scores.arranged(report) if one.single]
    if not arranged:
        return
    yield heading("Scores")
    for one in arranged:
        ranked = one.part.cross is not None
        metrics = ["mean_score", *(["roc_auc"] if ranked else []), "scoring_rate"]
        attribute = one.part.attribute
        yield from table(
            f"Scores by {attribute}, with intervals of 95 % below; the median of all rows is "
            f"{numbers.fixed(one.part.median)}",
            [
                Column(attribute, 1.7, worded=True),
                Column("Rows", 0.8),
                *(Column(words.first_upper(words.metric(name)), 1.4) for name in metrics),
                Column("Its impact ratio", 1.4),
            ],
            [
                [
                    named(row.shown.group),
                    counted(row.shown.n),
                    *(estimated(row.metrics.get(name)) for name in metrics),
                    estimated(row.shown.scoring_impact_ratio),
                ]
                for row in one.rows
            ],
        )
        yield from _calibration(one)
        yield from remarks(one.part.notes)
    yield text(
        "How scores are spread, what each threshold would do, how groups compare with one another, and intersections are in "
        "the HTML and the JSON.",
        soft=True,
    )


def _calibration(one: scores.Scores) -> Iterator[Block]:
    rows = []
    for row in one.rows:
        found = row.shown.calibration
        if found is not None:
            rows.append(
                [
                    named(row.shown.group),
                    measured(found.base_rate),
                    estimated(row.metrics.get("calibration_in_the_large")),
                    estimated(row.metrics.get("expected_calibration_error")),
                    measured(found.chance),
                    measured(found.less_bias),
                    estimated(row.metrics.get("brier")),
                ]
            )
    yield from table(
        f"Calibration by {one.part.attribute}: does a score of .3 mean three in ten?",
        [
            Column(one.part.attribute, 1.6, worded=True),
            Column("Base rate", 0.8),
            Column("Calibration in the large", 1.4),
            Column("Expected calibration error", 1.4),
            Column("By chance alone", 0.8),
            Column("Less its bias", 0.8),
            Column("Brier score", 1.3),
        ],
        rows,
    )


def unknown(report: Report) -> Iterator[Block]:
    """Rows without an attribute, and attributes that are known by probability alone."""
    audit = report.audits.group_disparity
    if audit is None or not (audit.bounds or audit.membership):
        return
    yield heading("What is not known")
    for one in bounds.tables(audit):
        rows = [
            [
                PaperCell(words.metric(row.metric), strong=True),
                counted(row.unknown),
                PaperCell(numbers.fixed(row.estimate)),
                PaperCell(numbers.span(row.lowest, row.highest) or numbers.UNDEFINED),
                PaperCell(row.note),
            ]
            for row in one.rows
        ]
        yield from table(
            f"{one.attribute}: each check over every way to fill in the rows without a value",
            [
                Column("Check", 1.6, worded=True),
                Column("Unknown rows", 0.9),
                Column("Among the known", 1),
                Column("Possible range", 1.5),
                Column("In words", 2.6, worded=True),
            ],
            rows,
        )
    for gap in audit.membership or []:
        yield from _by_probability(gap)


def _by_probability(gap: MembershipGap) -> Iterator[Block]:
    rows = [_member(rate) for rate in gap.rates]
    rows.append(
        [
            PaperCell(f"{gap.group} less {gap.reference}", strong=True),
            PaperCell(""),
            estimated(gap.weighted),
            estimated(gap.thresholded),
            estimated(gap.most_probable),
        ]
    )
    yield from table(
        f"{words.first_upper(words.metric(gap.metric))} by probable {gap.attribute}; {numbers.rows(gap.undecided)} rows have "
        "no probability above .5",
        [
            Column(gap.attribute, 1.6, worded=True),
            Column("Rows, by probability", 1),
            Column("Weighted: tends toward no gap", 1.5),
            Column("Above .5: tends away from it", 1.5),
            Column("Most probable: tends away from it", 1.5),
        ],
        rows,
    )
    yield text(gap.note, soft=True)


def _member(rate: MemberRate) -> list[PaperCell]:
    return [
        PaperCell(rate.group, strong=True),
        PaperCell(f"{rate.rows:.0f}"),
        estimated(rate.weighted),
        estimated(rate.thresholded),
        estimated(rate.most_probable),
    ]
