"""Recourse and fragility by group: planted gaps are found, equal groups are not accused, and undefined stays undefined."""

from dataclasses import replace

import numpy as np
import pytest

from evenhand.auditors.errors import UndefinedScores
from evenhand.auditors.policy import FeatureRule, RobustnessSection
from evenhand.auditors.report import Finding, Robustness
from evenhand.auditors.robustness.tables import Decisions, RowData, audit_changes
from evenhand.auditors.robustness.tables.data import Columns
from evenhand.auditors.robustness.tables.medians import cost_gap, lower_median
from evenhand.auditors.verdict import Gate, Verdict

STAYS = {"group_b": FeatureRule(immutable=True)}


def people(n: int = 600, seed: int = 0) -> RowData:
    """Income 0 to 99; `group_b` tells the classifier who is B, and the two groups have equal incomes."""
    rng = np.random.default_rng(seed)
    group = np.arange(n) % 2
    columns = {
        "income": rng.integers(0, 100, n).astype(np.float64),
        "debt": rng.integers(0, 10, n).astype(np.float64),
        "group_b": group.astype(np.float64),
    }
    return RowData(columns, {"sex": (group.astype(np.int32), ("A", "B"))}, np.arange(n, dtype=np.int64))


def harder_for_b(columns: Columns) -> Decisions:
    """B needs an income of 90, and A one of 50."""
    margin = columns["income"] - 50 - 40 * columns["group_b"] + 0.5
    return Decisions(margin >= 0, margin)


def alike(columns: Columns) -> Decisions:
    margin = columns["income"] - 59.5
    return Decisions(margin >= 0, margin)


def audited(
    data: RowData, decide=harder_for_b, *, seed: int = 0, **settings: object
) -> tuple[Robustness, dict[str, Finding]]:
    rules = settings.pop("features", {}) | STAYS
    section = RobustnessSection.model_validate({"features": rules, "budget": 0.5} | settings)
    report, findings = audit_changes(data, decide, favourable="loan", settings=section, seed=seed)
    return report, {finding.metric: finding for finding in findings}


def test_planted_gap_in_recourse_is_proven_and_named() -> None:
    """Within a budget of .5 every A reaches 50, and a B below 40 does not reach 90."""
    report, findings = audited(people())

    assert findings["recourse"].verdict is Verdict.PROVEN_DISPARITY
    assert findings["recourse"].gate is Gate.PROOF
    without = {row.group["sex"]: row.share.estimate for row in report.changes.groups if row.question == "recourse"}
    assert without["A"] == pytest.approx(0.0, abs=0.02)
    assert without["B"] == pytest.approx(0.4 / 0.9, abs=0.1)


def test_median_cost_is_how_far_a_group_has_to_go() -> None:
    report, findings = audited(people(2000), budget=1.0)

    cost = {row.group["sex"]: row.median_cost.estimate for row in report.changes.groups if row.question == "recourse"}
    assert cost["A"] == pytest.approx(0.25, abs=0.05)  # uniform below 50, half of the way
    assert cost["B"] == pytest.approx(0.45, abs=0.06)
    assert findings["recourse_cost"].verdict is Verdict.PROVEN_DISPARITY
    assert findings["recourse_cost"].gate is Gate.OFF


@pytest.mark.parametrize("seed", range(5))
def test_classifier_that_treats_all_alike_is_not_accused(seed: int) -> None:
    _, findings = audited(people(seed=seed), alike, seed=seed)

    assert all(finding.verdict is not Verdict.PROVEN_DISPARITY for finding in findings.values())


def test_one_gap_of_an_attribute_decides() -> None:
    report, findings = audited(people())

    assert [gap.name for gap in report.gaps if gap.decides] == ["recourse"]
    assert [finding.gate for finding in findings.values()].count(Gate.PROOF) == 1


def test_gap_is_undefined_where_half_of_a_group_finds_no_change() -> None:
    _, findings = audited(people(), budget=0.3)

    assert findings["recourse_cost"].estimate is None
    assert "half of a group or more" in findings["recourse_cost"].message


def test_nobody_with_recourse_is_not_informative() -> None:
    report, findings = audited(people(), features={"income": FeatureRule(actionable=False)})

    gap = next(gap for gap in report.gaps if gap.name == "recourse")
    assert gap.verdict == "not_informative"
    assert findings["recourse"].verdict is Verdict.INCONCLUSIVE


def test_group_without_such_decisions_is_listed_with_a_reason() -> None:
    def never_b(columns: Columns) -> Decisions:
        margin = np.where(columns["group_b"] == 1, -1.0, alike(columns).margin)
        return Decisions(margin >= 0, margin)

    report, findings = audited(people(), never_b)

    row = next(row for row in report.changes.groups if row.question == "fragility" and row.group["sex"] == "B")
    assert (row.n, row.share.estimate, row.share.reason) == (0, None, "no rows with this decision")
    assert findings["fragility"].estimate is None
    assert "fewer than two groups" in findings["fragility"].message


def test_examples_change_nothing_that_is_fixed() -> None:
    report, _ = audited(people(), features={"debt": FeatureRule(immutable=True)})

    texts = [example.text for example in report.changes.examples]
    assert len(texts) == 4
    assert all("income were" in text and "debt" not in text and "group_b" not in text for text in texts)


def test_example_says_by_how_much_with_the_unit() -> None:
    report, _ = audited(people(), features={"income": FeatureRule(unit="EUR")})

    example = next(each for each in report.changes.examples if each.question == "recourse")
    before = people().columns["income"][example.row - 1]
    assert f"income were {50 - before:.0f} EUR higher (50 in place of {before:.0f})" in example.text


def test_order_of_rows_changes_nothing_but_row_numbers() -> None:
    data = people()
    turned = np.arange(len(data))[::-1]
    backwards = replace(
        data,
        columns={name: values[turned] for name, values in data.columns.items()},
        attributes={"sex": (data.attributes["sex"][0][turned], ("A", "B"))},
        ids=data.ids[turned],
    )

    one, other = (audited(each)[0] for each in (data, backwards))

    assert one.changes.groups == other.changes.groups
    assert [gap.estimate for gap in one.gaps] == [gap.estimate for gap in other.gaps]


def test_same_seed_same_report() -> None:
    assert audited(people())[0] == audited(people())[0]


def test_rows_of_a_unit_are_not_taken_for_several_people() -> None:
    """Every person twice: intervals are as wide as with each person once."""
    data = people(300)
    twice = RowData(
        {name: np.repeat(values, 2) for name, values in data.columns.items()},
        {"sex": (np.repeat(data.attributes["sex"][0], 2), ("A", "B"))},
        np.arange(600, dtype=np.int64),
        unit=np.repeat(np.arange(300), 2),
    )

    once, doubled, ignored = (audited(each)[1]["recourse"] for each in (data, twice, replace(twice, unit=None)))

    width = {name: f.high - f.low for name, f in (("once", once), ("doubled", doubled), ("ignored", ignored))}
    assert width["doubled"] == pytest.approx(width["once"], rel=0.15)
    assert width["ignored"] < 0.85 * width["once"]


def test_robust_accuracy_is_accuracy_less_what_small_changes_turn() -> None:
    """Income 0 to 99 and a step at 60: of cost up to .1, about ten incomes on each side are turned."""
    data = replace(people(2000), label=alike(people(2000).columns).favourable)

    report, _ = audited(data, alike, rows_per_group=1000)

    for row in report.groups:
        assert row.clean_accuracy.estimate == 1.0
        assert row.robust_accuracy.estimate == pytest.approx(0.8, abs=0.03)


def test_scores_that_are_not_finite_are_refused() -> None:
    def broken(columns: Columns) -> Decisions:
        return Decisions(columns["income"] > 50, np.full(len(columns["income"]), np.nan))

    with pytest.raises(UndefinedScores):
        audited(people(), broken)


def test_lower_median_of_rows_without_a_change_is_infinite() -> None:
    assert lower_median(np.array([0.1, 0.4, np.inf])) == 0.4
    assert lower_median(np.array([0.1, np.inf, np.inf])) == np.inf


def test_cost_gap_of_one_distribution_is_rarely_significant() -> None:
    """The permutation test holds its level: at .05, of 100 draws at most 11 (binomial, .995)."""
    p_values = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        one, other = rng.uniform(size=40), rng.uniform(size=50)
        gap = cost_gap(one, other, np.arange(40), np.arange(40, 90), budget=1.0, level=0.99, seed=seed)
        p_values.append(gap.p_value)

    assert sum(p <= 0.05 for p in p_values) <= 11
