"""Which checks run on which attribute, how each counts for the gate, and the error that each may spend."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evenhand.auditors.errors import PolicyError, UnknownAttribute
from evenhand.auditors.intervals import normal_quantile, tukey_z
from evenhand.auditors.metrics import WHOLES, Metric, Whole, gap_named, metric_named
from evenhand.auditors.policy import Check, Policy, SmallGroups, default_checks, intersection
from evenhand.auditors.representation import plan as representation
from evenhand.auditors.scores.catalogue import SCORE_METRICS
from evenhand.auditors.verdict import Comparison, Gate

Attributes = tuple[str, ...]

INFORMATIVE = (
    ("demographic_parity_difference", 0.1),
    ("equalized_odds_difference", 0.1),
    ("equal_opportunity_difference", 0.1),
    ("predictive_parity_difference", 0.1),
    ("accuracy", 0.1),
)
"""Compared and reported without counting for the gate, beside what the policy checks."""


@dataclass(frozen=True)
class Budget:
    """The error that one check may spend.

    Attributes:
        alpha: of this check: the audit's, shared by its gated checks; less where its rates must share it (`sharing`).
    """

    alpha: float

    @property
    def level(self) -> float:
        return 1 - self.alpha

    def z_all_pairs(self, groups: int) -> float:
        """Holds all pairs of so many groups at once."""
        return tukey_z(groups, level=self.level)

    @property
    def z_equivalence(self) -> float:
        """One-sided, undivided over pairs: all of them must pass (intersection-union)."""
        return normal_quantile(self.level)


@dataclass(frozen=True)
class PlannedCheck:
    """One metric on one attribute or intersection.

    `whole` is set where the metric is one number about all groups; then there are no components and no pairs.
    """

    name: str
    attributes: Attributes
    components: tuple[Metric, ...]
    comparison: Comparison
    tolerance: float
    gate: Gate
    small_groups: SmallGroups
    average: bool
    budget: Budget
    whole: Whole | None = None

    @property
    def attribute(self) -> str:
        return intersection(*self.attributes)


def attribute_sets(sensitive: Sequence[str], *, depth: int) -> list[Attributes]:
    """Single attributes first, then their intersections up to `depth`."""
    return [
        chosen for size in range(1, min(depth, len(sensitive)) + 1) for chosen in combinations(tuple(sensitive), size)
    ]


LEAST_RATIO = 0.3
"""A ratio's lower limit under this is taken for a difference that was meant: those are 0.05, 0.1 or 0.2."""

IN_STRATA = (("conditional_demographic_disparity", 0.1), ("cmh_odds_ratio", 0.8))
"""The same where strata are named, for single attributes."""


def planned(
    policy: Policy,
    *,
    sensitive: Sequence[str],
    with_labels: bool,
    favourable_is_positive: bool,
    stratum: str | None = None,
) -> list[PlannedCheck]:
    """The checks of the policy, or the default ones, then what is only informative, attribute by attribute.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: a check names what is not there.
    """
    wanted = _wanted(policy, sensitive=sensitive, with_labels=with_labels, stratum=stratum)
    sets = attribute_sets(sensitive, depth=policy.data.intersections)
    gated = gated_checks(policy, sensitive=sensitive, with_labels=with_labels, stratum=stratum)
    gated += representation.gated_checks(policy, sensitive=sensitive)
    budget = Budget(policy.alpha / max(gated, 1))

    def plan(check: Check, chosen: Attributes, gate: Gate) -> PlannedCheck:
        return _plan(
            check, chosen, gate, check.small_groups or policy.small_groups, budget, with_labels, favourable_is_positive
        )

    plans = [plan(check, chosen, _gate(check, chosen)) for check, chosen in wanted]
    known = {(p.name, p.comparison, p.attributes) for p in plans}
    for chosen in sets:
        for name, tolerance in INFORMATIVE + (IN_STRATA if stratum and len(chosen) == 1 else ()):
            check = Check(metric=name, within=tolerance)
            needs_labels = name not in WHOLES and any(
                metric_named(c, favourable_is_positive=favourable_is_positive).needs_labels
                for c in gap_named(name, comparison=None).components
            )
            if (needs_labels and not with_labels) or not _comparable(check, [chosen], stratum):
                continue
            extra = plan(check, chosen, Gate.OFF)
            if (extra.name, extra.comparison, extra.attributes) not in known:
                plans.append(extra)
    return plans


def gated_checks(policy: Policy, *, sensitive: Sequence[str], with_labels: bool, stratum: str | None = None) -> int:
    """How many checks on group disparity count for the gate, those on scores among them: they share one error.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: a check names what is not there.
    """
    wanted = _wanted(policy, sensitive=sensitive, with_labels=with_labels, stratum=stratum)
    gates = [_gate(check, chosen) for check, chosen in wanted]
    gates += [gate for _, _, gate in checks_on_scores(policy, sensitive=sensitive)]
    return sum(gate is not Gate.OFF for gate in gates)


def _wanted(
    policy: Policy, *, sensitive: Sequence[str], with_labels: bool, stratum: str | None
) -> list[tuple[Check, Attributes]]:
    """The policy's checks on counts, or the default ones, each with the attributes that it is about."""
    checks = [check for check in policy.check if check.audit == "group_disparity"]
    if not policy.check:
        checks = default_checks(with_labels=with_labels)
    sets = attribute_sets(sensitive, depth=policy.data.intersections)
    return [
        (check, chosen)
        for check in checks
        if check.metric not in SCORE_METRICS
        for chosen in _comparable(check, _chosen(check, sets), stratum)
    ]


def checks_on_scores(policy: Policy, *, sensitive: Sequence[str]) -> list[tuple[Check, Attributes, Gate]]:
    """The policy's checks that `auditors.scores` answers; they spend of the same error.

    Raises:
        UnknownAttribute: a check names an attribute that is not there.
    """
    sets = attribute_sets(sensitive, depth=policy.data.intersections)
    return [
        (check, chosen, _gate(check, chosen))
        for check in policy.check
        if check.audit == "group_disparity" and check.metric in SCORE_METRICS
        for chosen in _chosen(check, sets)
    ]


def _comparable(check: Check, sets: list[Attributes], stratum: str | None) -> list[Attributes]:
    """Without the attributes that a stratum holds fixed.

    Raises:
        PolicyError: the check is about strata, and none are named.
    """
    if check.metric not in WHOLES or not WHOLES[check.metric].needs_stratum:
        return sets
    if stratum is None:
        raise PolicyError(
            f"check '{check.metric}' compares people of the same stratum, and there is no stratum column. Name it: ",
            ("stratum", None),
            ", or remove the check.",
        )
    return [chosen for chosen in sets if stratum not in chosen]


def _chosen(check: Check, sets: list[Attributes]) -> list[Attributes]:
    if check.attributes is None:
        return sets
    by_name = {intersection(*chosen): chosen for chosen in sets}
    singles = [name for name, chosen in by_name.items() if len(chosen) == 1]
    found = []
    for name in check.attributes:
        if name in by_name:
            found.append(by_name[name])
            continue
        parts = tuple(part.strip() for part in name.replace(" x ", "×").replace("*", "×").split("×"))
        if len(parts) < 2 or not set(parts) <= set(singles):
            raise UnknownAttribute(name, by_name)
        found.append(tuple(sorted(parts, key=singles.index)))
    return found


def _gate(check: Check, attributes: Attributes) -> Gate:
    return check.gate or (Gate.STRICT if len(attributes) == 1 else Gate.PROOF)


def _refuse_a_gap(check: Check) -> None:
    """Refuse a ratio's tolerance that is meant as a largest difference.

    Raises:
        PolicyError: it would tolerate what nobody can want to tolerate.
    """
    if check.within < LEAST_RATIO:
        raise PolicyError(
            f"check '{check.metric}' compares a ratio, and `within` is its lower limit: {check.within:g} would tolerate that "
            f"one group has {1 / check.within:.3g} times what another has. Write a ratio, such as 0.8; or, where "
            f"{check.within:g} is the largest gap that you tolerate, name a difference, such as "
            "demographic_parity_difference.",
            field="within",
        )


def _plan(
    check: Check,
    attributes: Attributes,
    gate: Gate,
    small_groups: SmallGroups,
    budget: Budget,
    with_labels: bool,
    favourable_is_positive: bool,
) -> PlannedCheck:
    whole = WHOLES.get(check.metric)
    composite = whole or gap_named(check.metric, comparison=check.compare)
    if check.compare is not None and check.compare is not composite.comparison:
        raise PolicyError(
            f"check '{check.metric}' is a {composite.comparison.value} by its name; `compare = \"{check.compare.value}\"` "
            "contradicts it. Leave `compare` out, or name the plain metric."
        )
    components = tuple(
        metric_named(name, favourable_is_positive=favourable_is_positive)
        for name in (() if whole else gap_named(check.metric, comparison=check.compare).components)
    )
    if not with_labels and (any(metric.needs_labels for metric in components) or (whole and whole.needs_labels)):
        raise PolicyError(
            f"check '{check.metric}' needs labels, and there is no label column. Name it: ",
            ("label", None),
            ", or remove the check.",
        )
    if composite.comparison is Comparison.RATIO and not 0 < check.within <= 1:
        raise PolicyError(
            f"check '{check.metric}' compares a ratio: `within = {check.within}` must lie in (0, 1], such as 0.8.",
            field="within",
        )
    if composite.comparison is Comparison.RATIO:
        _refuse_a_gap(check)
    if composite.comparison is Comparison.VALUE and whole is None:
        raise PolicyError(
            f'check \'{check.metric}\' of group_disparity compares groups: `compare` must be "difference" or "ratio".'
        )
    return PlannedCheck(
        composite.name,
        attributes,
        components,
        composite.comparison,
        check.within,
        gate,
        small_groups,
        average=whole is None and gap_named(check.metric, comparison=check.compare).average,
        budget=budget,
        whole=whole,
    )
