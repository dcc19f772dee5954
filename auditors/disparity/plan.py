"""Which checks run on which attribute, how each counts for the gate, and the error that each may spend."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evenhand.auditors.errors import PolicyError, UnknownAttribute
from evenhand.auditors.intervals import normal_quantile, tukey_z
from evenhand.auditors.metrics import COMPOSITES, Composite, Metric, metric_named
from evenhand.auditors.policy import Check, Policy, SmallGroups, default_checks, intersection
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
        alpha: of this check: the audit's, shared by its gated checks.
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
    """One metric on one attribute or intersection."""

    name: str
    attributes: Attributes
    components: tuple[Metric, ...]
    comparison: Comparison
    tolerance: float
    gate: Gate
    small_groups: SmallGroups
    average: bool
    budget: Budget

    @property
    def attribute(self) -> str:
        return intersection(*self.attributes)


def attribute_sets(sensitive: Sequence[str], *, depth: int) -> list[Attributes]:
    """Single attributes first, then their intersections up to `depth`."""
    return [
        chosen for size in range(1, min(depth, len(sensitive)) + 1) for chosen in combinations(tuple(sensitive), size)
    ]


def planned(
    policy: Policy, *, sensitive: Sequence[str], with_labels: bool, favourable_is_positive: bool
) -> list[PlannedCheck]:
    """The checks of the policy, or the default ones, then what is only informative, attribute by attribute.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: a check names what is not there.
    """
    checks = [check for check in policy.check if check.audit == "group_disparity"]
    if not policy.check:
        checks = default_checks(with_labels=with_labels)
    sets = attribute_sets(sensitive, depth=policy.data.intersections)
    wanted = [(check, chosen) for check in checks for chosen in _chosen(check, sets)]
    gated = sum(_gate(check, chosen) is not Gate.OFF for check, chosen in wanted)
    budget = Budget(policy.alpha / max(gated, 1))

    def plan(check: Check, chosen: Attributes, gate: Gate) -> PlannedCheck:
        return _plan(
            check, chosen, gate, check.small_groups or policy.small_groups, budget, with_labels, favourable_is_positive
        )

    plans = [plan(check, chosen, _gate(check, chosen)) for check, chosen in wanted]
    known = {(p.name, p.comparison, p.attributes) for p in plans}
    for chosen in sets:
        for name, tolerance in INFORMATIVE:
            components = COMPOSITES[name].components if name in COMPOSITES else (name,)
            needs_labels = any(
                metric_named(c, favourable_is_positive=favourable_is_positive).needs_labels for c in components
            )
            if needs_labels and not with_labels:
                continue
            extra = plan(Check(metric=name, within=tolerance), chosen, Gate.OFF)
            if (extra.name, extra.comparison, extra.attributes) not in known:
                plans.append(extra)
    return plans


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


def _plan(
    check: Check,
    attributes: Attributes,
    gate: Gate,
    small_groups: SmallGroups,
    budget: Budget,
    with_labels: bool,
    favourable_is_positive: bool,
) -> PlannedCheck:
    composite = COMPOSITES.get(check.metric) or Composite(
        check.metric, (check.metric,), check.compare or Comparison.DIFFERENCE, "", ""
    )
    if check.compare is not None and check.compare is not composite.comparison:
        raise PolicyError(
            f"check '{check.metric}' is a {composite.comparison.value} by its name; `compare = \"{check.compare.value}\"` "
            "contradicts it. Leave `compare` out, or name the plain metric."
        )
    components = tuple(
        metric_named(name, favourable_is_positive=favourable_is_positive) for name in composite.components
    )
    if not with_labels and any(metric.needs_labels for metric in components):
        raise PolicyError(
            f"check '{check.metric}' needs labels, and there is no label column. Pass --label, or remove the check."
        )
    if composite.comparison is Comparison.RATIO and not 0 < check.within <= 1:
        raise PolicyError(
            f"check '{check.metric}' compares a ratio: `within = {check.within}` must lie in (0, 1], such as 0.8."
        )
    if composite.comparison is Comparison.VALUE:
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
        composite.average,
        budget,
    )
