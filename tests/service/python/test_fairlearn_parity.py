"""MetricFrame against fairlearn's: the same index, and equal to 1e-12 wherever ours is defined."""

from collections.abc import Callable
from typing import Any

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st

import evenhand
from evenhand.datasets import builtin

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore::UserWarning", "ignore::RuntimeWarning"
)

SHARED: dict[str, Callable] = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "true_negative_rate": fl.true_negative_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": sk.precision_score,
    "accuracy": sk.accuracy_score,
    "zero_one_loss": sk.zero_one_loss,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "matthews_correlation": sk.matthews_corrcoef,
}

METHODS = ("between_groups", "to_overall")

RULES = {
    "adult": lambda t: t.numeric("hours_per_week") + 3 * t.numeric("education_num") > 75,
    "german": lambda t: t.numeric("duration") < 24,
    "compas": lambda t: t.numeric("priors_count") > 1,
}
"""A rule a data set that stands for a model."""

FEATURES = {
    "adult": (["sex", "race"], "relationship"),
    "german": (["sex", "age_group"], "housing"),
    "compas": (["sex", "race"], "age_cat"),
}
"""Sensitive columns, and one to condition on."""


def both(
    y: Any, p: Any, *, sensitive: Any, control: Any = None, weight: Any = None
) -> tuple[evenhand.MetricFrame, fl.MetricFrame]:
    """The same call to both; fairlearn takes the weights metric by metric."""
    params = {} if weight is None else {"sample_params": {name: {"sample_weight": weight} for name in SHARED}}
    ours = evenhand.MetricFrame(
        metrics=list(SHARED), y_true=y, y_pred=p, sensitive_features=sensitive, control_features=control, **params
    )
    theirs = fl.MetricFrame(
        metrics=SHARED, y_true=y, y_pred=p, sensitive_features=sensitive, control_features=control, **params
    )
    return ours, theirs


def agree(ours: Any, theirs: Any) -> int:
    """How many numbers were compared; fails where one of ours is defined and differs from theirs."""
    assert list(ours.index) == list(theirs.index)
    assert ours.index.names == theirs.index.names
    mine, other = ours.to_numpy(dtype=float), theirs.to_numpy(dtype=float)
    defined = ~np.isnan(mine)
    np.testing.assert_allclose(mine[defined], other[defined], rtol=0, atol=1e-12)
    return int(defined.sum())


def agree_throughout(ours: evenhand.MetricFrame, theirs: fl.MetricFrame) -> int:
    compared = agree(ours.by_group, theirs.by_group) + agree(ours.overall, theirs.overall)
    compared += agree(ours.group_min(), theirs.group_min()) + agree(ours.group_max(), theirs.group_max())
    for method in METHODS:
        compared += agree(ours.difference(method), theirs.difference(method))
        compared += agree(ours.ratio(method), theirs.ratio(method))
    return compared


@pytest.fixture(scope="module", params=sorted(RULES))
def rows(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Labels, predictions, features and weights of one built-in set."""
    table = builtin.load(request.param)
    assert table.card is not None
    sensitive, control = FEATURES[request.param]

    def text(name: str) -> list[str | None]:
        groups = table.groups(name)
        return [groups.values[code] for code in groups.codes]

    return {
        "y": table.binary(table.card.label, table.card.positive),
        "p": RULES[request.param](table).astype(np.int8),
        "sensitive": pd.DataFrame({name: text(name) for name in sensitive}),
        "control": pd.Series(text(control), name=control),
        "weight": np.random.default_rng(0).integers(1, 9, table.rows) / 4,
    }


def test_one_feature(rows: dict[str, Any]) -> None:
    compared = agree_throughout(*both(rows["y"], rows["p"], sensitive=rows["sensitive"].iloc[:, 0]))

    assert compared >= 90


def test_intersection(rows: dict[str, Any]) -> None:
    compared = agree_throughout(*both(rows["y"], rows["p"], sensitive=rows["sensitive"]))

    assert compared >= 90


def test_weights(rows: dict[str, Any]) -> None:
    compared = agree_throughout(*both(rows["y"], rows["p"], sensitive=rows["sensitive"], weight=rows["weight"]))

    assert compared >= 90


def test_control_features(rows: dict[str, Any]) -> None:
    features = {"sensitive": rows["sensitive"].iloc[:, 0], "control": rows["control"]}

    compared = agree_throughout(*both(rows["y"], rows["p"], **features, weight=rows["weight"]))

    assert compared >= 150


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Small tables in which groups, labels and predictions are often missing from each other."""
    n = draw(st.integers(2, 40))
    bits = st.lists(st.integers(0, 1), min_size=n, max_size=n)

    def values(most: int) -> list[Any]:
        levels = draw(st.sampled_from([list("abcd"), [3, 1, 2, 7], [True, False]]))[:most]
        return draw(st.lists(st.sampled_from(levels), min_size=n, max_size=n))

    weights = st.lists(st.sampled_from([0.25, 0.5, 1.0, 3.0]), min_size=n, max_size=n)
    return {
        "y": draw(bits),
        "p": draw(bits),
        "sensitive": {"s": values(4), "t": values(2)} if draw(st.booleans()) else {"s": values(4)},
        "control": draw(st.sampled_from([None, {"c": values(2)}])),
        "weight": draw(st.one_of(st.none(), weights)),
    }


@given(tables())
@settings(max_examples=15, deadline=None, derandomize=True)
def test_random_tables(table: dict[str, Any]) -> None:
    agree_throughout(*both(**table))


@pytest.mark.slow
@given(tables())
@settings(max_examples=150, deadline=None)
def test_many_random_tables(table: dict[str, Any]) -> None:
    agree_throughout(*both(**table))


@pytest.mark.parametrize("control", [None, ["x", "x", "y", "y", "x", "y"]])
def test_one_metric_has_the_shapes_of_one_callable(control: list[str] | None) -> None:
    y, p, s = [0, 1, 1, 0, 1, 0], [1, 1, 0, 0, 1, 1], pd.Series(list("ababab"), name="group")

    ours = evenhand.MetricFrame(metrics="accuracy", y_true=y, y_pred=p, sensitive_features=s, control_features=control)
    theirs = fl.MetricFrame(
        metrics=sk.accuracy_score, y_true=y, y_pred=p, sensitive_features=s, control_features=control
    )

    assert isinstance(ours.by_group, pd.Series)
    agree(ours.by_group, theirs.by_group)
    for mine, other in ((ours.overall, theirs.overall), (ours.difference(), theirs.difference())):
        assert np.allclose(mine, other, atol=1e-12)
        assert type(mine) in (float, pd.Series)
        assert isinstance(mine, pd.Series) == isinstance(other, pd.Series)
