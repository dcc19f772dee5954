"""The numbers of each group: how many rows have no recourse or break easily, what a change costs, and robust accuracy."""

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.report import ChangeGroup, Estimate, RobustnessGroup
from evenhand.auditors.robustness.clusters import Spread, generator, wilson
from evenhand.auditors.robustness.rates import rate
from evenhand.auditors.robustness.tables.medians import DRAWS, lower_median, median_estimate
from evenhand.auditors.robustness.tables.sample import QUESTIONS, Question, Sample

Floats = NDArray[np.float64]


def struck(cost: Floats, question: Question, *, fragility_budget: float) -> NDArray[np.bool_]:
    """Rows that a share counts: without recourse, or whose decision a change within the fragility budget loses."""
    if question == "recourse":
        return ~np.isfinite(cost)
    return np.asarray(cost <= fragility_budget + 1e-12)


def change_groups(
    sample: Sample, attribute: str, cost: Floats, *, fragility_budget: float, level: float, seed: int
) -> list[ChangeGroup]:
    """Both questions for every group, empty and unknown ones included; `cost` of shape (n,) is NaN where not searched."""
    unit = sample.data.units()
    found = []
    for question in QUESTIONS:
        for code, text in enumerate(sample.data.attributes[attribute][1]):
            rows = sample.drawn(attribute, code, question)
            counted = struck(cost[rows], question, fragility_budget=fragility_budget)
            found.append(
                ChangeGroup(
                    group={attribute: text},
                    question=question,
                    n=len(sample.of(attribute, code, question)),
                    searched=len(rows),
                    share=rate(counted, unit[rows], level=level, seed=seed)
                    if len(rows)
                    else Estimate(estimate=None, reason="no rows with this decision"),
                    median_cost=median_estimate(cost[rows], unit[rows], level=level, seed=seed),
                )
            )
    return found


def accuracy_groups(
    sample: Sample, attribute: str, cost: Floats, *, fragility_budget: float, level: float, seed: int
) -> list[RobustnessGroup]:
    """Accuracy of all rows, and of those searched under changes within the fragility budget, weighted to all rows."""
    return [
        _accuracy_group(sample, attribute, code, cost, fragility_budget, level, seed)
        for code in range(len(sample.data.attributes[attribute][1]))
    ]


def _accuracy_group(
    sample: Sample, attribute: str, code: int, cost: Floats, fragility_budget: float, level: float, seed: int
) -> RobustnessGroup:
    data, unit = sample.data, sample.data.units()
    codes, texts = data.attributes[attribute]
    everyone = np.flatnonzero(codes == code)
    parts = [(sample.drawn(attribute, code, question), question) for question in QUESTIONS]
    rows = np.concatenate([part for part, _ in parts])
    weight = np.concatenate(
        [np.full(len(part), len(sample.of(attribute, code, question)) / max(len(part), 1)) for part, question in parts]
    )
    if data.label is None:
        clean = robust = Estimate(estimate=None, reason="no label column")
    elif len(everyone) == 0:
        clean = robust = Estimate(estimate=None, reason="no rows")
    else:
        correct = data.label == sample.favourable
        clean = rate(correct[everyone], unit[everyone], level=level, seed=seed)
        stays = correct[rows] & ~(cost[rows] <= fragility_budget + 1e-12)
        robust = _weighted_rate(stays, weight, unit[rows], level=level, seed=seed)
    median = lower_median(cost[rows], weight) if len(rows) else np.inf
    return RobustnessGroup(
        group={attribute: texts[code]},
        n=len(everyone),
        units=len(np.unique(unit[rows])),
        clean_accuracy=clean,
        robust_accuracy=robust,
        median_distance=float(median) if np.isfinite(median) else None,
    )


def _weighted_rate(
    success: NDArray[np.bool_], weight: Floats, unit: NDArray[np.int64], *, level: float, seed: int
) -> Estimate:
    """Weighted share with a bootstrap over units; Wilson's interval on the units where all or none succeed."""
    estimate = float(np.average(success, weights=weight))
    codes, compact = np.unique(unit, return_inverse=True)
    if estimate in (0.0, 1.0) or len(codes) < 2:
        interval = wilson(estimate * len(codes), len(codes), level)
    else:
        by_unit, totals = (np.bincount(compact.reshape(-1), each) for each in (weight * success, weight))
        times = generator(seed, "rate").multinomial(len(codes), np.full(len(codes), 1 / len(codes)), size=DRAWS)
        interval = Spread(estimate, (times @ by_unit) / (times @ totals), len(codes)).interval(level)
    return Estimate(estimate=estimate, low=max(0.0, interval.low), high=min(1.0, interval.high))
