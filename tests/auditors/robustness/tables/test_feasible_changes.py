"""Which changes are feasible: by rule, by assumption, and what is refused."""

import numpy as np
import pytest

from evenhand.auditors.errors import PolicyError
from evenhand.auditors.policy import FeatureRule
from evenhand.auditors.robustness.tables.data import RowData
from evenhand.auditors.robustness.tables.feasible import Block, Feasible, feasible_changes
from evenhand.auditors.robustness.tables.quantiles import Distribution
from tests.auditors.robustness.tables.toys import rows


def people(**more: np.ndarray) -> RowData:
    n = 200
    columns: dict[str, np.ndarray] = {
        "income": np.arange(n) * 10.0,
        "years": np.tile([9.0, 12.0, 13.0, 16.0], n // 4),
        "degree": np.array(["none", "school", "some", "college"] * (n // 4), dtype=object),
        "job": np.array(["clerk", "cook"] * (n // 2), dtype=object),
        "sex": np.array(["F", "M"] * (n // 2), dtype=object),
    }
    return RowData(
        columns | more, {"sex": ((np.arange(n) % 2).astype(np.int32), ("F", "M"))}, np.arange(n, dtype=np.int64)
    )


def block(feasible: Feasible, leader: str) -> Block:
    return next(each for each in feasible.blocks if each.leader == leader)


def test_sensitive_column_never_changes() -> None:
    feasible = feasible_changes(people(), rules={})

    assert all("sex" not in each.members for each in feasible.blocks)
    assert next(each for each in feasible.features if each.feature == "sex").reason == "fixed: a sensitive column"


def test_rule_that_would_change_a_sensitive_column_is_refused() -> None:
    with pytest.raises(PolicyError, match="nobody is asked to change it"):
        feasible_changes(people(), rules={"sex": FeatureRule(immutable=False)})


def test_numbers_move_between_the_observed_quantiles() -> None:
    income = block(feasible_changes(people(), rules={}), "income").values["income"]

    assert (income[0], income[-1]) == (10.0, 1970.0)  # the 2nd and the 198th of 200 values


def test_whole_numbers_stay_whole_at_bounds_of_the_policy() -> None:
    found = feasible_changes(people(), rules={"income": FeatureRule(low=95.5, high=304.5)})

    assert block(found, "income").values["income"].tolist() == [96.0, *np.arange(100.0, 301.0, 10.0), 304.0]


def test_direction_leaves_one_way() -> None:
    for direction, sign in (("up", 1), ("down", -1)):
        income = block(feasible_changes(people(), rules={"income": FeatureRule(direction=direction)}), "income")
        feasible = np.isfinite(income.costs(np.array([500.0]))[0])
        assert np.all(np.sign(income.values["income"][feasible] - 500) == sign)


def test_features_that_determine_each_other_change_together() -> None:
    years = block(feasible_changes(people(), rules={}), "years")

    assert years.members == ("years", "degree")
    assert dict(zip(years.values["years"], years.values["degree"], strict=True)) == {
        9.0: "none",
        12.0: "school",
        13.0: "some",
        16.0: "college",
    }


def test_feature_tied_to_a_fixed_one_stays() -> None:
    feasible = feasible_changes(people(), rules={"degree": FeatureRule(immutable=True)})

    assert [each.leader for each in feasible.blocks] == ["income", "job"]
    assert next(each for each in feasible.features if each.feature == "years").reason == "changes with degree alone"


def test_cost_is_the_share_of_rows_passed_and_the_same_both_ways() -> None:
    """Of 10 rows 6 are at 0: leaving 0 for 1 passes half of those and half of the one at 1."""
    distribution = Distribution.of(np.array([0.0] * 6 + [1.0, 2.0, 3.0, 4.0]))

    places = distribution.position(np.array([0.0, 1.0, 4.0, -5.0, 9.0]))

    assert places.tolist() == pytest.approx([0.3, 0.65, 0.95, 0.0, 1.0])


def test_another_category_costs_one_times_the_weight() -> None:
    job = block(feasible_changes(people(), rules={"job": FeatureRule(cost=0.5)}), "job")

    costs = job.costs(np.array(["cook", None], dtype=object))

    assert sorted(costs[0]) == [0.5, np.inf]
    assert np.isinf(costs[1]).all()


def test_feature_that_is_not_actionable_counts_for_fragility_alone() -> None:
    feasible = feasible_changes(people(), rules={"income": FeatureRule(actionable=False)})

    assert "income" in [each.leader for each in feasible.blocks]
    assert "income" not in [each.leader for each in feasible.actionable().blocks]


def test_what_the_card_fixes_can_be_freed_by_a_rule() -> None:
    data = RowData(people().columns, people().attributes, people().ids, fixed=frozenset({"job"}))

    assert "job" not in [each.leader for each in feasible_changes(data, rules={}).blocks]
    freed = feasible_changes(data, rules={"job": FeatureRule(immutable=False)})
    assert "job" in [each.leader for each in freed.blocks]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"incom": FeatureRule(immutable=True)}, "Did you mean 'income'"),
        ({"job": FeatureRule(direction="up")}, "have no order"),
        ({"job": FeatureRule(values=["pilot"])}, "Observed: clerk, cook"),
        ({"income": FeatureRule(values=["much"])}, "holds numbers"),
        ({"income": FeatureRule(low=3000)}, "nothing lies between"),
    ],
)
def test_rule_that_a_feature_does_not_allow_is_refused(rules: dict[str, FeatureRule], said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        feasible_changes(people(), rules=rules)


def test_assumptions_are_stated_for_every_feature() -> None:
    data = rows(100, categories=1)

    described = feasible_changes(data, rules={}).features

    assert [each.feature for each in described] == list(data.columns)
    assert all("assumed" in each.reason for each in described)
