"""Which checks of the policy are about who is in the data, their tolerances, and the error that each may spend."""

from collections.abc import Sequence
from dataclasses import dataclass

from evenhand.auditors.errors import PolicyError, UnknownAttribute, UnknownMetric
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.representation import missingness, population
from evenhand.auditors.representation.population import Tolerated
from evenhand.auditors.verdict import Comparison, Gate

METRICS = {"share": population.TOLERANCE, "missingness": missingness.TOLERANCE}
"""What a check may name, and the tolerance where none does."""


@dataclass(frozen=True)
class RepresentationPlan:
    """Tolerances by metric and attribute.

    Attributes:
        policy: the whole of it.
        level: 1 - alpha of one check.
    """

    policy: Policy
    level: float

    def tolerated(self, metric: str, attribute: str) -> Tolerated:
        """As the first check says that names the metric and the attribute; else the usual tolerance, without a gate."""
        for check in _checks(self.policy):
            if check.metric == metric and (check.attributes is None or attribute in check.attributes):
                return Tolerated(check.within, check.compare or Comparison.DIFFERENCE, _gate(check), self.level)
        return Tolerated(METRICS[metric], level=self.level)


def planned(policy: Policy, *, sensitive: Sequence[str], other_checks: int = 0) -> RepresentationPlan:
    """The plan of one audit.

    Args:
        policy: its checks on `representation`.
        sensitive: attributes that are there.
        other_checks: gated checks of other audits, which spend of the same error.

    Raises:
        UnknownMetric, UnknownAttribute, PolicyError: a check, or the population, names what is not there.
    """
    for attribute in policy.data.population or {}:
        if attribute not in sensitive:
            raise UnknownAttribute(attribute, sensitive)
    for check in _checks(policy):
        _refuse(check, policy, sensitive)
    gated = gated_checks(policy, sensitive=sensitive) + other_checks
    return RepresentationPlan(policy, 1 - policy.alpha / max(gated, 1))


def gated_checks(policy: Policy, *, sensitive: Sequence[str]) -> int:
    """How many checks on representation count for the gate: one a metric and attribute."""
    having = {"share": list(policy.data.population or {}), "missingness": list(sensitive)}
    return sum(
        len([name for name in having.get(check.metric, []) if check.attributes is None or name in check.attributes])
        for check in _checks(policy)
        if _gate(check) is not Gate.OFF
    )


def _checks(policy: Policy) -> list[Check]:
    return [check for check in policy.check if check.audit == "representation"]


def _gate(check: Check) -> Gate:
    return check.gate or Gate.STRICT


def _refuse(check: Check, policy: Policy, sensitive: Sequence[str]) -> None:
    if check.metric not in METRICS:
        raise UnknownMetric(check.metric, METRICS)
    for attribute in check.attributes or []:
        if attribute not in sensitive:
            raise UnknownAttribute(attribute, sensitive)
    if check.compare is Comparison.VALUE or (check.compare is Comparison.RATIO and check.metric == "missingness"):
        raise PolicyError(
            f'check \'{check.metric}\' of representation cannot compare by "{check.compare.value}". Write "difference"'
            + (' or "ratio".' if check.metric == "share" else ".")
        )
    if check.compare is Comparison.RATIO and not 0 < check.within <= 1:
        raise PolicyError(
            f"check 'share' compares a ratio: `within = {check.within:g}` must lie in (0, 1], such as 0.8."
        )
    if check.metric == "share":
        having = policy.data.population or {}
        without = [name for name in check.attributes or having if name not in having]
        if without or not having:
            about = f" for {without[0]}" if without else ""
            raise PolicyError(
                f"check 'share' needs a population{about} to compare with. Name its shares, such as "
                "sex = { Female = 0.51, Male = 0.49 }: ",
                ("population", None),
                ".",
            )
