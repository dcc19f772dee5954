"""Verdicts on cases whose answer is known: METHODS section 8, and the COMPAS table that ProPublica published."""

import numpy as np
import pytest

from evenhand.auditors.disparity.power import detectable_gap, growth_to_prove_disparity
from evenhand.auditors.errors import NothingToCompare, PolicyError, UnknownAttribute
from evenhand.auditors.gate import decide
from evenhand.auditors.intervals import normal_quantile
from evenhand.auditors.policy import Check, Policy
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from tests.auditors.build import audited, gated, selected, table_of

COMPAS = {"African-American": (1369, 805, 532, 990), "Caucasian": (505, 349, 461, 1139)}


def impact_ratio_only(*, within: float = 0.8, **check: object) -> Policy:
    return Policy(check=[Check.model_validate({"metric": "impact_ratio", "within": within, **check})])


def test_compas_false_rates_are_those_that_propublica_published() -> None:
    document, _ = audited(table_of(COMPAS), favourable_is_positive=False)

    rates = {g.group["group"]: g.metrics for g in document.attributes[0].groups}

    assert rates["African-American"]["false_positive_rate"].estimate == pytest.approx(0.4485, abs=5e-5)
    assert rates["Caucasian"]["false_positive_rate"].estimate == pytest.approx(0.2345, abs=5e-5)
    assert rates["African-American"]["false_negative_rate"].estimate == pytest.approx(0.2799, abs=5e-5)
    assert rates["Caucasian"]["false_negative_rate"].estimate == pytest.approx(0.4772, abs=5e-5)


def test_compas_equalized_odds_disparity_is_proven() -> None:
    _, findings = audited(table_of(COMPAS), favourable_is_positive=False)

    assert gated(findings, "equalized_odds_difference").verdict is Verdict.PROVEN_DISPARITY
    assert decide(findings).exit_code == 1


def test_fair_model_on_unequal_group_sizes_has_gaps_of_exactly_zero() -> None:
    _, findings = audited(table_of({"large": (360, 90, 90, 360), "small": (40, 10, 10, 40)}))

    for finding in findings:
        assert finding.estimate == (1.0 if finding.comparison is Comparison.RATIO else 0.0)
        assert finding.verdict is not Verdict.PROVEN_DISPARITY


def test_perfect_predictor_without_positives_in_one_group_leaves_the_true_positive_rate_undefined() -> None:
    """METHODS 8.11a: the impact ratio convicts (0/100 against 50/100), and no number stands for 0/0."""
    table = table_of({"none": (0, 0, 0, 100), "half": (50, 0, 0, 50)})

    _, findings = audited(table)

    odds = gated(findings, "equalized_odds_difference")
    assert odds.estimate is None
    assert "no rows labelled positive" in odds.message
    assert decide(findings).exit_code == 1


def test_policy_that_gates_only_an_undefined_metric_is_inconclusive() -> None:
    policy = Policy(check=[Check(metric="true_positive_rate", within=0.1)])

    _, findings = audited(table_of({"none": (0, 0, 0, 100), "half": (50, 0, 0, 50)}), policy=policy)

    assert decide(findings).exit_code == 3


def test_nobody_selected_has_an_undefined_ratio() -> None:
    _, findings = audited(selected(a=(0, 500), b=(0, 500)))

    assert gated(findings, "impact_ratio").estimate is None
    assert decide(findings).exit_code == 3


def test_fourteen_equal_groups_of_fifty_accuse_nobody() -> None:
    """METHODS 8.11c: no claim in at least 95 of 100 draws, though the raw minimum lies below .8 in almost all."""
    rng = np.random.default_rng(5)
    codes = []
    for _ in range(100):
        table = selected(**{f"g{i}": (int(rng.binomial(50, 0.5)), 50) for i in range(14)})
        codes.append(decide(audited(table)[1]).exit_code)

    assert codes.count(3) >= 95


def test_group_of_29_at_rate_zero_is_listed_and_never_passes() -> None:
    document, findings = audited(selected(a=(500, 1000), b=(500, 1000), tiny=(0, 29)))

    assert [g.small for g in document.attributes[0].groups] == [False, False, True]
    assert decide(findings).exit_code == 3
    assert "tiny (29)" in gated(findings, "impact_ratio").message


def test_policy_may_list_small_groups_and_keep_them_out_of_the_gate() -> None:
    policy = impact_ratio_only(small_groups="list")

    _, findings = audited(selected(a=(500, 1000), b=(500, 1000), tiny=(0, 29)), policy=policy)

    assert decide(findings).exit_code == 0
    assert "tiny" in gated(findings, "impact_ratio").message


def test_interval_of_the_largest_gap_covers_zero_for_equal_groups() -> None:
    """METHODS 8.11e: in about 95 of 100 draws."""
    rng = np.random.default_rng(11)
    policy = Policy(check=[Check(metric="demographic_parity_difference", within=0.1)])
    covered = 0
    for _ in range(200):
        table = selected(**{name: (int(rng.binomial(100, 0.5)), 100) for name in "abc"})
        finding = gated(audited(table, policy=policy)[1], "demographic_parity_difference")
        covered += finding.low <= 0 <= finding.high

    assert 0.90 <= covered / 200 <= 0.99


def test_ugesp_question_12_ratios() -> None:
    """METHODS 8.1: rates .60, .45, .48, .51; .48/.60 is .80 and no flag, also in floating point."""
    _, findings = audited(selected(w=(600, 1000), b=(450, 1000), h=(480, 1000), o=(510, 1000)))

    ratios = {
        f.group["group"]: f.estimate for f in findings if f.reference == {"group": "w"} and "favourable_rate" in f.id
    }

    assert ratios["b"] == pytest.approx(0.75)
    assert ratios["h"] == pytest.approx(0.80)
    assert not ratios["h"] < 0.8
    assert ratios["o"] == pytest.approx(0.85)


def test_twelve_of_forty_against_forty_eight_of_eighty() -> None:
    """METHODS 8.2 at a single check: the Miettinen-Nurminen interval decides."""
    _, findings = audited(selected(a=(12, 40), b=(48, 80)), policy=impact_ratio_only())

    ratio = gated(findings, "impact_ratio")

    assert ratio.estimate == pytest.approx(0.5)
    assert (ratio.low, ratio.high) == pytest.approx((0.2927, 0.7953), abs=5e-5)
    assert ratio.verdict is Verdict.PROVEN_DISPARITY


def test_450_and_460_of_1000_are_shown_within() -> None:
    """METHODS 8.7: within .05 by equivalence (p .0361), and the ratio within (.8, 1.25)."""
    table = selected(a=(450, 1000), b=(460, 1000))
    difference = Policy(check=[Check(metric="selection_rate", within=0.05)])

    assert gated(audited(table, policy=difference)[1], "selection_rate").verdict is Verdict.PROVEN_WITHIN
    assert gated(audited(table, policy=impact_ratio_only())[1], "impact_ratio").verdict is Verdict.PROVEN_WITHIN


def test_significant_and_within_four_fifths_are_both_said() -> None:
    """METHODS 8.6: 9,700 and 9,900 of 10,000."""
    _, findings = audited(selected(a=(9700, 10_000), b=(9900, 10_000)), policy=impact_ratio_only())

    pair = next(f for f in findings if f.id.count("/") > 3)

    assert pair.verdict is Verdict.PROVEN_WITHIN
    assert pair.p_value < 1e-20


def test_unknown_group_is_listed_and_left_out_of_comparisons() -> None:
    document, findings = audited(table_of({"a": (50, 50, 50, 50), "b": (50, 50, 50, 50), None: (0, 0, 0, 200)}))

    unknown = document.attributes[0].groups[-1]

    assert unknown.group == {"group": None}
    assert unknown.unknown
    assert unknown.n == 200
    assert all({"group": None} not in (f.group, f.reference) for f in findings)
    assert "missing in 200 of 600 rows" in document.notes[0]


def test_one_group_only_is_an_input_error() -> None:
    with pytest.raises(NothingToCompare, match="fewer than two groups"):
        audited(selected(only=(5, 10)))


def test_alpha_is_shared_by_the_gated_checks() -> None:
    policy = Policy(
        check=[Check(metric="selection_rate", within=0.1), Check(metric="accuracy", within=0.1, gate=Gate.OFF)]
    )

    _, findings = audited(table_of(COMPAS), policy=policy)
    _, default = audited(table_of(COMPAS))

    assert gated(findings, "selection_rate").level == pytest.approx(0.95)
    assert gated(default, "impact_ratio").level == pytest.approx(0.975)


def test_check_on_an_attribute_that_is_not_sensitive_is_refused() -> None:
    policy = Policy(check=[Check(metric="selection_rate", within=0.1, attributes=["grup"])])

    with pytest.raises(UnknownAttribute, match="Did you mean 'group'"):
        audited(table_of(COMPAS), policy=policy)


def test_check_that_needs_labels_is_refused_without_them() -> None:
    policy = Policy(check=[Check(metric="accuracy", within=0.1)])

    with pytest.raises(PolicyError, match="needs labels"):
        audited(selected(a=(5, 10), b=(5, 10)), policy=policy)


def test_composite_without_gate_has_no_pairs() -> None:
    policy = Policy(check=[Check(metric="selection_rate", within=0.1, gate=Gate.OFF)])

    _, findings = audited(selected(a=(50, 100), b=(50, 100)), policy=policy)

    assert all(f.id.count("/") == 3 for f in findings)
    assert decide(findings).reasons == ["nothing was gated"]


def test_finding_ids_are_unique_even_for_odd_values() -> None:
    table = table_of(
        {"a/b": (20, 20, 20, 20), "a": (20, 20, 20, 20), "b:c'": (20, 20, 20, 20), "null": (20, 20, 20, 20)}
    )

    _, findings = audited(table)

    assert len({f.id for f in findings}) == len(findings)


@pytest.mark.parametrize(
    ("comparison", "p1", "p2", "tolerance"),
    [(Comparison.DIFFERENCE, 0.45, 0.3, 0.1), (Comparison.RATIO, 0.3, 0.5, 0.8)],
)
def test_rows_needed_give_eighty_per_cent_power(comparison: Comparison, p1: float, p2: float, tolerance: float) -> None:
    """Drawn again at the promised size, the disparity is proven in 80 % of samples, give or take 3."""
    z = normal_quantile(0.975)
    growth = growth_to_prove_disparity(
        np.array([p1]),
        np.array([100.0]),
        np.array([p2]),
        np.array([100.0]),
        comparison=comparison,
        tolerance=tolerance,
        z=z,
    )
    n = int(np.ceil(100 * growth[0]))
    rng = np.random.default_rng(3)

    x1, x2 = rng.binomial(n, p1, 4000).astype(float), rng.binomial(n, p2, 4000).astype(float)
    proven = _proven(x1, x2, float(n), comparison, tolerance, z)

    assert proven == pytest.approx(0.8, abs=0.03)


def test_detectable_gap_is_proven_in_eighty_per_cent_of_draws() -> None:
    z = normal_quantile(0.975)
    gap = float(
        detectable_gap(
            np.array([0.3]), np.array([400.0]), np.array([400.0]), comparison=Comparison.DIFFERENCE, tolerance=0.1, z=z
        )[0]
    )
    rng = np.random.default_rng(4)

    x1, x2 = rng.binomial(400, 0.3 + gap, 4000).astype(float), rng.binomial(400, 0.3, 4000).astype(float)

    assert _proven(x1, x2, 400.0, Comparison.DIFFERENCE, 0.1, z) == pytest.approx(0.8, abs=0.03)


def _proven(x1: np.ndarray, x2: np.ndarray, n: float, comparison: Comparison, tolerance: float, z: float) -> float:
    from evenhand.auditors.intervals import difference_interval, ratio_interval

    if comparison is Comparison.DIFFERENCE:
        return float(np.mean(difference_interval(x1, n, x2, n, z=z).low > tolerance))
    return float(np.mean(ratio_interval(x1, n, x2, n, z=z).high < tolerance))


@pytest.mark.slow
def test_rows_needed_within_is_kept_when_drawn_again() -> None:
    """Truth is equality: at the rows needed every pair of three groups is proven within in 80 % of audits."""
    policy = Policy(check=[Check(metric="selection_rate", within=0.1)])
    needed = gated(
        audited(selected(a=(18, 60), b=(18, 60), c=(18, 60)), policy=policy)[1], "selection_rate"
    ).rows_needed
    rng = np.random.default_rng(8)

    passed = 0
    for _ in range(400):
        table = selected(**{name: (int(rng.binomial(needed, 0.3)), needed) for name in "abc"})
        passed += gated(audited(table, policy=policy)[1], "selection_rate").verdict is Verdict.PROVEN_WITHIN

    assert passed / 400 == pytest.approx(0.8, abs=0.06)


def only(metric: str, within: float, **groups: tuple[int, int]) -> tuple[Finding, Finding]:
    """The one check and its pair of two groups."""
    policy = Policy(check=[Check(metric=metric, within=within)])
    findings = audited(selected(**groups), policy=policy)[1]
    composite = gated(findings, metric)
    return composite, next(f for f in findings if f.id.startswith(f"{composite.id}/"))


def test_rows_for_an_estimate_near_the_tolerance_are_many_more_than_for_equal_groups() -> None:
    """(1.645 + .842)^2 (.25 + .2409) / .005^2 = 121,400 by hand for the first; (1.645 + 1.282)^2 2 .2475 / .1^2 = 423."""
    check, pair = only("selection_rate", 0.1, a=(500, 1000), b=(405, 1000))

    assert check.rows_needed_at_estimate == pytest.approx(121_400, rel=0.01)
    assert check.rows_needed == pytest.approx(423, rel=0.01)
    assert (pair.rows_needed, pair.rows_needed_at_estimate) == (check.rows_needed, check.rows_needed_at_estimate)


def test_rows_for_the_estimate_say_what_would_have_to_be_true() -> None:
    check, pair = only("selection_rate", 0.1, a=(50, 100), b=(42, 100))

    for finding in (check, pair):
        assert (
            f"If the groups were truly equal, about {finding.rows_needed:,} rows in the smallest group, the others in "
            f"proportion, would probably settle it. If they are as estimated, it takes about "
            f"{finding.rows_needed_at_estimate:,}."
        ) in finding.message


def test_equal_groups_of_enough_rows_would_have_been_settled_is_said_of_equal_groups() -> None:
    check, _ = only("selection_rate", 0.1, a=(500, 1000), b=(405, 1000))

    assert (
        "four of five samples would have settled it if the groups were truly equal; this one did not." in check.message
    )


@pytest.mark.parametrize(
    ("metric", "within", "hits"), [("selection_rate", 0.1, (60, 45)), ("impact_ratio", 0.8, (40, 30))]
)
def test_estimate_beyond_the_tolerance_has_rows_for_itself_alone(
    metric: str, within: float, hits: tuple[int, int]
) -> None:
    check, pair = only(metric, within, a=(hits[0], 100), b=(hits[1], 100))

    assert check.rows_needed is not None
    assert (check.rows_needed_at_estimate, pair.rows_needed_at_estimate) == (None, None)
    assert "If the groups are as estimated, about" in check.message
    assert "truly equal" not in check.message


def test_estimate_too_near_the_tolerance_has_no_rows_of_its_own() -> None:
    check, _ = only("selection_rate", 0.1, a=(50_000, 100_000), b=(40_001, 100_000))

    assert check.rows_needed_at_estimate is None
    assert "If they are as estimated, they are too near the tolerance to be settled." in check.message


def test_two_hundred_groups_are_all_listed_and_the_pairs_are_bounded() -> None:
    document, findings = audited(selected(**{f"g{i}": (20 + i % 7, 60) for i in range(200)}))

    assert len(document.attributes[0].groups) == 200
    assert document.attributes[0].pairs.total == 19_900
    assert len(findings) < 450


def test_open_check_names_a_pair_of_groups_with_rows_enough_to_decide() -> None:
    """Of 15 rows nothing is concluded: they are listed as small and are not why the others are open."""
    table = selected(a=(120, 300), b=(135, 300), c=(130, 300), small=(10, 15))

    check = gated(
        audited(table, policy=Policy(check=[Check(metric="selection_rate", within=0.1)]))[1], "selection_rate"
    )

    assert (check.group, check.reference) == ({"group": "b"}, {"group": "a"})
    assert check.message.startswith("Open because of b .450 against a .400")
    assert "nothing is concluded: small (15)" in check.message


def test_open_check_names_the_small_group_where_nothing_else_is_open() -> None:
    table = selected(a=(1200, 3000), b=(1210, 3000), small=(10, 15))

    check = gated(
        audited(table, policy=Policy(check=[Check(metric="selection_rate", within=0.1)]))[1], "selection_rate"
    )

    assert check.verdict is Verdict.INCONCLUSIVE
    assert {"group": "small"} in (check.group, check.reference)


def test_proof_of_defined_groups_stands_beside_a_group_without_positives() -> None:
    """The true positive rates of a and b lie .4 apart; c has none, so that the largest gap does not exist."""
    table = table_of({"a": (900, 500, 100, 500), "b": (500, 500, 500, 500), "c": (0, 20, 0, 40)})

    check = gated(audited(table)[1], "equalized_odds_difference")

    assert check.verdict is Verdict.PROVEN_DISPARITY
    assert (check.estimate, check.low, check.high) == (None, None, None)
    assert {check.group["group"], check.reference["group"]} == {"a", "b"}  # type: ignore[index]
    assert "true positive rate does not exist in c" in check.message
