"""Which checks on scores run on which attribute. They share the error of the audit with the checks on decisions."""

from dataclasses import dataclass

from evenhand.auditors.disparity.plan import Attributes, Budget, attribute_sets, checks_on_scores
from evenhand.auditors.errors import PolicyError
from evenhand.auditors.policy import Check, Policy, SmallGroups, intersection
from evenhand.auditors.scores.catalogue import SCORE_METRICS, ScoreMetric
from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.verdict import Comparison, Gate

INFORMATIVE = (("roc_auc", 0.05), ("calibration_in_the_large", 0.05), ("standardized_mean_difference", 0.3))
"""Compared and reported without counting for the gate, beside what the policy checks."""


@dataclass(frozen=True)
class ScoreCheck:
    """One metric of scores on one attribute or intersection.

    Attributes:
        comparison: a difference between groups, or the value of each group against the metric's ideal.
        tolerance: the largest difference, or distance from the ideal, that is tolerated.
        undefined: why the scores of this audit do not have the metric; None where they do.
    """

    metric: ScoreMetric
    attributes: Attributes
    comparison: Comparison
    tolerance: float
    gate: Gate
    small_groups: SmallGroups
    budget: Budget
    undefined: str | None

    @property
    def attribute(self) -> str:
        return intersection(*self.attributes)

    @property
    def id(self) -> str:
        return f"group_disparity/{self.metric.name}/{self.comparison.value}/{self.attribute}"


def refuse_without_scores(policy: Policy) -> None:
    """Refuse checks on scores where there are none.

    Raises:
        PolicyError: a check names a metric of scores.
    """
    for check in policy.check:
        if check.audit == "group_disparity" and check.metric in SCORE_METRICS:
            raise PolicyError(
                f"check '{check.metric}' needs scores, and there are predictions only. Name scores (",
                ("score", None),
                ") or a model (",
                ("model", None),
                "), or remove the check.",
            )


def planned_on_scores(policy: Policy, data: ScoreData, *, family_level: float) -> list[ScoreCheck]:
    """The policy's checks on scores, then what is only informative.

    Args:
        family_level: 1 - alpha / number of gated checks of the whole audit, those on decisions included.

    Raises:
        PolicyError, UnknownAttribute: a check asks for what cannot be done.
    """
    budget = Budget(1 - family_level)
    plans = [
        _plan(check, chosen, gate, check.small_groups or policy.small_groups, budget, data)
        for check, chosen, gate in checks_on_scores(policy, sensitive=tuple(data.attributes))
    ]
    known = {(plan.metric.name, plan.attributes) for plan in plans}
    for chosen in attribute_sets(tuple(data.attributes), depth=policy.data.intersections):
        for name, tolerance in INFORMATIVE:
            metric = SCORE_METRICS[name]
            if (name, chosen) in known or why_undefined(metric, data) is not None:
                continue
            check = Check(metric=name, within=tolerance)
            plans.append(_plan(check, chosen, Gate.OFF, policy.small_groups, budget, data))
    return plans


def why_undefined(metric: ScoreMetric, data: ScoreData) -> str | None:
    """Why no group has the metric, or None."""
    if metric.needs_labels and data.label is None:
        return "there are no labels"
    if metric.needs_probabilities and not data.are_probabilities:
        low, high = (float(data.scores.min()), float(data.scores.max())) if len(data.scores) else (0.0, 0.0)
        return f"the scores run from {low:g} to {high:g} and are no probabilities: calibration needs scores in [0, 1]"
    return None


def _plan(
    check: Check, attributes: Attributes, gate: Gate, small_groups: SmallGroups, budget: Budget, data: ScoreData
) -> ScoreCheck:
    metric = SCORE_METRICS[check.metric]
    if not metric.checked:
        names = ", ".join(name for name, known in SCORE_METRICS.items() if known.checked)
        raise PolicyError(
            f"metric '{metric.name}' is reported and cannot be checked. Of scores, a check may name: {names}."
        )
    if check.compare is Comparison.RATIO:
        raise PolicyError(f'check \'{metric.name}\' has no ratio: `compare` must be "difference" or "value".')
    if metric.needs_labels and data.label is None:
        raise PolicyError(
            f"check '{metric.name}' needs labels, and there is no label column. Name it: ",
            ("label", None),
            ", or remove the check.",
        )
    comparison = Comparison.DIFFERENCE if metric.of_pairs else check.compare or Comparison.DIFFERENCE
    return ScoreCheck(
        metric, attributes, comparison, check.within, gate, small_groups, budget, why_undefined(metric, data)
    )
