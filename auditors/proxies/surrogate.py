"""Trees that decide as the predictions do, to be asked where there is no model; how well they do is measured first.

What they are asked belongs to `asking`. What they answer is about themselves, and is marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.proxies.columns import code_column, quantile_bins
from evenhand.auditors.proxies.data import ProxyData
from evenhand.auditors.proxies.interventions import Decide
from evenhand.auditors.proxies.plan import SPLIT_FROM
from evenhand.auditors.proxies.prepare import Prepared
from evenhand.auditors.proxies.results import noted
from evenhand.auditors.ranks import auc_of_scores
from evenhand.auditors.report import Estimate, Finding, ProxyFeature, ProxySet, Surrogate
from evenhand.auditors.verdict import Verdict
from evenhand.auditors.words import number

KIND = "hist_gradient_boosting"
REQUIRED_KAPPA = 0.8
"""Agreement beyond chance that is called almost perfect: Landis and Koch (1977), Biometrics 33(1)."""

THRESHOLD = 0.5
ITERATIONS = 200
LEVELS = 250
"""Categories are read by their most frequent values and the rest: scikit-learn's histograms have 255 bins."""

BOTH_DECISIONS = 20
"""Rows of each decision below which nothing is learned."""

FEW_ROWS = f"No surrogate was asked in place of the model: that needs {SPLIT_FROM:,} rows and both decisions."
MARK = "by a surrogate"
UNPROVEN = "This is shown of a surrogate that decides as the predictions do, and not proven of the model itself."


@dataclass(frozen=True)
class Learned:
    """A surrogate: the data as it reads them, its scores (a positive decision from .5), and how well it does."""

    data: ProxyData
    decide: Decide
    document: Surrogate


def learn_surrogate(
    data: ProxyData, prepared: Prepared, decisions: NDArray[np.bool_], *, seed: int, level: float
) -> Learned | None:
    """Gradient-boosted trees grown on the searching half, and their fidelity on the estimating half.

    Args:
        decisions: of the sampled rows, shape (m,).
        seed: of the trees.
        level: of the intervals; the lower bound of Cohen's kappa at this level decides whether it is good enough.

    Returns:
        None below 2,000 rows, where the halves are not apart, and where nearly all decisions are the same.

    Use and contribution are estimated on the half that the trees have not seen.

    Source: Craven and Shavlik (1996), Extracting tree-structured representations of trained networks, NIPS.
    """
    search, estimate = prepared.halves.search, prepared.halves.estimate
    kinds = np.bincount(decisions[search].astype(np.int64), minlength=2)
    if not data.columns or not prepared.halves.apart or kinds.min() < BOTH_DECISIONS:
        return None
    read = _as_read(data)
    decide = _grown(read, prepared.rows[search], decisions[search], seed)
    scores = decide({name: values[prepared.rows[estimate]] for name, values in read.columns.items()})
    return Learned(read, decide, _fidelity(scores, decisions[estimate], learned_rows=len(search), level=level))


def marked(row: ProxyFeature) -> ProxyFeature:
    """The row, saying that use and contribution are a surrogate's."""
    return noted(row, MARK, surrogate=True)


def marked_set(row: ProxySet) -> ProxySet:
    """As `marked`, of a joint set."""
    return noted(row, MARK)


def unproven(finding: Finding) -> Finding:
    """The finding without a verdict: what holds for a surrogate is not proven for the model."""
    return finding.model_copy(
        update={"verdict": Verdict.INCONCLUSIVE, "rows_needed": None, "message": f"{finding.message} {UNPROVEN}"}
    )


def _as_read(data: ProxyData) -> ProxyData:
    """Categories as codes of their most frequent values."""
    return replace(
        data,
        columns={
            name: values.astype(np.float64)
            if not _is_category(data, name)
            else quantile_bins(code_column(name, values, categorical=True), LEVELS).astype(np.float64)
            for name, values in data.columns.items()
        },
    )


def _is_category(data: ProxyData, name: str) -> bool:
    return name in data.categorical or data.columns[name].dtype.kind not in "biuf"


def _grown(read: ProxyData, rows: NDArray[np.int64], decisions: NDArray[np.bool_], seed: int) -> Decide:
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = sorted(read.columns)

    def table(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return np.stack([columns[name] for name in names], axis=1)

    categories = [_is_category(read, name) or name in read.categorical for name in names]
    trees: Any = HistGradientBoostingClassifier(
        max_iter=ITERATIONS, early_stopping=False, categorical_features=categories, random_state=seed
    )
    trees.fit(table({name: values[rows] for name, values in read.columns.items()}), decisions)

    def decide(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        scores: NDArray[np.float64] = trees.predict_proba(table(columns))[:, 1]
        return scores

    return decide


def _fidelity(
    scores: NDArray[np.float64], decisions: NDArray[np.bool_], *, learned_rows: int, level: float
) -> Surrogate:
    n, decided = len(decisions), scores >= THRESHOLD
    agreement, rate, own = (float(np.mean(each)) for each in (decided == decisions, decisions, decided))
    by_chance = rate * own + (1 - rate) * (1 - own)
    margin = normal_quantile((1 + level) / 2) * np.sqrt(agreement * (1 - agreement) / n)
    kappa = _beyond(agreement, by_chance, margin) if by_chance < 1 else Estimate(estimate=None, reason="one decision")
    sufficient = kappa.low is not None and kappa.low >= REQUIRED_KAPPA
    return Surrogate(
        classifier=KIND,
        learned_rows=learned_rows,
        rows=n,
        agreement=Estimate(estimate=agreement, low=max(0.0, agreement - margin), high=min(1.0, agreement + margin)),
        majority=max(rate, 1 - rate),
        kappa=kappa,
        auc=auc_of_scores(scores, decisions).area if 0 < rate < 1 else None,
        required_kappa=REQUIRED_KAPPA,
        sufficient=sufficient,
        message=_message(agreement, kappa, n, sufficient=sufficient),
    )


def _beyond(agreement: float, by_chance: float, margin: float) -> Estimate:
    low, estimate, high = (
        (each - by_chance) / (1 - by_chance) for each in (agreement - margin, agreement, agreement + margin)
    )
    return Estimate(estimate=estimate, low=low, high=min(1.0, high))


def _message(agreement: float, kappa: Estimate, rows: int, *, sufficient: bool) -> str:
    does = (
        f"A surrogate ({KIND}, grown on other rows) decides {number(agreement)} of {rows:,} rows as the predictions do "
        f"(Cohen's kappa {number(kappa.estimate)}, at least {number(kappa.low)})"
    )
    if sufficient:
        return (
            f"{does}: use and contribution are the surrogate's, and roles are claimed of it, not proven of the model."
        )
    return (
        f"{does}, below the {number(REQUIRED_KAPPA, digits=1)} that is required: what decisions use cannot be told, and "
        "no role is claimed beyond encoding. Name more of the columns the model reads, or hand in the model."
    )
