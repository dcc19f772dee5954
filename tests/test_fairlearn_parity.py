"""Every metric that evenhand and fairlearn both have, on Adult: equal to 1e-12 where it is defined."""

from collections.abc import Callable

import fairlearn.metrics as fl
import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sk

from evenhand.auditors.counts import Attribute, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Finding, GroupDisparity
from evenhand.datasets import builtin

ATTRIBUTES = ("sex", "race")

BY_GROUP: dict[str, Callable] = {
    "selection_rate": fl.selection_rate,
    "true_positive_rate": fl.true_positive_rate,
    "false_positive_rate": fl.false_positive_rate,
    "true_negative_rate": fl.true_negative_rate,
    "false_negative_rate": fl.false_negative_rate,
    "precision": sk.precision_score,
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "f1": sk.f1_score,
    "matthews_correlation": sk.matthews_corrcoef,
}

COMPOSITE: dict[str, Callable] = {
    "demographic_parity_difference": fl.demographic_parity_difference,
    "demographic_parity_ratio": fl.demographic_parity_ratio,
    "equalized_odds_difference": fl.equalized_odds_difference,
    "equalized_odds_ratio": fl.equalized_odds_ratio,
    "equal_opportunity_difference": fl.equal_opportunity_difference,
    "equal_opportunity_ratio": fl.equal_opportunity_ratio,
    "equalized_odds_average_difference": lambda y, p, sensitive_features: fl.equalized_odds_difference(
        y, p, sensitive_features=sensitive_features, agg="mean"
    ),
}


@pytest.fixture(scope="module")
def adult() -> pd.DataFrame:
    """Labels, sensitive columns, and a rule that stands for a model: long hours and much schooling."""
    table = builtin.load("adult")
    label = table.binary("income", ">50K")
    prediction = (table.numeric("hours_per_week") + 3 * table.numeric("education_num") > 75).astype(np.int8)
    frame = {name: np.array(table.groups(name).values)[table.groups(name).codes] for name in ATTRIBUTES}
    return pd.DataFrame({"label": label, "prediction": prediction, **frame})


@pytest.fixture(scope="module")
def audited(adult: pd.DataFrame) -> tuple[GroupDisparity, list[Finding]]:
    attributes = []
    for name in ATTRIBUTES:
        values, codes = np.unique(adult[name], return_inverse=True)
        attributes.append(Attribute(name, codes, tuple(values)))
    table = count(attributes, prediction=adult["prediction"].to_numpy(), label=adult["label"].to_numpy())
    policy = Policy(check=[Check(metric=name, within=0.5) for name in COMPOSITE])
    meaning = Meaning("1", "1", "label", "prediction", favourable_is_positive=True)
    return audit_group_disparity(table, policy=policy, meaning=meaning, rng=np.random.default_rng(0))


@pytest.mark.parametrize("name", sorted(BY_GROUP))
@pytest.mark.parametrize("columns", [("sex",), ("race",), ("sex", "race")])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_by_group(adult: pd.DataFrame, audited, name: str, columns: tuple[str, ...]) -> None:
    theirs = fl.MetricFrame(
        metrics=BY_GROUP[name],
        y_true=adult["label"],
        y_pred=adult["prediction"],
        sensitive_features=adult[list(columns)],
    ).by_group

    attribute = next(a for a in audited[0].attributes if a.attribute == " × ".join(columns))

    compared = 0
    for group in attribute.groups:
        key = tuple(group.group[column] for column in columns)
        ours = group.metrics[name].estimate
        if ours is not None:
            assert ours == pytest.approx(theirs[key if len(key) > 1 else key[0]], abs=1e-12)
            compared += 1
    assert compared >= 2


@pytest.mark.parametrize("name", sorted(COMPOSITE))
@pytest.mark.parametrize("column", ATTRIBUTES)
def test_composite(adult: pd.DataFrame, audited, name: str, column: str) -> None:
    theirs = COMPOSITE[name](adult["label"], adult["prediction"], sensitive_features=adult[column])

    ours = next(f for f in audited[1] if f.metric == name and f.attribute == column and f.id.count("/") == 3)

    assert ours.estimate == pytest.approx(theirs, abs=1e-12)
