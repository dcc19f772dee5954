"""Each group against the rest and against a reference, exact tests in small cells, and the composites of a policy."""

import numpy as np
import pytest

from evenhand.auditors.disparity.entropy import generalized_entropy_between
from evenhand.auditors.disparity.versus import dunnett_z
from evenhand.auditors.errors import PolicyError, UnknownGroup
from evenhand.auditors.policy import Check, DataSection, Policy
from evenhand.auditors.report import Finding
from evenhand.auditors.verdict import Comparison, Gate, Verdict
from tests.auditors.build import audited, gated, selected, table_of

FOUR = {"a": (600, 1000), "b": (450, 1000), "c": (480, 2000), "d": (510, 1000)}


def difference(**data: object) -> Policy:
    return Policy(check=[Check(metric="selection_rate", within=0.05)], data=DataSection.model_validate(data))


def beside(findings: list[Finding], kind: str) -> dict[str, Finding]:
    return {f.group["group"]: f for f in findings if f"/{kind}/" in f.id}


def test_each_group_is_compared_with_all_others_together() -> None:
    """By hand: a selects 600 of 1,000, the others 1,440 of 4,000."""
    rest = beside(audited(selected(**FOUR), policy=difference())[1], "rest")

    assert sorted(rest) == ["a", "b", "c", "d"]
    assert rest["a"].estimate == pytest.approx(0.6 - 1440 / 4000)
    assert rest["a"].reference_n == 4000
    assert rest["a"].gate is Gate.OFF
    assert rest["a"].verdict is Verdict.PROVEN_DISPARITY


def test_two_groups_have_no_rest_beside_their_pair() -> None:
    _, findings = audited(selected(a=(50, 100), b=(40, 100)), policy=difference())

    assert beside(findings, "rest") == {}


def test_comparisons_carry_the_other_form_beside() -> None:
    rest = beside(audited(selected(**FOUR), policy=difference())[1], "rest")["a"]

    assert rest.counterpart.comparison is Comparison.RATIO
    assert rest.counterpart.estimate == pytest.approx(0.6 / 0.36)
    assert rest.counterpart.low < 0.6 / 0.36 < rest.counterpart.high


def test_declared_reference_is_what_every_other_group_is_compared_with() -> None:
    found = beside(audited(selected(**FOUR), policy=difference(reference={"group": "c"}))[1], "reference")

    assert sorted(found) == ["a", "b", "d"]
    assert {f.reference["group"] for f in found.values()} == {"c"}
    assert found["a"].estimate == pytest.approx(0.6 - 0.24)


@pytest.mark.parametrize(("wanted", "chosen"), [("majority", "c"), ("most_selected", "a")])
def test_reference_may_be_the_largest_or_the_most_favoured_group(wanted: str, chosen: str) -> None:
    found = beside(audited(selected(**FOUR), policy=difference(reference=wanted))[1], "reference")

    assert {f.reference["group"] for f in found.values()} == {chosen}


def test_most_favoured_reference_pays_for_all_pairs_and_a_declared_one_does_not() -> None:
    """The data chose the most favoured group: METHODS 2, Holm against it is not valid."""
    table = selected(a=(520, 1000), b=(500, 1000), c=(500, 1000), d=(500, 1000))

    declared = beside(audited(table, policy=difference(reference={"group": "a"}))[1], "reference")["b"]
    chosen = beside(audited(table, policy=difference(reference="most_selected"))[1], "reference")["b"]
    pair = next(f for f in audited(table, policy=difference())[1] if f.id.endswith("'a':'b'"))

    assert declared.high - declared.low < chosen.high - chosen.low
    assert chosen.high - chosen.low == pytest.approx(pair.high - pair.low)


def test_reference_that_is_no_group_is_refused() -> None:
    with pytest.raises(UnknownGroup, match="'z' was not counted"):
        audited(selected(**FOUR), policy=difference(reference={"group": "z"}))


@pytest.mark.parametrize(("others", "published"), [(1, 1.96), (2, 2.21), (3, 2.35), (4, 2.44), (5, 2.51)])
def test_quantile_against_one_reference_is_that_of_dunnett(others: int, published: float) -> None:
    """Dunnett (1964), table of two-sided 5 per cent points with infinite degrees of freedom, groups of equal size."""
    assert dunnett_z(np.full(others, np.sqrt(0.5)), level=0.95) == pytest.approx(published, abs=0.005)


def test_two_hundred_groups_list_no_more_than_a_hundred_beside_the_pairs() -> None:
    _, findings = audited(selected(**{f"g{i}": (20 + i % 7, 60) for i in range(200)}), policy=difference())

    assert len(beside(findings, "rest")) == 100


def test_small_pair_carries_exact_tests() -> None:
    """scipy's fisher_exact([[2, 9], [18, 16]]) says .0791."""
    pair = next(f for f in audited(selected(a=(2, 20), b=(9, 25)), policy=difference())[1] if f.id.count("/") > 3)

    assert pair.exact.fisher == pytest.approx(0.0791, abs=5e-5)
    assert pair.exact.boschloo < pair.exact.fisher


def test_pair_with_large_cells_carries_none() -> None:
    pair = next(f for f in audited(selected(a=(50, 100), b=(40, 100)), policy=difference())[1] if f.id.count("/") > 3)

    assert pair.exact is None


def test_between_group_entropy_by_hand() -> None:
    """Benefits of a: 1 tn, 1 fp (mean 1.5); of b: 1 fn, 1 tp (mean .5). Mean 1; half of mean of .5 squared is .125."""
    cells = np.array([[[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]])

    assert generalized_entropy_between(cells) == pytest.approx(0.125)


def test_between_group_entropy_is_gated_by_a_policy() -> None:
    policy = Policy(check=[Check(metric="generalized_entropy_between", within=0.01)])
    equal = {"a": (400, 100, 100, 400), "b": (400, 100, 100, 400)}
    apart = {"a": (400, 300, 0, 300), "b": (300, 0, 300, 400)}

    within = gated(audited(table_of(equal), policy=policy)[1], "generalized_entropy_between")
    beyond = gated(audited(table_of(apart), policy=policy)[1], "generalized_entropy_between")

    assert (within.estimate, within.verdict) == (0.0, Verdict.PROVEN_WITHIN)
    assert within.high > 0
    assert beyond.verdict is Verdict.PROVEN_DISPARITY


@pytest.mark.parametrize(
    ("name", "plain", "comparison"),
    [
        ("accuracy_difference", "accuracy", Comparison.DIFFERENCE),
        ("accuracy_ratio", "accuracy", Comparison.RATIO),
        ("f1_difference", "f1", Comparison.DIFFERENCE),
        ("treatment_equality_ratio", "treatment_equality", Comparison.RATIO),
    ],
)
def test_name_with_a_suffix_is_the_plain_metric_so_compared(name: str, plain: str, comparison: Comparison) -> None:
    table = table_of({"a": (300, 80, 120, 400), "b": (250, 120, 150, 380)})

    named = gated(audited(table, policy=Policy(check=[Check(metric=name, within=0.8)]))[1], name)
    meant = Policy(check=[Check(metric=plain, compare=comparison, within=0.8)])

    assert named.comparison is comparison
    assert named.estimate == gated(audited(table, policy=meant)[1], plain).estimate


def test_name_that_contradicts_its_comparison_is_refused() -> None:
    policy = Policy(check=[Check(metric="accuracy_ratio", compare=Comparison.DIFFERENCE, within=0.8)])

    with pytest.raises(PolicyError, match="is a ratio by its name"):
        audited(table_of({"a": (1, 1, 1, 1), "b": (1, 1, 1, 1)}), policy=policy)


def test_average_odds_ratio_is_the_mean_of_both_smallest_ratios() -> None:
    """By hand: true positive rates .8 and .4, false positive rates .2 and .1: (.5 + .5) / 2."""
    policy = Policy(check=[Check(metric="equalized_odds_average_ratio", within=0.8)])
    table = table_of({"a": (400, 100, 100, 400), "b": (200, 50, 300, 450)})

    finding = gated(audited(table, policy=policy)[1], "equalized_odds_average_ratio")

    assert finding.estimate == pytest.approx(0.5)
    assert finding.verdict is Verdict.PROVEN_DISPARITY


def test_gap_among_equals_of_equalized_odds_is_that_of_the_greater_rate() -> None:
    """Two rates of three groups stray further than one of them alone."""
    document, _ = audited(table_of(dict.fromkeys("abc", (50, 50, 50, 50))))
    expected = document.attributes[0].expected_largest_gap

    assert expected["equalized_odds_difference"] > 1.1 * expected["equal_opportunity_difference"]
