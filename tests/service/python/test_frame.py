"""What MetricFrame says beyond fairlearn: intervals, reasons, missing values, and refusals that say what to do."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import sklearn.metrics as sk

import evenhand
from evenhand.auditors.errors import LengthMismatch, UnknownMetric
from evenhand.datasets.errors import MissingValue, NotBinary
from evenhand.service.audits.errors import BadArgument

Y = [1, 1, 0, 0, 1, 0, 0, 0]
P = [1, 0, 1, 0, 1, 1, 0, 0]
G = list("aaaabbbb")


def frame(metrics: object = "selection_rate", **changed: object) -> evenhand.MetricFrame:
    return evenhand.MetricFrame(**({"metrics": metrics, "y_true": Y, "y_pred": P, "sensitive_features": G} | changed))


def test_interval_of_a_rate_is_wilsons() -> None:
    """Wilson (1927) of 2 in 4 at 95 %: .1500 to .8500, as statsmodels' proportion_confint says too."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(2, 4, method="wilson")

    assert frame().intervals.loc["a"].tolist() == pytest.approx([low, high], abs=1e-12)


def test_interval_of_the_largest_gap_of_two_groups_is_miettinens_and_nurminens() -> None:
    """12 of 20 against 6 of 20, Miettinen and Nurminen (1985): solved here with scipy's root finder."""
    from scipy.optimize import brentq
    from scipy.stats import norm

    def z(d: float) -> float:
        def likelihood(q: float) -> float:
            return -(12 * np.log(q + d) + 8 * np.log(1 - q - d) + 6 * np.log(q) + 14 * np.log(1 - q))

        from scipy.optimize import minimize_scalar

        room = (max(0, -d) + 1e-9, min(1, 1 - d) - 1e-9)
        q2 = minimize_scalar(likelihood, bounds=room, method="bounded", options={"xatol": 1e-12}).x
        q1 = q2 + d
        return (0.3 - d) / np.sqrt((q1 * (1 - q1) + q2 * (1 - q2)) / 20 * 40 / 39)

    critical = norm.ppf(0.975)
    expected = [brentq(lambda d: z(d) - critical, -0.5, 0.3), brentq(lambda d: z(d) + critical, 0.3, 0.9)]
    p, g = [1] * 12 + [0] * 8 + [1] * 6 + [0] * 14, ["a"] * 20 + ["b"] * 20

    found = frame(y_true=None, y_pred=p, sensitive_features=g).difference_intervals().loc["selection_rate"]

    assert found.estimate == pytest.approx(0.3)
    assert (found.group, found.reference) == ("a", "b")
    assert [found.low, found.high] == pytest.approx(expected, abs=1e-6)


def test_ratio_interval_holds_the_ratio() -> None:
    found = frame().ratio_intervals(level=0.9).loc["selection_rate"]

    assert found.low < found.estimate == 1.0 < found.high


def test_gap_of_two_groups_to_all_rows_is_the_others_share_of_the_gap_between_them() -> None:
    """With 15 and 5 rows, p less the rate of all is 5/20 (p - q) for the first and 15/20 (q - p) for the second."""
    p, g = [1] * 12 + [0] * 3 + [1] + [0] * 4, ["a"] * 15 + ["b"] * 5
    made = frame(y_true=None, y_pred=p, sensitive_features=g)
    between, to_all = (made.difference_intervals(m).loc["selection_rate"] for m in ("between_groups", "to_overall"))

    assert to_all.estimate == pytest.approx(made.difference("to_overall")) == pytest.approx(0.75 * between.estimate)
    assert [to_all.low, to_all.high] == pytest.approx([0.75 * between.low, 0.75 * between.high], abs=1e-9)
    assert (to_all.group, to_all.reference) == ("b", None)
    ratio = made.ratio_intervals("to_overall").loc["selection_rate"]
    assert ratio.estimate == pytest.approx(made.ratio("to_overall")) == pytest.approx(0.2 / 0.65)
    assert ratio.low < ratio.estimate < ratio.high < 1


def test_weights_of_one_change_no_interval() -> None:
    for method in ("between_groups", "to_overall"):
        pd.testing.assert_frame_equal(
            frame().difference_intervals(method), frame(sample_weight=[1.0] * 8).difference_intervals(method)
        )
    pd.testing.assert_frame_equal(frame().overall_intervals, frame(sample_weight=[3.0] * 8).overall_intervals)


def test_overall_has_intervals_by_control_level_too() -> None:
    from statsmodels.stats.proportion import proportion_confint

    plain = frame().overall_intervals
    within = frame(control_features=pd.Series(G, name="c"), sensitive_features=P).overall_intervals

    assert plain.loc["selection_rate"].tolist() == pytest.approx(list(proportion_confint(4, 8, method="wilson")))
    assert within.loc["a", "selection_rate"].tolist() == pytest.approx(list(proportion_confint(2, 4, method="wilson")))


def test_metrics_that_are_no_rates_have_no_interval_to_all_rows() -> None:
    found = frame("f1").difference_intervals("to_overall").loc["f1"]

    assert found.estimate == pytest.approx(frame("f1").difference("to_overall"))
    assert np.isnan(found.low)


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_interval_of_the_largest_gap_to_all_rows_covers_it(weighted: bool) -> None:
    """2,000 samples of three groups at .3, .5 and .6; weights are drawn apart from all else."""
    rng = np.random.default_rng(3)
    g = np.repeat(["a", "b", "c"], [60, 100, 140])
    rates = np.repeat([0.3, 0.5, 0.6], [60, 100, 140])
    covered = 0
    for _ in range(2000):
        weight = rng.choice([0.5, 1.0, 2.0], len(g)) if weighted else np.ones(len(g))
        true = max(abs(rates[g == k][0] - np.average(rates, weights=weight)) for k in "abc")
        p = (rng.random(len(g)) < rates).astype(int)
        made = frame(y_true=None, y_pred=p, sensitive_features=g, sample_weight=weight)
        found = made.difference_intervals("to_overall").loc["selection_rate"]
        covered += found.low <= true <= found.high

    assert covered / 2000 >= 0.935


def test_group_without_positives_has_no_true_positive_rate_and_no_difference() -> None:
    made = frame("true_positive_rate", y_true=[1, 1, 0, 0, 0, 0, 0, 0])

    assert np.isnan(made.by_group["b"])
    assert made.undefined["b"] == "the group has no rows labelled positive"
    assert made.undefined["a"] is None
    assert np.isnan(made.difference())
    assert np.isnan(made.group_max())
    assert np.isnan(made.difference_intervals().loc["true_positive_rate", "low"])


def test_combination_without_rows_is_listed_and_leaves_the_difference_defined() -> None:
    made = frame(sensitive_features={"g": G, "h": [1, 1, 2, 2, 1, 1, 1, 1]})

    assert made.undefined["b", 2] == "the group has no rows"
    assert made.difference() == 0.0


def test_rows_without_the_attribute_are_listed_and_not_compared() -> None:
    made = frame(sensitive_features=["a", "a", "a", "a", "b", "b", None, float("nan")])

    assert made.by_group.iloc[:2].to_dict() == {"a": 0.5, "b": 1.0}
    assert made.by_group.index.isna().tolist() == [False, False, True]
    assert made.by_group.iloc[2] == 0.0
    assert made.difference() == 0.5
    assert made.overall == 0.5


def test_values_keep_their_type_in_the_index() -> None:
    assert frame(sensitive_features=[10, 9, 9, 10, 9, 9, 9, 9]).by_group.index.tolist() == [9, 10]
    assert frame(sensitive_features=np.array(P, dtype=bool)).by_group.index.tolist() == [False, True]


@pytest.mark.parametrize(
    "values",
    [
        np.array(G),
        np.array(G, dtype=object)[:, None],
        pd.Series(G, dtype="category"),
        pd.Series(G).astype("string"),
        pa.array(G),
        pa.chunked_array([G[:3], G[3:]]),
        pa.array(G).dictionary_encode(),
    ],
    ids=["numpy", "column", "category", "string", "arrow", "chunks", "dictionary"],
)
def test_columns_of_every_kind_give_the_same_groups(values: object) -> None:
    assert frame(sensitive_features=values).by_group.to_dict() == {"a": 0.5, "b": 0.5}


@pytest.mark.parametrize("pair", [(False, True), (0.0, 1.0), (-1, 1)])
def test_labels_of_two_plain_values_need_no_positive(pair: tuple[object, object]) -> None:
    made = frame("accuracy", y_true=[pair[v] for v in Y], y_pred=[pair[v] for v in P])

    assert made.overall == 5 / 8


def test_other_labels_need_a_positive() -> None:
    words = {"y_true": [("bad", "good")[v] for v in Y], "y_pred": [("bad", "good")[v] for v in P]}

    with pytest.raises(NotBinary, match="bad, good"):
        frame(**words)
    assert frame("true_positive_rate", **words, positive="good").overall == 2 / 3


def test_prediction_that_never_selects_is_no_error() -> None:
    made = frame(y_true=["yes", "no"] * 4, y_pred=["no"] * 8, positive="yes")

    assert made.overall == 0.0


def test_functions_of_scikit_learn_are_taken_by_their_name() -> None:
    made = frame({"acc": sk.accuracy_score, "recall": "recall_score", "aequitas": "pprev"})

    assert made.by_group.columns.tolist() == ["acc", "recall", "aequitas"]
    assert made.overall["recall"] == sk.recall_score(Y, P)


def test_a_function_of_ones_own_is_refused_by_name() -> None:
    def my_metric(y: object, p: object) -> float:
        return 0.0

    with pytest.raises(UnknownMetric, match="my_metric"):
        frame(my_metric)


def test_weights_of_one_metric_leave_the_others_as_they_are() -> None:
    weight = [2.0, 1, 1, 1, 1, 1, 1, 1]

    made = frame(["selection_rate", "accuracy"], sample_params={"accuracy": {"sample_weight": weight}})

    assert made.by_group.loc["a"].tolist() == [0.5, 3 / 5]


def test_count_is_of_rows_whatever_they_weigh() -> None:
    assert frame("count", sample_weight=[0.5] * 8).by_group.to_dict() == {"a": 4.0, "b": 4.0}


def test_sample_params_other_than_weights_are_refused() -> None:
    with pytest.raises(BadArgument, match="pos_label"):
        frame(sample_params={"pos_label": "good"})


def test_lengths_are_compared() -> None:
    with pytest.raises(LengthMismatch, match="'y_true' has 7 entries where the rows are 8"):
        frame(y_true=Y[:7])
    with pytest.raises(LengthMismatch, match="sensitive_feature_0"):
        frame(sensitive_features=G[:5])
    with pytest.raises(LengthMismatch, match="sample_weight"):
        frame(sample_weight=[1.0])


def test_missing_label_is_an_error_with_its_row() -> None:
    with pytest.raises(MissingValue, match="row 2"):
        frame(y_true=[1, None, 0, 0, 1, 0, 0, 0])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"y_pred": "yhat"}, "y_pred: it is text"),
        ({"y_pred": 1}, "y_pred: it is of type int"),
        ({"y_pred": np.zeros((8, 2))}, "shape"),
        ({"y_true": None, "metrics": "accuracy"}, "accuracy needs labels"),
        ({"control_features": pd.Series(G, name="sensitive_feature_0")}, "is a sensitive feature too"),
        ({"metrics": []}, "no metric is named"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(changed: dict[str, object], said: str) -> None:
    with pytest.raises(BadArgument, match=said):
        frame(**changed)


def test_a_method_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadArgument, match="between_groups"):
        frame().difference("to_mean")


def test_it_shows_itself() -> None:
    made = frame(["selection_rate"], sensitive_features=pd.Series(G, name="<b>"))

    assert repr(made) == "<MetricFrame: selection_rate of 2 groups by <b>>"
    assert "<b>" not in made._repr_html_()
