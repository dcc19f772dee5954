"""The audit within strata: Berkeley 1973 as the report tells it, and checks of a policy on strata."""

import numpy as np
import pytest

from evenhand.auditors.counts import Attribute, CountTable, count
from evenhand.auditors.disparity import Meaning, audit_group_disparity
from evenhand.auditors.errors import PolicyError
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Finding, GroupDisparity
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from tests.auditors.test_strata import MEN, WOMEN


def by_stratum(strata: dict[str, dict[str, tuple[int, int]]]) -> CountTable:
    """Favoured of n by stratum and group."""
    groups = sorted({group for cells in strata.values() for group in cells})
    group, stratum, prediction = [], [], []
    for s, cells in enumerate(strata.values()):
        for name, (x, n) in cells.items():
            group += [groups.index(name)] * n
            stratum += [s] * n
            prediction += [1] * x + [0] * (n - x)
    return count(
        [Attribute("sex", np.array(group), tuple(groups)), Attribute("department", np.array(stratum), tuple(strata))],
        prediction=np.array(prediction),
    )


BERKELEY = by_stratum({name: {"Female": f, "Male": m} for name, f, m in zip("ABCDEF", WOMEN, MEN, strict=True)})


def audited(table: CountTable, *checks: Check) -> tuple[GroupDisparity, list[Finding]]:
    alone = CountTable(table.attributes[:1], table.values[:1], table.rows.sum(axis=1))
    meaning = Meaning("1", "1", None, "admitted", favourable_is_positive=True)
    rng = np.random.default_rng(0)
    return audit_group_disparity(alone, policy=Policy(check=list(checks)), meaning=meaning, rng=rng, strata=table)


def test_berkeley_report_points_out_the_reversal() -> None:
    """METHODS 8.8: women are admitted less often over all, and as often or more within departments."""
    document, _ = audited(BERKELEY)

    women = document.strata[0].groups[0]

    assert women.group == {"sex": "Female"}
    assert women.reversed
    assert women.disparity == pytest.approx(0.1438, abs=5e-5)
    assert women.conditional.estimate == pytest.approx(-0.0193, abs=5e-5)
    assert "Simpson's reversal" in women.message
    assert "less often than the others in 2 and more often in 4 of 6 strata" in women.message


def test_berkeley_strata_are_shown_where_no_one_odds_ratio_stands_for_them() -> None:
    document, findings = audited(BERKELEY)

    women = document.strata[0].groups[0]
    odds = next(f for f in findings if f.metric == "cmh_odds_ratio")

    assert women.homogeneous is False
    assert women.odds_ratio.estimate == pytest.approx(1.105, abs=5e-4)
    assert odds.estimate is None
    assert "The strata differ" in odds.message


def test_stratum_table_lists_rates_of_every_group() -> None:
    document, _ = audited(BERKELEY)

    department_a = next(s for s in document.strata[0].strata if s.stratum == "A")

    assert department_a.n == 933
    assert department_a.groups[0].favourable_rate.estimate == pytest.approx(89 / 108)


def test_without_a_policy_strata_count_for_no_gate() -> None:
    _, findings = audited(BERKELEY)

    assert {f.gate for f in findings if f.metric in ("conditional_demographic_disparity", "cmh_odds_ratio")} == {
        Gate.OFF
    }


def test_policy_gates_conditional_disparity_and_berkeley_is_shown_within_a_tenth() -> None:
    _, findings = audited(BERKELEY, Check(metric="conditional_demographic_disparity", within=0.1))

    finding = next(f for f in findings if f.metric == "conditional_demographic_disparity")

    assert finding.gate is Gate.STRICT
    assert finding.verdict is Verdict.PROVEN_WITHIN
    assert finding.low < finding.estimate < finding.high


def test_common_odds_ratio_proves_a_disparity_where_strata_agree() -> None:
    table = by_stratum({s: {"Female": (100, 500), "Male": (250, 500)} for s in "AB"})

    _, findings = audited(table, Check(metric="cmh_odds_ratio", within=0.8))
    finding = next(f for f in findings if f.metric == "cmh_odds_ratio")

    assert finding.estimate == pytest.approx((100 / 400) / (250 / 250))
    assert finding.group == {"sex": "Female"}
    assert finding.comparison is Comparison.RATIO
    assert finding.verdict is Verdict.PROVEN_DISPARITY


def test_stratum_where_everybody_is_refused_is_named_and_keeps_the_check_from_passing() -> None:
    table = by_stratum({"A": {"Female": (2500, 5000), "Male": (2500, 5000)}, "B": {"Female": (0, 20), "Male": (0, 20)}})

    _, findings = audited(table, Check(metric="conditional_demographic_disparity", within=0.1))
    finding = next(f for f in findings if f.metric == "conditional_demographic_disparity")

    assert "Everybody has one outcome in B" in finding.message
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_check_on_strata_without_a_stratum_is_refused() -> None:
    table = CountTable(("sex",), (("Female", "Male"),), np.array([[[40, 60]], [[50, 50]]]))
    policy = Policy(check=[Check(metric="cmh_odds_ratio", within=0.8)])
    meaning = Meaning("1", "1", None, "admitted", favourable_is_positive=True)

    with pytest.raises(PolicyError, match="Name it: `stratum`"):
        audit_group_disparity(table, policy=policy, meaning=meaning, rng=np.random.default_rng(0))
