"""All tables of practice, from a finished group disparity document: they need nothing that the report does not hold."""

from evenhand.auditors.policy import Policy
from evenhand.auditors.practice.four_fifths import four_fifths
from evenhand.auditors.practice.lending import lending
from evenhand.auditors.practice.local_law_144 import local_law_144
from evenhand.auditors.report import AttributeResult, GroupDisparity, Practice

MOST_ATTRIBUTES = 2
"""Of one category: sex, race and their intersection; deeper ones are no category of these laws."""


def practice_tables(document: GroupDisparity, *, policy: Policy) -> Practice:
    """Four-fifths of single attributes, Local Law 144 of these and their pairs, lending where rows have scores.

    Args:
        document: with groups, counts and, where there are any, scores.
        policy: `[practice]`, and the reference group under `[data]`.

    The Uniform Guidelines compare no subgroups (Questions and Answers 17); Local Law 144 asks for them.
    """
    singles = [result for result in document.attributes if _depth(result) == 1]
    categories = [result for result in document.attributes if 1 <= _depth(result) <= MOST_ATTRIBUTES]
    parts = {part.attribute: part for part in document.scores or ()}
    lent = [
        lending(document, parts[result.attribute], reference=policy.data.reference)
        for result in singles
        if result.attribute in parts
    ]
    return Practice(
        four_fifths=[four_fifths(document, result) for result in singles],
        local_law_144=[
            local_law_144(
                document,
                result,
                small_categories=policy.practice.small_categories,
                median=parts[result.attribute].median if result.attribute in parts else None,
            )
            for result in categories
        ],
        lending=[table for table in lent if table is not None],
        notes=_notes(singles, categories),
    )


def _depth(result: AttributeResult) -> int:
    return len(result.groups[0].group) if result.groups else 0


def _notes(singles: list[AttributeResult], categories: list[AttributeResult]) -> list[str]:
    if len(singles) > 1 and len(singles) == len(categories):
        return [
            "Intersections were not counted (`intersections = 1`), and Local Law 144 asks for those of sex and race or ethnicity."
        ]
    return []
