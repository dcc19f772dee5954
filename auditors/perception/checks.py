"""The two checks that decide: paired counterfactual and class-conditional gap, with their rules and words."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.paired import NetFlip, net_flips
from evenhand.auditors.report import Finding, Group, Panel, PerceptionCheck
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.clusters import Interval, Spread, none_seen, unit_table
from evenhand.auditors.robustness.data import Level, levels_of, units_of
from evenhand.auditors.robustness.gaps import (
    EQUIVALENCE_LEVEL,
    TEST_LEVEL,
    Contrast,
    Member,
    members_of,
    weighted_difference,
)
from evenhand.auditors.verdict import Comparison, Gate, Rule, Verdict, effect_and_test

PAIRED_TOLERANCE = 0.05
CLASS_GAP_TOLERANCE = 0.10
WATCH_P = 0.10
WATCH_FLIP_RATE = 0.10

Name = Literal[
    "paired_counterfactual",
    "class_gap",
    "dream",
    "dream_drift",
    "tcav",
    "cue_conflict",
    "style_swap",
    "learning_curves",
]
SHARES: frozenset[Name] = frozenset({"tcav", "cue_conflict"})
"""Checks whose effect is a share in [0, 1] and no signed difference."""

CheckVerdict = Literal["proven_disparity", "proven_within", "inconclusive", "not_assessed"]
Detail = dict[str, float | int | str | None]


@dataclass(frozen=True)
class Answer:
    """A decided check, before it becomes a row and a finding; `estimate` None: not assessed, `reason` says why."""

    name: Name
    attribute: str
    tolerance: float | None
    verdict: CheckVerdict
    reason: str | None = None
    direction: str | None = None
    estimate: float | None = None
    interval: Interval | None = None
    equivalence: Interval | None = None
    p_value: float | None = None
    first: Level | None = None
    second: Level | None = None
    detail: Detail | None = None
    rule: Rule = Rule.EFFECT_AND_TEST
    panels: tuple[Panel, ...] = ()
    """Pictures shown beside the check; they have no verdict of their own."""


def known_levels(data: ImageData, attribute: str) -> list[Level]:
    """The groups to compare, by name: in which order the data list them must not turn a sign or train another probe."""
    return sorted(
        (level for level in levels_of(data, attribute) if level.comparable), key=lambda level: str(level.text)
    )


def paired_counterfactual(
    data: ImageData, attribute: str, prediction: NDArray[np.int64], *, tolerance: float, seed: int
) -> Answer:
    """Net flip between counterparts. FLAG: size and p < .01; WATCH: p < .10 or a flip rate of .10 and more."""
    levels = known_levels(data, attribute)
    name: Name = "paired_counterfactual"
    if data.pair is None:
        missing = "no column says which pictures are counterparts of one another; name it as `pair`"
        return Answer(name, attribute, tolerance, "not_assessed", missing)
    if len(levels) < 2:
        return Answer(name, attribute, tolerance, "not_assessed", one_group(attribute, levels))
    flips = net_flips(data, attribute, prediction, levels, seed=seed)
    if not flips:
        missing = f"no pair holds pictures of two different values of '{attribute}'"
        return Answer(name, attribute, tolerance, "not_assessed", missing)
    large = [flip for flip in flips if not (flip.first.small or flip.second.small)]
    proven = [flip for flip in large if _proven(flip.spread.estimate, flip.p_value, tolerance)]
    flip = max(proven or large or flips, key=lambda one: abs(one.spread.estimate))
    watched = [one for one in flips if one.p_value < WATCH_P or one.flip_rate >= WATCH_FLIP_RATE]
    within = large == flips and all(_within(one.spread, tolerance) for one in flips)
    verdict, reason = _decided(bool(proven), bool(watched), within)
    if flip.first.small or flip.second.small:
        verdict, reason = "inconclusive", "a group has under 30 pictures: nothing is proven"
    elif watched and not proven:
        reason = f"watch: p = {flip.p_value:.2g}, and {flip.flip_rate:.0%} of the decisions change with {attribute}"
    return Answer(
        name,
        attribute,
        tolerance,
        verdict,
        reason,
        direction=direction_of(flip.spread.estimate, flip.first, flip.second, flip.label, data.classes),
        estimate=flip.spread.estimate,
        interval=_known(flip.spread.interval(TEST_LEVEL)),
        equivalence=_known(_equivalence(flip.spread)),
        p_value=flip.p_value,
        first=flip.first,
        second=flip.second,
        detail=_flip_detail(flip, data),
    )


def _flip_detail(flip: NetFlip, data: ImageData) -> Detail:
    label = data.classes[flip.label]
    return {
        "from": flip.first.text,
        "to": flip.second.text,
        "class": label,
        "pairs": flip.pairs,
        "units": flip.spread.units,
        "share_turned_to_class": flip.to_class,
        "share_turned_from_class": flip.from_class,
        "flip_rate": flip.flip_rate,
        "turned_to_class": flip.turned_to,
        "turned_from_class": flip.turned_from,
        "mcnemar_p": flip.mcnemar,
    }


def class_gap(data: ImageData, attribute: str, prediction: NDArray[np.int64], *, tolerance: float, seed: int) -> Answer:
    """Mean over classes of P(decided k given second group, class) - P(decided k given first group, class).

    Tested by swapping the attribute within units that hold both values, else by permuting units within the class.
    """
    levels = known_levels(data, attribute)
    name: Name = "class_gap"
    if len(levels) < 2:
        return Answer(name, attribute, tolerance, "not_assessed", one_group(attribute, levels))
    members = _gap_members(data, attribute, prediction, levels, seed)
    defined = [member for member in members if member.spread is not None]
    if not defined:
        empty = "a class × group cell is empty: the classes cannot be compared between groups"
        return Answer(name, attribute, tolerance, "not_assessed", empty)
    proven = [member for member in defined if member.proven(tolerance)]
    compared = [member for member in defined if not member.small] or defined
    member = max(proven or compared, key=lambda one: one.size)
    watched = any(one.p_value is not None and one.p_value < WATCH_P for one in compared)
    verdict, reason = _decided(bool(proven), watched, all(one.within(tolerance) for one in members))
    if member.small:
        verdict, reason = "inconclusive", "a group has under 30 pictures: nothing is proven"
    elif watched and not proven:
        reason = f"watch: p = {member.p_value:.2g}"
    estimate = member.estimate or 0.0
    return Answer(
        name,
        attribute,
        tolerance,
        verdict,
        reason,
        direction=direction_of(estimate, member.first, member.second, member.label or 0, data.classes),
        estimate=estimate,
        interval=_known(member.spread.interval(TEST_LEVEL)) if member.spread else None,
        equivalence=_known(member.equivalence()),
        p_value=member.p_value,
        first=member.first,
        second=member.second,
        detail={
            "from": member.first.text,
            "to": member.second.text,
            "class": data.classes[member.label or 0],
            "units": member.spread.units if member.spread else 0,
        },
    )


def _gap_members(
    data: ImageData, attribute: str, prediction: NDArray[np.int64], levels: list[Level], seed: int
) -> list[Member]:
    """One member a pair of groups and class decided for; the second class alone where there are two."""
    codes, texts = data.attributes[attribute]
    column = np.full(len(texts), -1, dtype=np.int64)
    for index, level in enumerate(levels):
        column[level.code] = index
    classes = len(data.classes)
    # the statistic is first minus second, the gap is second minus first
    statistic = weighted_difference([-1 / classes] * classes)
    members: list[Member] = []
    for label in range(classes) if classes > 2 else [1]:
        table = unit_table(
            prediction == label,
            unit=units_of(data),
            label=data.label.astype(np.int64),
            group=column[codes],
            classes=classes,
            groups=len(levels),
        )
        name = f"class gap of {attribute}"
        members += members_of(table, levels, [Contrast(statistic, label)], seed=seed, name=name)
    return members


def one_group(attribute: str, levels: list[Level]) -> str:
    only = f"'{levels[0].text}'" if levels else "only missing values"
    return f"'{attribute}' has fewer than two groups to compare ({only})"


def _proven(estimate: float, p: float, tolerance: float) -> bool:
    decided = effect_and_test(estimate=estimate, tolerance=tolerance, p_value=p, level=TEST_LEVEL)
    return decided is Verdict.PROVEN_DISPARITY


def _equivalence(spread: Spread) -> Interval:
    """One-sided .95 each way, never narrower than as many units without a single case would leave open."""
    interval = spread.interval(EQUIVALENCE_LEVEL)
    floor = none_seen(spread.units, (1 + EQUIVALENCE_LEVEL) / 2)
    return Interval(min(interval.low, spread.estimate - floor), max(interval.high, spread.estimate + floor))


def _within(spread: Spread, tolerance: float) -> bool:
    interval = _equivalence(spread)
    return -tolerance < interval.low and interval.high < tolerance


def _known(interval: Interval) -> Interval | None:
    return interval if interval.known else None


def _decided(proven: bool, watched: bool, within: bool) -> tuple[CheckVerdict, str | None]:
    if proven:
        return "proven_disparity", None
    if within and not watched:
        return "proven_within", None
    return "inconclusive", None


def direction_of(
    estimate: float, first: Level | None, second: Level, label: int, classes: tuple[str, ...]
) -> str | None:
    """'dark → woman': the value that draws decisions to the class; `first` None: all other values."""
    if estimate == 0:
        return None
    if estimate > 0:
        return f"{second.text} → {classes[label]}"
    if len(classes) == 2:
        return f"{second.text} → {classes[1 - label]}"
    return f"{first.text if first else 'others'} → {classes[label]}"


def row(answer: Answer) -> PerceptionCheck:
    return PerceptionCheck(
        name=answer.name,
        attribute=answer.attribute,
        effect=answer.estimate,
        direction=answer.direction,
        low=answer.interval.low if answer.interval else None,
        high=answer.interval.high if answer.interval else None,
        p_value=answer.p_value,
        verdict=answer.verdict,
        reason=answer.reason,
        detail=answer.detail or {},
    )


def finding(answer: Answer, *, gate: Gate) -> Finding:
    assessed = answer.estimate is not None
    return Finding(
        id=f"perception/{answer.name}/{answer.attribute}",
        audit="perception",
        metric=answer.name,
        comparison=Comparison.VALUE if answer.name in SHARES else Comparison.DIFFERENCE,
        attribute=answer.attribute,
        group=_group(answer.attribute, answer.second),
        reference=_group(answer.attribute, answer.first),
        estimate=answer.estimate,
        low=answer.interval.low if answer.interval else None,
        high=answer.interval.high if answer.interval else None,
        level=TEST_LEVEL if assessed else None,
        equivalence_low=answer.equivalence.low if answer.equivalence else None,
        equivalence_high=answer.equivalence.high if answer.equivalence else None,
        rule=answer.rule,
        tolerance=answer.tolerance,
        verdict=Verdict(answer.verdict) if answer.verdict.startswith("proven") else Verdict.INCONCLUSIVE,
        n=answer.second.n if answer.second else None,
        reference_n=answer.first.n if answer.first else None,
        p_value=answer.p_value,
        gate=Gate.OFF if answer.tolerance is None else gate,
        message=_message(answer),
    )


def _group(attribute: str, level: Level | None) -> Group | None:
    return {attribute: level.text} if level else None


_ASKED = {
    "paired_counterfactual": "same subject in another {attribute}: net share of decisions that turn",
    "class_gap": "decisions between groups of {attribute} among pictures of the same class",
    "dream": "what the dreams of a class have more of, by {attribute}, in standard deviations of two probes",
    "dream_drift": "where pictures enhanced toward a class drift by {attribute}, in standard deviations of two probes",
    "tcav": "share of pictures whose score rises along the concept vector of {attribute} in the middle layer",
    "cue_conflict": "share of decisions that go with {attribute} where it is at odds with the shape",
    "style_swap": "same content in the style of another {attribute}: net share of decisions that turn",
    "learning_curves": "accuracy on held-out rows, counted as independent, less that of the worst class and {attribute}",
}


def _message(answer: Answer) -> str:
    asked = _ASKED[answer.name].format(attribute=answer.attribute)
    if answer.estimate is None:
        return f"{asked}: not assessed: {answer.reason}."
    interval = f" [{answer.interval.low:+.3f}, {answer.interval.high:+.3f}] at 99 %" if answer.interval else ""
    test = f", p = {answer.p_value:.2g}" if answer.p_value is not None else ""
    numbers = f"{asked}: {answer.estimate:+.3f}{interval}{test}"
    towards = f" ({answer.direction})" if answer.direction else ""
    if answer.verdict == "proven_disparity":
        reached = f"Reaches the tolerance of {answer.tolerance:g}, and is proven to differ from 0"
        return f"{numbers}{towards}. {reached}: needs justification."
    if answer.verdict == "proven_within":
        return f"{numbers}. Shown to be within the tolerance of {answer.tolerance:g}."
    return f"{numbers}{towards}. Inconclusive{f' ({answer.reason})' if answer.reason else ''}."
