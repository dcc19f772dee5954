"""What the error of predicting the attribute rules out: Feldman's certificate against disparate impact.

The prediction itself belongs in `leakage`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import difference_interval, normal_quantile
from evenhand.auditors.proxies.auc import FOLDS
from evenhand.auditors.words import number, span

FOUR_FIFTHS = 0.8
"""Disparate impact: the group's favourable rate is at most this share of the others' (29 CFR 1607.4 D)."""


@dataclass(frozen=True)
class BalancedError:
    """Mean of the two groups' error rates when the attribute is predicted: .5 is chance, 0 tells it exactly."""

    estimate: float
    low: float
    high: float


def balanced_error(predicted: NDArray[np.bool_], positive: NDArray[np.bool_], *, level: float) -> BalancedError | None:
    """Balanced error rate of a prediction of the group, with a Miettinen-Nurminen interval; both of shape (n,).

    It is (1 - (true positive rate - false positive rate)) / 2, so that its interval is that of a difference of rates.

    Returns:
        None where one of the groups has no rows.
    """
    members, others = int(positive.sum()), int((~positive).sum())
    if min(members, others) == 0:
        return None
    hits, alarms = int((predicted & positive).sum()), int((predicted & ~positive).sum())
    interval = difference_interval(hits, members, alarms, others, z=normal_quantile((1 + level) / 2))
    return BalancedError(
        (1 - (hits / members - alarms / others)) / 2,
        (1 - float(interval.high[0])) / 2,
        (1 - float(interval.low[0])) / 2,
    )


def cut_for(scores: NDArray[np.float64], positive: NDArray[np.bool_], folds: NDArray[np.int8]) -> NDArray[np.bool_]:
    """The group as one cut of the score predicts it, either way round; each row's cut is chosen on the other folds."""
    predicted = np.zeros(len(scores), bool)
    for fold in range(FOLDS):
        outside = folds == fold
        cut, above = _best_cut(scores[~outside], positive[~outside])
        predicted[outside] = (scores[outside] >= cut) == above
    return predicted


def certificate_limit(favourable_rate: float, *, ratio: float = FOUR_FIFTHS) -> float:
    """The balanced error rate above which no classifier can favour the group at this rate and have disparate impact.

    If the group is favoured at rate b and the others at b / ratio or more, then "favoured" predicts "others" with a
    balanced error of at most 1/2 - (1/ratio - 1) b / 2, which is 1/2 - b/8 at four fifths. Where no predictor comes so
    low, no classifier of the same inputs has disparate impact.

    Args:
        favourable_rate: of the group that is favoured less, in [0, 1].

    Source: Feldman, Friedler, Moeller, Scheidegger and Venkatasubramanian (2015), Certifying and Removing Disparate
        Impact, KDD, section 4: a data set admits disparate impact exactly where it is (1/2 - b/8)-predictable.
    """
    return 0.5 - (1 / ratio - 1) * favourable_rate / 2


def certificate_words(
    error: BalancedError | None, limit: float | None, *, of: str, favourable_rate: float | None, level: float
) -> str:
    """Whether the error rules disparate impact out, or shows that it is possible.

    Args:
        of: what the attribute is predicted from: 'all features', 'the score'.
    """
    if error is None or limit is None or favourable_rate is None:
        return "No certificate: without decisions of both groups their favourable rate is not known."
    found = f"{number(error.estimate, digits=3)} ({span(error.low, error.high)})"
    basis = f"the limit {number(limit, digits=3)} = 1/2 - b/8 at the favourable rate b = {number(favourable_rate, digits=2)}"
    if error.low > limit:
        return (
            f"Certified at {100 * level:.0f} %, as far as the predictor tried goes: the balanced error rate from {of}, "
            f"{found}, exceeds {basis}. No decision by them that tells the attribute no better has an impact ratio "
            "of .8 or less."
        )
    if error.high <= limit:
        return (
            f"Not certified: the balanced error rate from {of}, {found}, is below {basis}: "
            "an impact ratio of .8 or less is not ruled out."
        )
    return f"Open: the balanced error rate from {of}, {found}, is shown neither above nor below {basis}."


def _best_cut(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> tuple[float, bool]:
    """The cut with the largest difference of the groups' shares above it, and whether the group lies above."""
    if not len(scores):
        return 0.0, True
    order = np.argsort(scores, kind="stable")
    ordered, members = scores[order], positive[order]
    below = np.cumsum(members) / max(1, members.sum()) - np.cumsum(~members) / max(1, (~members).sum())
    at = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], False))
    if not len(at):
        return float(ordered[0]), True
    best = at[int(np.argmax(np.abs(below[at])))]
    return float(ordered[best + 1]), bool(below[best] < 0)
