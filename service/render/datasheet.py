"""A datasheet for a data set of one's own: facts that a program can count are filled in, what only people know is asked.

The questions follow Gebru et al. (2021), Datasheets for Datasets, in words of our own and for data that are audited.
"""

from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.profile import ColumnFacts, duplicated_rows, profile
from evenhand.datasets.table import Table
from evenhand.service.render import numbers, words
from evenhand.service.render.pull_request import text

ANSWER = "_To be answered._"
SMALL = 30
"""Rows under which a group's comparisons stay inconclusive."""

QUESTIONS = {
    "Motivation": (
        "For what purpose were the data made, and by whom? Who paid for it?",
        "Which decision do they stand for, and who is affected by it?",
    ),
    "Composition": (
        "What is one row: a person, a decision, a visit? Can one person have several rows?",
        "Who should be in the data and is not? Of which larger set is this a sample, and how was it drawn?",
        "What does the label record: what happened, what somebody judged, or what an earlier decision let be seen? "
        "For whom can no label exist (refused applicants, people who were not searched)?",
        "How did each sensitive column come about: asked, recorded by others, inferred? Who could not answer truthfully, "
        "and which groups have no category?",
        "Why are values missing, and is it likelier for some people than for others?",
        "Which columns may stand in for a sensitive attribute (postcode, school, first name)?",
        "Can a person be recognised, alone or together with other sources?",
    ),
    "Collection": (
        "How were the values obtained, over which time, by which devices or people?",
        "Did the people know, and did they agree? Can they take it back?",
    ),
    "Preparation": (
        "What was cleaned, dropped, joined, grouped or labelled, and by which rule? Is the raw form kept?",
    ),
    "Uses": (
        "For what have the data been used? For what should they not be used?",
        "Which rows has the model under audit learned from? They must not be audited.",
    ),
    "Distribution and upkeep": (
        "Under which licence or contract may they be used, and by whom?",
        "Who answers questions, corrects errors, and removes people who ask for it? Until when are the data kept?",
    ),
}


def datasheet(source: Table | ImageSet) -> str:
    """The datasheet as Markdown."""
    table = source.table if isinstance(source, ImageSet) else source
    facts = profile(table)
    parts = [f"# Datasheet: {text(table.name)}", _summary(source, table), "## Columns", _columns(facts)]
    shown = [column for column in facts if len(column.sizes) > 1]
    if shown:
        parts += ["## Rows by value", f"Columns of few values. Fewer than {SMALL} rows are marked *few*."]
        parts += [_sizes(column, table.rows) for column in shown]
    for section, questions in QUESTIONS.items():
        parts += [f"## {section}", *(f"**{question}**\n\n{ANSWER}" for question in questions)]
    return "\n\n".join(parts) + "\n"


def _summary(source: Table | ImageSet, table: Table) -> str:
    lines = [
        f"{numbers.rows(table.rows)} rows, {words.plural(len(table.columns), 'column')}; SHA-256 `{source.sha256}`."
    ]
    if isinstance(source, ImageSet):
        height, width, channels = source.images.shape[1:]
        lines.append(f"One picture a row, {width} × {height} pixels, {'grey' if channels == 1 else 'colour'}.")
    repeated = duplicated_rows(table)
    if repeated:
        lines.append(f"{numbers.rows(repeated)} rows equal an earlier row in every column.")
    return " ".join(lines)


def _columns(facts: tuple[ColumnFacts, ...]) -> str:
    lines = [
        "| Column | Holds | Missing | Different values | From | To | Meaning, unit |",
        "| :-- | :-- | --: | --: | :-- | :-- | :-- |",
    ]
    for column in facts:
        cells = [
            text(words.value(column.name)),
            text(column.kind),
            numbers.rows(column.missing),
            "" if column.distinct is None else numbers.rows(column.distinct),
            "" if column.low is None else text(words.value(column.low)),
            "" if column.high is None else text(words.value(column.high)),
            ANSWER,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sizes(column: ColumnFacts, rows: int) -> str:
    lines = [f"| {text(words.value(column.name))} | Rows | Share |", "| :-- | --: | --: |"]
    for value, n in column.sizes:
        few = " *few*" if n < SMALL else ""
        lines.append(f"| {text(words.value(value))} | {numbers.rows(n)}{few} | {numbers.fixed(n / rows)} |")
    return "\n".join(lines)
