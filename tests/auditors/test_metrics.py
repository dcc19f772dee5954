"""The catalogue against scikit-learn and fairlearn, and laws that hold for all of it."""

import warnings

import fairlearn.metrics as fl
import numpy as np
import pytest
import sklearn.metrics as sk

from evenhand.auditors.errors import UnknownMetric
from evenhand.auditors.metrics import COMPOSITES, COUNT_METRICS, metric_named

CELLS = np.array([[[30.0, 10.0], [5.0, 55.0]]])  # tn 30, fp 10, fn 5, tp 55
LABEL = np.array([0] * 40 + [1] * 60)
PREDICTION = np.array([0] * 30 + [1] * 10 + [0] * 5 + [1] * 55)

REFERENCES = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "true_negative_rate": fl.true_negative_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": sk.precision_score,
    "negative_predictive_value": lambda y, p: sk.precision_score(y, p, pos_label=0),
    "false_discovery_rate": lambda y, p: 1 - sk.precision_score(y, p),
    "false_omission_rate": lambda y, p: 1 - sk.precision_score(y, p, pos_label=0),
    "accuracy": sk.accuracy_score,
    "base_rate": lambda y, p: np.mean(y),
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "matthews_correlation": sk.matthews_corrcoef,
    "treatment_equality": lambda y, p: 5 / 10,  # fn / fp by hand; neither library has it
}


def test_every_metric_has_a_reference() -> None:
    assert set(REFERENCES) == set(COUNT_METRICS)


@pytest.mark.parametrize("name", sorted(COUNT_METRICS))
def test_metric_equals_its_reference(name: str) -> None:
    assert COUNT_METRICS[name].value(CELLS)[0] == pytest.approx(REFERENCES[name](LABEL, PREDICTION), abs=1e-12)


@pytest.mark.parametrize("name", sorted(COUNT_METRICS))
def test_no_rows_is_undefined_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(COUNT_METRICS[name].value(np.zeros((1, 2, 2)))[0])


@pytest.mark.parametrize("name", sorted(COUNT_METRICS))
def test_metric_stays_in_its_range(name: str) -> None:
    metric = COUNT_METRICS[name]
    values = metric.value(np.random.default_rng(0).integers(0, 5, (500, 2, 2)).astype(float))

    defined = values[~np.isnan(values)]

    assert defined.min() >= metric.low
    assert defined.max() <= metric.high


def test_group_without_positives_has_undefined_true_positive_rate() -> None:
    cells = np.array([[[30.0, 10.0], [0.0, 0.0]]])

    assert np.isnan(COUNT_METRICS["true_positive_rate"].value(cells)[0])


def test_favourable_rate_counts_the_outcome_that_helps() -> None:
    rate = metric_named("favourable_rate", favourable_is_positive=False)

    assert rate.value(CELLS)[0] == pytest.approx(35 / 100)  # predicted negative: 30 + 5


@pytest.mark.parametrize("name", sorted(COMPOSITES))
def test_composite_is_made_of_known_metrics(name: str) -> None:
    for component in COMPOSITES[name].components:
        assert metric_named(component, favourable_is_positive=True).name == component


def test_unknown_metric_suggests_the_nearest() -> None:
    with pytest.raises(UnknownMetric, match="Did you mean 'selection_rate'"):
        metric_named("selection_rat", favourable_is_positive=True)
