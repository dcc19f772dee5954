"""The lending table: adverse impact ratio and standardized mean difference of each group, at cutoffs along the score.

How far lenders look is convention and not law: these are the two numbers that validation of credit models prints.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.policy import SMALL_GROUP_ROWS
from evenhand.auditors.report import (
    Estimate,
    Group,
    GroupDisparity,
    Lending,
    LendingCutoff,
    LendingGroup,
    ScoreAttribute,
    ScoreGroup,
)
from evenhand.auditors.words import group_name

Floats = NDArray[np.float64]

QUANTILES = tuple(round(0.1 * tenth, 1) for tenth in range(1, 10))
"""Shares of all rows that get the favourable outcome."""


def lending(
    document: GroupDisparity, part: ScoreAttribute, *, reference: str | dict[str, str] | None = None
) -> Lending | None:
    """One attribute's groups against a reference group; None where fewer than two known groups are shown.

    Args:
        part: the scores by group, with the rates at each threshold.
        reference: as the policy declares it: attribute to value; else the largest group is taken.
    """
    known = [group for group in part.groups if None not in group.group.values()]
    if len(known) < 2:
        return None
    declared = reference if isinstance(reference, dict) else {}
    chosen = next((group for group in known if group.group == {part.attribute: declared.get(part.attribute)}), None)
    against = chosen or max(known, key=lambda group: group.n)
    favourable = document.favourable == document.positive
    overall = _favoured(_everyone(part.groups), favourable)
    at = _cutoffs(overall, part)
    base = _favoured(_rates(against), favourable)
    return Lending(
        attribute=part.attribute,
        reference=against.group,
        declared=chosen is not None,
        cutoffs=[
            LendingCutoff(
                threshold=part.thresholds[i],
                favoured=float(overall[i]),
                in_use=part.threshold is not None and part.thresholds[i] == part.threshold,
            )
            for i in at
        ],
        groups=[
            LendingGroup(
                group=group.group,
                n=group.n,
                small=group.n < SMALL_GROUP_ROWS,
                standardized_mean_difference=_mean_difference(part, group.group, against.group),
                adverse_impact_ratio=[_over(_favoured(_rates(group), favourable)[i], base[i]) for i in at],
            )
            for group in known
        ],
        notes=_notes(part, against, declared=chosen is not None, favourable=favourable),
    )


def _rates(group: ScoreGroup) -> Floats:
    return np.array([np.nan if rate is None else rate for rate in group.selection_rate])


def _everyone(groups: Sequence[ScoreGroup]) -> Floats:
    """Share of the rows shown that reach each threshold."""
    weights = np.array([group.n for group in groups], dtype=np.float64)
    rates = np.nan_to_num(np.array([_rates(group) for group in groups]))
    share: Floats = weights @ rates / weights.sum()
    return share


def _favoured(rates: Floats, favourable_is_positive: bool) -> Floats:
    return rates if favourable_is_positive else 1 - rates


def _cutoffs(overall: Floats, part: ScoreAttribute) -> list[int]:
    """Thresholds nearest to each tenth of the rows favoured, and the one in use; those that favour nobody or all left out."""
    telling = [i for i, share in enumerate(overall) if 0 < share < 1]
    if not telling:
        return []
    wanted = {min(telling, key=lambda i: (abs(overall[i] - quantile), i)) for quantile in QUANTILES}
    if part.threshold is not None and part.threshold in part.thresholds:
        wanted.add(part.thresholds.index(part.threshold))
    return sorted(wanted)


def _over(rate: float, reference: float) -> float | None:
    return float(rate / reference) if reference > 0 and not np.isnan(rate) else None


def _mean_difference(part: ScoreAttribute, group: Group, reference: Group) -> Estimate:
    """Mean score of the group less that of the reference, over their pooled standard deviation."""
    if group == reference:
        return Estimate(estimate=0.0)
    for pair in part.pairs:
        found = pair.standardized_mean_difference
        if (pair.group, pair.reference) == (group, reference):
            return found
        if (pair.group, pair.reference) == (reference, group):
            return Estimate(
                estimate=None if found.estimate is None else -found.estimate,
                low=None if found.high is None else -found.high,
                high=None if found.low is None else -found.low,
                reason=found.reason,
            )
    return Estimate(estimate=None, reason="the pair is not among those compared")


def _notes(part: ScoreAttribute, against: ScoreGroup, *, declared: bool, favourable: bool) -> list[str]:
    how = "the declared reference" if declared else "the largest group"
    side = "A higher score helps" if favourable else "A lower score helps"
    notes = [
        f"Compared with {group_name(against.group)}, {how}. {side}: a mean difference {'below' if favourable else 'above'} 0 is "
        "to the group's disadvantage."
    ]
    if part.left_out:
        notes.append(f"{part.left_out:,} smaller groups are not shown, nor counted in the shares favoured.")
    return notes
