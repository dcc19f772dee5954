"""Rows of the report about leakage: areas, what they are without anything to find, errors, and the certificate."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.protocols import Progress
from evenhand.auditors.proxies.certificate import (
    BalancedError,
    balanced_error,
    certificate_limit,
    certificate_words,
    cut_for,
)
from evenhand.auditors.proxies.encoding import Encoding
from evenhand.auditors.proxies.groups import Groups
from evenhand.auditors.proxies.leakage import leakage_scores, permutation_null, score_null
from evenhand.auditors.proxies.plan import Budget, leakage_rows
from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.search import Found
from evenhand.auditors.ranks import Auc, auc_of_scores
from evenhand.auditors.report import Encodes, Estimate, Leakage

ONE_SIDE = "one of the groups has no rows here"
NO_SCORES = "there are no scores"


def leakages(
    prepared: Prepared,
    compared: Sequence[Groups],
    encodings: Mapping[str, Mapping[str, Encoding]],
    found: Mapping[str, Found],
    *,
    scores_at: Callable[[NDArray[np.int64]], NDArray[np.float64] | None],
    favoured: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    budget: Budget,
    level: float,
    rng: np.random.Generator,
    progress: Progress,
) -> list[Leakage]:
    """One row an attribute, about the group that its strongest feature tells apart from the rest.

    Args:
        scores_at: positions of sampled rows to their scores; None where there are none.
        favoured: scores to the decisions that help.
        level: of each interval.
    """
    estimate = prepared.halves.estimate
    units = [unit for unit in prepared.units if not unit.constant]
    rows = estimate[: leakage_rows(len(estimate), len(units), max(1, len(compared)), budget)]
    scores = scores_at(rows) if compared else None
    seed = int(rng.integers(2**31 - 1))
    leaks = []
    for index, groups in enumerate(compared):
        progress(index / len(compared), f"asking how well all features together give {groups.attribute} away")
        group = _told_apart(groups, encodings[groups.attribute])
        kept = groups.take(rows) >= 0
        positive = groups.take(rows)[kept] == groups.names.index(group)
        own_scores = None if scores is None else scores[kept]
        limit, rate = (None, None) if own_scores is None else _limit(favoured(own_scores), positive)
        fields: dict[str, object] = {"attribute": groups.attribute, "certificate_limit": limit}
        cells = [(codes[rows[kept]], levels) for codes, levels in found[groups.attribute].cells]
        inputs, folds = [unit.take(rows[kept]) for unit in units], prepared.folds[rows[kept]]
        told = leakage_scores(inputs, cells, positive, folds, seed=seed) if inputs else np.zeros(len(positive))
        error = balanced_error(told > 0, positive, level=level)
        null = permutation_null(inputs, cells, positive, folds, rng=rng) if inputs else None
        fields |= {
            "features": _encodes(auc_of_scores(told, positive) if inputs else Auc(0.5, 0), group, level),
            "null_auc": null and null.null_auc,
            "p_value": null and null.p_value,
            "permutations": null and null.permutations,
            "permuted_rows": null and null.rows,
            "balanced_error_rate": _error_document(error, ONE_SIDE),
            "certificate": certificate_words(error, limit, of="all features", favourable_rate=rate, level=level),
        }
        fields |= _of_score(own_scores, positive, folds, group, (limit, rate), level=level, rng=rng)
        leaks.append(Leakage.model_validate(fields))
    return leaks


def _of_score(
    scores: NDArray[np.float64] | None,
    positive: NDArray[np.bool_],
    folds: NDArray[np.int8],
    group: str,
    limit: tuple[float | None, float | None],
    *,
    level: float,
    rng: np.random.Generator,
) -> dict[str, object]:
    if scores is None:
        return {"score": Encodes(auc=None), "score_balanced_error_rate": _error_document(None, NO_SCORES)}
    error = balanced_error(cut_for(scores, positive, folds), positive, level=level)
    null = score_null(scores, positive, rng=rng)
    return {
        "score": _encodes(auc_of_scores(scores, positive), group, level),
        "score_null_auc": null and null.null_auc,
        "score_p_value": null and null.p_value,
        "score_balanced_error_rate": _error_document(error, ONE_SIDE),
        "score_certificate": certificate_words(
            error, limit[0], of="the score alone", favourable_rate=limit[1], level=level
        ),
    }


def _told_apart(groups: Groups, encodings: Mapping[str, Encoding]) -> str:
    strongest = max(encodings.values(), key=lambda found: (found.encodes, found.strength), default=None)
    return strongest.group if strongest else groups.names[-1]


def _limit(favoured: NDArray[np.bool_], positive: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    """The certificate's limit, and the favourable rate of the side that is favoured less."""
    sides = [favoured[side] for side in (positive, ~positive)]
    if min(len(side) for side in sides) == 0:
        return None, None
    rate = min(float(side.mean()) for side in sides)
    return certificate_limit(rate), rate


def _encodes(auc: Auc, group: str, level: float) -> Encodes:
    margin = normal_quantile((1 + level) / 2) * auc.error
    return Encodes(auc=auc.area, low=max(0.0, auc.area - margin), high=min(1.0, auc.area + margin), group=group)


def _error_document(error: BalancedError | None, reason: str) -> Estimate:
    if error is None:
        return Estimate(estimate=None, reason=reason)
    return Estimate(estimate=error.estimate, low=error.low, high=error.high)
