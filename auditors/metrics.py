"""The metric catalogue: what each metric counts, when it is undefined, which way is better, and its source.

Adding a metric touches this file alone. Comparisons between groups belong in `disparity`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.errors import UnknownMetric
from evenhand.auditors.verdict import Comparison

Floats = NDArray[np.float64]
Direction = Literal["higher", "lower", "neither"]

# Cells of a confusion table in the order label, prediction: (0,0), (0,1), (1,0), (1,1).
TN, FP, FN, TP = 0, 1, 2, 3


@dataclass(frozen=True)
class Metric:
    """A metric of one group, computed from its confusion counts.

    Attributes:
        name: fairlearn's and scikit-learn's name.
        meaning: in words, for people.
        better: which way is better for those it is about.
        undefined_when: the reason given in place of 0/0.
        needs_labels: whether predictions alone do not suffice.
        numerator, denominator: cells that a rate counts; empty for metrics that are no plain rate.
        formula: of tn, fp, fn, tp (each of shape (k,)) where it is no plain rate; NaN where undefined.
        low, high: the range of values.
        source: paper, standard or library that defines it.
    """

    name: str
    meaning: str
    better: Direction
    undefined_when: str
    needs_labels: bool = True
    numerator: tuple[int, ...] = ()
    denominator: tuple[int, ...] = ()
    formula: Callable[[Floats, Floats, Floats, Floats], Floats] | None = None
    low: float = 0.0
    high: float = 1.0
    source: str = "Fawcett (2006), Pattern Recognition Letters 27"

    @property
    def is_rate(self) -> bool:
        return self.formula is None

    def fraction(self, cells: Floats) -> tuple[Floats, Floats]:
        """Numerator and denominator of a rate, each of shape (k,), from cells of shape (k, labels, 2)."""
        flat = _flat(cells)
        return flat[:, list(self.numerator)].sum(axis=1), flat[:, list(self.denominator)].sum(axis=1)

    def value(self, cells: Floats) -> Floats:
        """The metric of each group, shape (k,); NaN where it is undefined."""
        if self.formula is not None:
            flat = _flat(cells)
            return self.formula(flat[:, TN], flat[:, FP], flat[:, FN], flat[:, TP])
        numerator, denominator = self.fraction(cells)
        return _divide(numerator, denominator)


def _flat(cells: Floats) -> Floats:
    """Shape (k, 4) in the order tn, fp, fn, tp; without labels the predictions stand as if every label were 0."""
    flat = cells.reshape(len(cells), -1)
    return flat if flat.shape[1] == 4 else np.hstack([flat, np.zeros_like(flat)])


def _divide(numerator: Floats, denominator: Floats) -> Floats:
    ratio: Floats = np.divide(numerator, denominator, out=np.full(numerator.shape, np.nan), where=denominator > 0)
    return ratio


def _balanced_accuracy(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    return (_divide(tp, tp + fn) + _divide(tn, tn + fp)) / 2


def _f1(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    return _divide(2 * tp, 2 * tp + fp + fn)


def _matthews(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    return _divide(tp * tn - fp * fn, np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)))


def _treatment_equality(tn: Floats, fp: Floats, fn: Floats, tp: Floats) -> Floats:
    return _divide(fn, fp)


_NO_ROWS = "the group has no rows"
_NO_POSITIVES = "the group has no rows labelled positive"
_NO_NEGATIVES = "the group has no rows labelled negative"
_NONE_SELECTED = "nobody in the group was predicted positive"
_ALL_SELECTED = "everybody in the group was predicted positive"
_ALL = (TN, FP, FN, TP)

COUNT_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "selection_rate", "share predicted positive", "neither", _NO_ROWS, False, (FP, TP), _ALL,
            source="UGESP (1978) 29 CFR 1607.16 R; fairlearn",
        ),
        Metric("true_positive_rate", "of those labelled positive, share predicted positive", "higher", _NO_POSITIVES, True, (TP,), (TP, FN)),
        Metric("false_positive_rate", "of those labelled negative, share predicted positive", "lower", _NO_NEGATIVES, True, (FP,), (FP, TN)),
        Metric("true_negative_rate", "of those labelled negative, share predicted negative", "higher", _NO_NEGATIVES, True, (TN,), (FP, TN)),
        Metric("false_negative_rate", "of those labelled positive, share predicted negative", "lower", _NO_POSITIVES, True, (FN,), (TP, FN)),
        Metric("precision", "of those predicted positive, share labelled positive", "higher", _NONE_SELECTED, True, (TP,), (TP, FP)),
        Metric("negative_predictive_value", "of those predicted negative, share labelled negative", "higher", _ALL_SELECTED, True, (TN,), (TN, FN)),
        Metric("false_discovery_rate", "of those predicted positive, share labelled negative", "lower", _NONE_SELECTED, True, (FP,), (TP, FP)),
        Metric("false_omission_rate", "of those predicted negative, share labelled positive", "lower", _ALL_SELECTED, True, (FN,), (TN, FN)),
        Metric("accuracy", "share predicted as labelled", "higher", _NO_ROWS, True, (TN, TP), _ALL),
        Metric("base_rate", "share labelled positive", "neither", _NO_ROWS, True, (FN, TP), _ALL),
        Metric(
            "balanced_accuracy", "mean of the true positive and the true negative rate", "higher",
            "the group lacks rows of one label", formula=_balanced_accuracy, source="Brodersen (2010), ICPR",
        ),
        Metric(
            "f1", "harmonic mean of precision and true positive rate", "higher",
            "the group has no positive, neither labelled nor predicted", formula=_f1, source="van Rijsbergen (1979)",
        ),
        Metric(
            "matthews_correlation", "correlation of label and prediction", "higher",
            "all labels, or all predictions, of the group are the same", formula=_matthews, low=-1.0, source="Matthews (1975)",
        ),
        Metric(
            "treatment_equality", "false negatives for each false positive", "neither",
            "the group has no false positives", formula=_treatment_equality, high=float("inf"),
            source="Berk et al. (2018), Sociological Methods & Research 50",
        ),
    )
}  # fmt: skip

FAVOURABLE_RATE = "favourable_rate"


def favourable_rate(*, favourable_is_positive: bool) -> Metric:
    """Rate of the outcome that helps the person: predicted positive, or predicted negative."""
    return Metric(
        FAVOURABLE_RATE, "share with the favourable outcome", "higher", _NO_ROWS, False,
        (FP, TP) if favourable_is_positive else (TN, FN), _ALL, source="UGESP (1978) 29 CFR 1607.16 R",
    )  # fmt: skip


@dataclass(frozen=True)
class Composite:
    """A comparison known by a name of its own: the largest gap of one or several metrics over all pairs of groups.

    Attributes:
        components: metrics compared; more than one means the greater gap decides.
        average: the mean of the components' gaps instead of the greatest.
    """

    name: str
    components: tuple[str, ...]
    comparison: Comparison
    meaning: str
    source: str
    average: bool = False


_HARDT = "Hardt, Price and Srebro (2016), NeurIPS; fairlearn"


def _both(name: str, components: tuple[str, ...], meaning: str, source: str) -> list[Composite]:
    return [
        Composite(f"{name}_difference", components, Comparison.DIFFERENCE, f"largest difference of {meaning}", source),
        Composite(f"{name}_ratio", components, Comparison.RATIO, f"smallest ratio of {meaning}", source),
    ]


COMPOSITES: dict[str, Composite] = {
    composite.name: composite
    for composite in (
        Composite(
            "impact_ratio", (FAVOURABLE_RATE,), Comparison.RATIO,
            "smallest ratio of the rates of the favourable outcome", "UGESP (1978) 29 CFR 1607.4 D; NYC Local Law 144",
        ),
        *_both("demographic_parity", ("selection_rate",), "the selection rates", "Dwork et al. (2012), ITCS; fairlearn"),
        *_both("equalized_odds", ("true_positive_rate", "false_positive_rate"), "the true and the false positive rates", _HARDT),
        *_both("equal_opportunity", ("true_positive_rate",), "the true positive rates", _HARDT),
        *_both("predictive_parity", ("precision",), "the precisions", "Chouldechova (2017), Big Data 5"),
        Composite(
            "equalized_odds_average_difference", ("true_positive_rate", "false_positive_rate"), Comparison.DIFFERENCE,
            "mean of the largest differences of the true and of the false positive rates", _HARDT, average=True,
        ),
        Composite(
            "equalized_odds_average_ratio", ("true_positive_rate", "false_positive_rate"), Comparison.RATIO,
            "mean of the smallest ratios of the true and of the false positive rates", _HARDT, average=True,
        ),
        *_both(
            "treatment_equality", ("treatment_equality",), "the false negatives for each false positive",
            "Berk et al. (2018), Sociological Methods & Research 50",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Whole:
    """One number about an attribute as a whole, not the gap between two of its groups.

    Attributes:
        comparison: value, or ratio where 1 means equal.
        needs_stratum: whether it is about people of the same stratum.
    """

    name: str
    comparison: Comparison
    meaning: str
    source: str
    needs_labels: bool = False
    needs_stratum: bool = False


WHOLES: dict[str, Whole] = {
    whole.name: whole
    for whole in (
        Whole(
            "generalized_entropy_between", Comparison.VALUE,
            "inequality of benefits (prediction - label + 1) that lies between groups, 0 where their means are equal",
            "Speicher et al. (2018), KDD", needs_labels=True,
        ),
        Whole(
            "conditional_demographic_disparity", Comparison.VALUE,
            "share among the refused minus share among the favoured, averaged over strata by their people",
            "Wachter, Mittelstadt and Russell (2021), Computer Law & Security Review 41", needs_stratum=True,
        ),
        Whole(
            "cmh_odds_ratio", Comparison.RATIO,
            "odds of the favourable outcome over those of the rest, common to all strata",
            "Mantel and Haenszel (1959), JNCI 22", needs_stratum=True,
        ),
    )
}  # fmt: skip


def gap_named(name: str, *, comparison: Comparison | None) -> Composite:
    """The comparison that a check names: a composite, or the gap of a plain metric, with or without its suffix.

    Args:
        comparison: as the check says; absent, a difference unless the name says ratio.
    """
    if name in COMPOSITES:
        return COMPOSITES[name]
    for suffix, said in (("_difference", Comparison.DIFFERENCE), ("_ratio", Comparison.RATIO)):
        base = name.removesuffix(suffix)
        if base != name and (base in COUNT_METRICS or base == FAVOURABLE_RATE):
            return Composite(name, (base,), said, "", "")
    return Composite(name, (name,), comparison or Comparison.DIFFERENCE, "", "")


def metric_named(name: str, *, favourable_is_positive: bool) -> Metric:
    """The metric of this name.

    Raises:
        UnknownMetric: it is in no catalogue.
    """
    if name == FAVOURABLE_RATE:
        return favourable_rate(favourable_is_positive=favourable_is_positive)
    if name in COUNT_METRICS:
        return COUNT_METRICS[name]
    raise UnknownMetric(name, [*COUNT_METRICS, FAVOURABLE_RATE, *COMPOSITES, *WHOLES])
