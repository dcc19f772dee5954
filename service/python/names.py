"""Names of metrics as Python users know them: ours, fairlearn's, scikit-learn's and Aequitas', and their functions."""

from collections.abc import Callable
from typing import Any

from evenhand.auditors.errors import UnknownMetric
from evenhand.auditors.metrics import COUNT_METRICS, FN, FP, TN, TP, Floats, Metric
from evenhand.service.importers.aequitas import METRICS as AEQUITAS

SCIKIT_LEARN: dict[str, str] = {
    "accuracy_score": "accuracy",
    "balanced_accuracy_score": "balanced_accuracy",
    "f1_score": "f1",
    "matthews_corrcoef": "matthews_correlation",
    "precision_score": "precision",
    "recall_score": "true_positive_rate",
}
"""scikit-learn's name to ours."""


def _rows(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    total: Floats = tn + fp + fn + tp
    return total


COUNT = "count"

ONLY_HERE: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            COUNT, "rows, not weighted", "neither", "never", False,
            formula=_rows, high=float("inf"), source="fairlearn",
        ),
        Metric(
            "zero_one_loss", "share not predicted as labelled", "lower", "the group has no rows", True,
            (FP, FN), (TN, FP, FN, TP), source="scikit-learn",
        ),
    )
}  # fmt: skip
"""Metrics of fairlearn's MetricFrame that no audit compares."""

ALIASES = SCIKIT_LEARN | AEQUITAS


def metric_called(asked: str | Callable[..., Any]) -> Metric:
    """The metric of this name, or that this function of fairlearn or scikit-learn computes.

    Raises:
        UnknownMetric: neither; a function of one's own cannot be had from counts.
    """
    name = asked if isinstance(asked, str) else getattr(asked, "__name__", repr(asked))
    name = ALIASES.get(name, name)
    if name in COUNT_METRICS:
        return COUNT_METRICS[name]
    if name in ONLY_HERE:
        return ONLY_HERE[name]
    raise UnknownMetric(name, [*COUNT_METRICS, *ONLY_HERE, *ALIASES])
