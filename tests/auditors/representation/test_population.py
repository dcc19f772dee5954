"""Shares against a reference population, and how a policy gates them."""

import numpy as np
import pytest
from scipy.stats import chisquare
from statsmodels.stats.proportion import proportion_confint
from tests.auditors.build import audited as disparity
from tests.auditors.build import gated, selected

from evenhand.auditors.disparity.plan import gated_checks
from evenhand.auditors.errors import PolicyError, UnknownAttribute, UnknownMetric
from evenhand.auditors.policy import Policy
from evenhand.auditors.report import Finding, Representation
from evenhand.auditors.representation import audit_representation
from evenhand.auditors.verdict import Gate, Verdict

CENSUS = {"Female": 0.51, "Male": 0.49}


def audited(
    counts: dict[str | None, int], *, population: dict[str, float] | None = CENSUS, **check: object
) -> tuple[Representation, list[Finding]]:
    levels = tuple(counts)
    codes = np.repeat(np.arange(len(levels)), list(counts.values())).astype(np.int32)
    policy = Policy.model_validate(
        {
            "data": {"population": {"sex": population}} if population else {},
            "check": [{"audit": "representation", "metric": "share", "within": 0.05} | check] if check else [],
        }
    )
    return audit_representation({"sex": (codes, levels)}, label=None, missing_by_column={}, policy=policy)


def test_all_shares_together_are_tested_by_chi_square() -> None:
    audit, _ = audited({"Female": 480, "Male": 520})

    compared = audit.attributes[0].population
    expected = chisquare([480, 520], [510, 490])
    assert compared is not None
    assert (compared.statistic, compared.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_each_share_has_a_simultaneous_interval_beside_its_expected_share() -> None:
    """Wilson's interval at Bonferroni's level for two shares, by statsmodels."""
    audit, _ = audited({"Female": 480, "Male": 520})

    assert audit.attributes[0].population is not None
    female = audit.attributes[0].population.shares[0]
    low, high = proportion_confint(480, 1000, alpha=0.05 / 2, method="wilson")
    assert female.expected == pytest.approx(0.51)
    assert (female.difference.low, female.difference.high) == pytest.approx((low - 0.51, high - 0.51))


@pytest.mark.parametrize(
    ("women", "verdict"),
    [(3_300, Verdict.PROVEN_DISPARITY), (5_100, Verdict.PROVEN_WITHIN), (4_600, Verdict.INCONCLUSIVE)],
)
def test_verdict_is_of_the_interval_against_the_tolerance(women: int, verdict: Verdict) -> None:
    """Of 10,000 with .05 tolerated around .51: .33 is far out, .51 far in, and .46 on the edge."""
    _, findings = audited({"Female": women, "Male": 10_000 - women})

    assert [finding.verdict for finding in findings] == [verdict]


def test_without_a_population_no_share_gets_a_verdict() -> None:
    audit, findings = audited({"Female": 10, "Male": 990}, population=None)

    assert findings == []
    assert audit.attributes[0].population is None


def test_nothing_is_gated_unless_a_check_says_so() -> None:
    _, free = audited({"Female": 100, "Male": 900})
    _, gated = audited({"Female": 100, "Male": 900}, gate="proof")

    assert [finding.gate for finding in free] == [Gate.OFF]
    assert [finding.gate for finding in gated] == [Gate.PROOF]


def test_ratio_compares_a_share_with_a_multiple_of_the_expected_one() -> None:
    """.05 of the rows against .10 of the population: within .06 as a difference, half as a ratio."""
    population = {"Female": 0.1, "Male": 0.9}

    _, difference = audited({"Female": 500, "Male": 9_500}, population=population, within=0.06)
    _, ratio = audited({"Female": 500, "Male": 9_500}, population=population, within=0.8, compare="ratio")

    assert difference[0].verdict is Verdict.PROVEN_WITHIN
    assert ratio[0].verdict is Verdict.PROVEN_DISPARITY
    assert ratio[0].estimate == pytest.approx(0.5)


def test_unknown_rows_and_groups_without_a_reference_are_left_out_and_said() -> None:
    audit, _ = audited({"Female": 510, "Male": 490, "Other": 20, None: 30})

    compared = audit.attributes[0].population
    assert compared is not None
    assert compared.rows == 1_000
    assert "no share for Other" in compared.note


def test_group_of_the_population_without_rows_has_a_share_of_zero() -> None:
    _, findings = audited({"Female": 1_000}, population=CENSUS)

    assert findings[0].verdict is Verdict.PROVEN_DISPARITY


def test_misspelt_group_of_the_population_is_refused_with_the_nearest() -> None:
    with pytest.raises(PolicyError, match="Did you mean 'Female'"):
        audited({"Female": 50, "Male": 50}, population={"female": 0.51, "Male": 0.49})


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match=r"sum to 0\.9, not to 1"):
        audited({"Female": 50, "Male": 50}, population={"Female": 0.5, "Male": 0.4})


def test_share_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        audited({"Female": 50, "Male": 50}, population={"Female": 1.0, "Male": 0.0})


@pytest.mark.parametrize(
    ("check", "error", "says"),
    [
        ({"metric": "shares"}, UnknownMetric, "Did you mean 'share'"),
        ({"attributes": ["race"]}, UnknownAttribute, "'race'"),
        ({"compare": "value"}, PolicyError, 'cannot compare by "value"'),
        ({"compare": "ratio", "within": 2}, PolicyError, "must lie in"),
    ],
)
def test_check_that_cannot_be_answered_is_refused(check: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        audited({"Female": 50, "Male": 50}, **check)


def test_check_of_shares_without_a_population_is_refused_with_the_way_out() -> None:
    with pytest.raises(PolicyError, match="Name its shares, such as sex"):
        audited({"Female": 50, "Male": 50}, population=None, gate="strict")


def test_population_of_an_attribute_that_is_not_there_is_refused() -> None:
    policy = Policy.model_validate({"data": {"population": {"race": {"a": 0.5, "b": 0.5}}}})

    with pytest.raises(UnknownAttribute, match="'race'"):
        audit_representation({"sex": (np.zeros(3, np.int32), ("F",))}, label=None, missing_by_column={}, policy=policy)


def false_proofs(draws: int) -> tuple[int, int]:
    """Disparities proven and shares shown within, where the truth is exactly at the tolerance: .55 for an expected .5."""
    rng = np.random.default_rng(0)
    against = within = 0
    for _ in range(draws):
        women = int(rng.binomial(2_000, 0.55))
        _, (finding,) = audited({"F": women, "M": 2_000 - women}, population={"F": 0.5, "M": 0.5})
        against += finding.verdict is Verdict.PROVEN_DISPARITY
        within += finding.verdict is Verdict.PROVEN_WITHIN
    return against, within


def test_a_truth_at_the_tolerance_is_seldom_proven_either_way() -> None:
    """300 draws at .05 each way: more than 26 have a chance of .003 (binomial)."""
    against, within = false_proofs(300)

    assert against <= 26
    assert within <= 26


def test_gated_checks_of_both_audits_share_one_error() -> None:
    """One share, one impact ratio: .025 each."""
    policy = Policy.model_validate(
        {
            "data": {"population": {"group": CENSUS}},
            "check": [
                {"audit": "representation", "metric": "share", "within": 0.05},
                {"metric": "impact_ratio", "within": 0.8},
            ],
        }
    )

    _, findings = disparity(selected(Female=(50, 100), Male=(50, 100)), policy=policy)
    _, (share,) = audit_representation(
        {"group": (np.arange(200, dtype=np.int32) % 2, ("Female", "Male"))},
        label=None,
        missing_by_column={},
        policy=policy,
        other_checks=gated_checks(policy, sensitive=["group"], with_labels=False),
    )

    assert gated(findings, "impact_ratio").level == pytest.approx(0.975)
    assert share.level == pytest.approx(0.975)
