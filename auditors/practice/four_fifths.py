"""The four-fifths table of the Uniform Guidelines: each group's selection rate over the highest, and tests.

Source: Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D; Questions and Answers, 44 FR 11996 (1979).
"""

from collections.abc import Sequence

import numpy as np

from evenhand.auditors.exact_tests import MOST_FOR_BOSCHLOO, exact
from evenhand.auditors.intervals import normal_quantile, ratio_interval
from evenhand.auditors.practice.groups import (
    FAVOURABLE,
    Counted,
    counted,
    most_selected,
    too_few,
    unknown_rows,
    why_not_people,
)
from evenhand.auditors.practice.one_person import (
    Selected,
    below_four_fifths,
    one_person_crosses,
    one_person_turns,
    ratio,
    with_one_swapped,
)
from evenhand.auditors.report import AttributeResult, Estimate, FourFifths, FourFifthsGroup, GroupDisparity
from evenhand.auditors.words import group_name, number

LEVEL = 0.95
SIGNIFICANT = 1.96
"""Standard deviations from which a difference counts as significant; courts say two or three (Hazelwood, 1977)."""
MOST_FOR_FISHER = 1_000_000
"""Rows on both sides; beyond, Fisher's test agrees with the standard deviations in every digit shown."""
MOST_ENUMERATED = 40
"""Groups of one table that Boschloo's test is enumerated for."""


def four_fifths(document: GroupDisparity, result: AttributeResult) -> FourFifths:
    """One attribute's groups against the most selected of them.

    The reference is chosen among groups of 30 rows and more, where there are any: a group of three people says little about
    what others should be held against.
    """
    groups = counted(document, result.groups, metric=FAVOURABLE)
    reference = most_selected([group for group in groups if not group.small] or groups)
    enumerable = [group for group in groups if group is not reference][:MOST_ENUMERATED]
    rows = [_row(group, reference, boschloo=any(group is each for each in enumerable)) for group in groups]
    return FourFifths(
        attribute=result.attribute,
        reference=reference.group if reference else None,
        groups=rows,
        unknown=unknown_rows(result.groups),
        notes=_notes(document, groups, reference),
    )


def shortfall(group: Selected, reference: Selected) -> float:
    """People of the group who would be selected at the common rate of both, beyond those who are; below 0 for a surplus."""
    common = (group.people + reference.people) / (group.of + reference.of)
    return group.of * common - group.people


def standard_deviations(group: Selected, reference: Selected) -> float | None:
    """Difference of the rates in standard deviations under their common rate; None where that rate is 0 or 1.

    Source: Hazelwood School District v. United States, 433 U.S. 299 (1977), in its form for two samples.
    """
    common = (group.people + reference.people) / (group.of + reference.of)
    spread = common * (1 - common) * (1 / group.of + 1 / reference.of)
    return float(group.rate - reference.rate) / spread**0.5 if spread > 0 else None


def _row(group: Counted, reference: Counted | None, *, boschloo: bool) -> FourFifthsGroup:
    found = FourFifthsGroup(
        group=group.group,
        n=group.n,
        selected=group.selected.people if group.selected else None,
        rate=group.shown,
        impact_ratio=Estimate(estimate=None, reason="nobody is selected in any group"),
        small=group.small,
    )
    if reference is None or group.rate is None or reference.rate is None:
        return found
    if group is reference:
        return found.model_copy(update={"impact_ratio": Estimate(estimate=1.0), "below_four_fifths": False})
    below = below_four_fifths(group.rate, reference.rate)
    if group.selected is None or reference.selected is None:
        shown = Estimate(estimate=float(group.rate / reference.rate))
        return found.model_copy(update={"impact_ratio": shown, "below_four_fifths": below, "flagged": below})
    return found.model_copy(
        update=_of_people(group.selected, reference.selected, group_name(reference.group), below, boschloo=boschloo)
    )


def _of_people(group: Selected, reference: Selected, name: str, below: bool, *, boschloo: bool) -> dict[str, object]:
    z = standard_deviations(group, reference)
    tested = group.of + reference.of <= MOST_FOR_FISHER
    countable = boschloo and max(group.of, reference.of) <= MOST_FOR_BOSCHLOO
    tests = exact(group.people, group.of, reference.people, reference.of, boschloo=countable) if tested else None
    swapped = with_one_swapped(group, reference)
    significant = z is not None and abs(z) >= SIGNIFICANT
    turns = one_person_turns(group, reference)
    fragile = turns or (one_person_crosses(group, reference) and not significant)
    found = ratio(group, reference)
    after = ratio(*swapped) if swapped else None
    return {
        "impact_ratio": _ratio(group, reference),
        "below_four_fifths": below,
        "flagged": below and not fragile,
        "one_person_turns": turns,
        "swapped_ratio": float(after) if after is not None else None,
        "shortfall": shortfall(group, reference),
        "standard_deviations": z,
        "fisher": tests.fisher if tests else None,
        "boschloo": tests.boschloo if tests else None,
        "said": _said(float(found or 0), float(after) if after is not None else None, name, z, below, fragile),
    }


def _ratio(group: Selected, reference: Selected) -> Estimate:
    z = normal_quantile((1 + LEVEL) / 2)
    bounds = ratio_interval(group.people, group.of, reference.people, reference.of, z=z)
    low, high = float(bounds.low[0]), float(bounds.high[0])
    found = ratio(group, reference)
    return Estimate(
        estimate=float(found) if found is not None else None, low=low, high=high if np.isfinite(high) else None
    )


def _said(value: float, after: float | None, name: str, z: float | None, below: bool, fragile: bool) -> str:
    """The row in words: below or within four-fifths, significant or not, and whether one person decides it."""
    significant = z is not None and abs(z) >= SIGNIFICANT
    deviations = f"{number(z, digits=1)} standard deviations" if z is not None else "no spread to measure by"
    if below and fragile:
        turned = f"would make it {number(after)}" if after is not None else f"would leave nobody selected of {name}"
        return (
            f"Below four-fifths ({number(value)}), and one person selected here instead of one of {name} {turned}: "
            "too few people to say so, not flagged."
        )
    if below:
        return (
            f"Below four-fifths ({number(value)}) and significant ({deviations})."
            if significant
            else f"Below four-fifths ({number(value)}); not significant ({deviations}): chance could show as much."
        )
    if significant and value < 1:
        return f"Within four-fifths ({number(value)}), though the difference is significant ({deviations})."
    return f"Within four-fifths ({number(value)}); not significant ({deviations})." if value < 1 else ""


def _notes(document: GroupDisparity, groups: Sequence[Counted], reference: Counted | None) -> list[str]:
    notes = []
    if (why := why_not_people(document)) is not None:
        notes.append(why)
    small = [group for group in groups if group.small]
    if small:
        named = ", ".join(f"{group_name(group.group)} ({group.n})" for group in small[:6])
        more = f" and {len(small) - 6} more" if len(small) > 6 else ""
        notes.append(
            f"{too_few(small).capitalize()}: {named}{more}. In so small a sample a ratio says little; look at longer periods "
            "or like jobs together (Questions and Answers 21)."
        )
    above = [
        group
        for group in groups
        if reference is not None
        and reference.rate is not None
        and group.rate is not None
        and group.rate > reference.rate
    ]
    if above and reference is not None:
        named = ", ".join(group_name(group.group) for group in above[:6])
        notes.append(
            f"{named}: selected more often than {group_name(reference.group)}, on {too_few(above)}, and so not "
            "what the others are held against."
        )
    return notes
