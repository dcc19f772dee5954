"""Representation on paper: who is in the data, against the population, what is missing for whom, and rows that repeat."""

from collections.abc import Iterator

from evenhand.auditors.report import MissingByGroup, Report, Representation, RepresentationAttribute
from evenhand.auditors.verdict import Comparison
from evenhand.service.render import numbers, repeats, words
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
)


def blocks(report: Report) -> Iterator[Block]:
    audit = report.audits.representation
    if audit is None:
        return
    yield heading("Representation")
    for part in audit.attributes:
        yield from _shares(audit, part)
        yield from _population(part)
    yield from _missing(audit)
    yield from _repeated(audit)
    yield from remarks(audit.notes)


def _shares(audit: Representation, part: RepresentationAttribute) -> Iterator[Block]:
    missing = f"; {numbers.rows(part.missing)} without a value" if part.missing else ""
    yield from table(
        f"{part.attribute}: share of {numbers.rows(audit.rows)} rows{missing}",
        [
            Column(part.attribute, 2, worded=True),
            Column("Rows"),
            Column("Share", 1.6),
            Column("Labelled positive", 1.6),
        ],
        [
            [named(share.group), counted(share.n), estimated(share.share), estimated(share.label_rate)]
            for share in part.shares
        ],
    )


def _population(part: RepresentationAttribute) -> Iterator[Block]:
    compared = part.population
    if compared is None:
        return
    limit = "ratio at least" if compared.comparison is Comparison.RATIO else "difference at most"
    tested = (
        f"; chi-square {numbers.fixed(compared.statistic)}, p {numbers.p_value(compared.p_value)}"
        if compared.statistic is not None
        else ""
    )
    yield from table(
        f"{part.attribute} against the population: {numbers.rows(compared.rows)} rows; {limit} "
        f"{numbers.brief(compared.tolerance)} tolerated{tested}",
        [
            Column(part.attribute, 1.6, worded=True),
            Column("Rows", 0.8),
            Column("Share", 1.3),
            Column("Of the population", 0.9),
            Column("Difference", 1.4),
            Column("Ratio", 1.3),
            Column("Verdict", 1.2, worded=True),
        ],
        [
            [
                named(share.group),
                counted(share.n),
                estimated(share.share),
                measured(share.expected),
                estimated(share.difference),
                estimated(share.ratio),
                judged(share.verdict),
            ]
            for share in compared.shares
        ],
    )
    yield from remarks([compared.note] if compared.note else [])


def _missing(audit: Representation) -> Iterator[Block]:
    if not audit.missing_by_group:
        return
    yield heading("What is missing for whom", level=3)
    yield from table(
        "Empty cells by group; p is adjusted over all columns and attributes (Holm)",
        [
            Column("Column", 1.3, worded=True),
            Column("By", 1, worded=True),
            Column("Most often empty", 1.4, worded=True),
            Column("Least often", 1.4, worded=True),
            Column("Difference", 1.4),
            Column("Adjusted p", 0.8),
            Column("Verdict", 1.2, worded=True),
        ],
        [_empty(row) for row in audit.missing_by_group],
    )


def _empty(row: MissingByGroup) -> list[PaperCell]:
    rates = [next((one for one in row.groups if one.group == side), None) for side in (row.group, row.reference)]
    return [
        PaperCell(row.column, strong=True),
        PaperCell(row.attribute),
        *(
            PaperCell("") if one is None else PaperCell(words.group(one.group), numbers.fixed(one.rate.estimate))
            for one in rates
        ),
        estimated(row.difference),
        PaperCell(numbers.p_value(row.adjusted_p)),
        judged(row.verdict),
    ]


def _repeated(audit: Representation) -> Iterator[Block]:
    found = audit.duplicates
    if found is None:
        return
    yield heading("Rows that are there twice", level=3)
    yield text(
        f"{repeats.sentence(found, audit.rows)} Where few columns are compared, different people are often alike."
    )
    for part in audit.shared or []:
        yield text(
            f"{numbers.rows(part.shared)} of {numbers.rows(part.test_rows)} rows ({part.test}) stand in the training rows too "
            f"({part.train}, {numbers.rows(part.train_rows)} rows)."
        )
        yield from table(
            f"Rows of {part.test} that stand in {part.train}, by group",
            [Column("Group", 2, worded=True), Column("Rows"), Column("Also in training"), Column("Share", 1.6)],
            [
                [
                    PaperCell(words.group_in_full(row.group), strong=True),
                    counted(row.n),
                    counted(row.shared),
                    estimated(row.rate),
                ]
                for row in part.by_group
            ],
        )
