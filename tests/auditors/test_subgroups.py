"""The worst subgroup search: what is planted is found, what is not is not claimed, and it says what it looked at."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact
from statsmodels.stats.multitest import multipletests

from evenhand.auditors.counts import Attribute
from evenhand.auditors.disparity.slices import binned
from evenhand.auditors.disparity.subgroups import Outcome, search_subgroups
from evenhand.auditors.errors import LengthMismatch, PolicyError, UnknownAttribute
from evenhand.auditors.multiplicity import benjamini_hochberg, holm
from evenhand.auditors.policy import SearchSection
from evenhand.auditors.report import Subgroup, SubgroupSearch
from evenhand.auditors.verdict import Verdict

LEVELS = {"sex": ("F", "M"), "race": ("a", "b", "c"), "age": ("old", "young"), "region": ("n", "s", "w", None)}


def people(rows: int, rng: np.random.Generator) -> list[Attribute]:
    return [
        Attribute(name, rng.integers(0, len(values), rows).astype(np.int32), values) for name, values in LEVELS.items()
    ]


def searched(
    attributes: list[Attribute],
    prediction: np.ndarray,
    *,
    seed: int = 0,
    label: np.ndarray | None = None,
    **more: object,
) -> SubgroupSearch:
    settings = more.pop("settings", SearchSection())
    return search_subgroups(
        attributes,
        Outcome(prediction, label, True),
        settings=settings,  # type: ignore[arg-type]
        alpha=0.05,
        rng=np.random.default_rng(seed),
        **more,  # type: ignore[arg-type]
    )


def claimed(result: SubgroupSearch) -> list[Subgroup]:
    return [found for found in result.found if found.adjusted_p is not None and found.adjusted_p <= 0.05]


def in_group(attributes: list[Attribute], **values: str) -> np.ndarray:
    by_name = {attribute.name: attribute for attribute in attributes}
    inside = np.ones(len(attributes[0].codes), dtype=bool)
    for name, value in values.items():
        inside &= by_name[name].codes == by_name[name].values.index(value)
    return inside


@pytest.fixture(scope="module")
def planted() -> tuple[list[Attribute], np.ndarray]:
    """8,000 people selected at .5; old women of race b at .2."""
    rng = np.random.default_rng(5)
    attributes = people(8_000, rng)
    rate = np.where(in_group(attributes, sex="F", race="b", age="old"), 0.2, 0.5)
    return attributes, (rng.random(8_000) < rate).astype(np.int8)


def test_planted_triple_is_found_first_and_proven(planted: tuple[list[Attribute], np.ndarray]) -> None:
    first = searched(*planted).found[0]

    assert first.group == {"sex": "F", "race": "b", "age": "old"}
    assert first.verdict is Verdict.PROVEN_DISPARITY
    assert first.high is not None
    assert first.proven_gap == first.high < -0.1


def test_numbers_come_from_the_half_that_was_not_searched(planted: tuple[list[Attribute], np.ndarray]) -> None:
    """scipy's Fisher test on the same half; the halves are drawn by numpy's permutation of the seed."""
    attributes, prediction = planted
    confirm = np.ones(8_000, dtype=bool)
    confirm[np.random.default_rng(3).permutation(8_000)[:4_000]] = False
    inside = in_group(attributes, sex="F", race="b", age="old")
    table = [[int((confirm & side & (prediction == y)).sum()) for y in (1, 0)] for side in (inside, ~inside)]

    first = searched(attributes, prediction, seed=3).found[0]

    assert first.n == sum(table[0])
    assert first.rate == pytest.approx(table[0][0] / first.n)
    assert first.p_value == pytest.approx(fisher_exact(table).pvalue, rel=1e-6)


def test_search_says_what_it_looked_at(planted: tuple[list[Attribute], np.ndarray]) -> None:
    """2, 3, 2, 3 values: 10 singles, 37 pairs, 60 triples, all of 30 rows at least; unknown regions are left out."""
    result = searched(*planted)

    assert result.searched == 10 + 37 + 60
    assert (result.depth, result.smallest) == (3, 30)
    assert (result.rows_search, result.rows_confirm) == (4_000, 4_000)
    assert result.attributes == list(LEVELS)
    assert result.metrics == ["favourable_rate"]


def test_with_labels_error_rates_are_searched_too() -> None:
    rng = np.random.default_rng(1)
    attributes = people(6_000, rng)
    label = rng.integers(0, 2, 6_000)
    missed = in_group(attributes, race="c", age="young") & (rng.random(6_000) < 0.5)
    prediction = np.where(missed & (label == 1), 0, label)

    first = searched(attributes, prediction, label=label).found[0]

    assert (first.metric, first.group) == ("true_positive_rate", {"race": "c", "age": "young"})


def test_same_seed_finds_the_same(planted: tuple[list[Attribute], np.ndarray]) -> None:
    assert searched(*planted, seed=9) == searched(*planted, seed=9)


def null_claims(draws: int) -> int:
    """Searches in which anything is claimed, though all are alike."""
    claims = 0
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        attributes = people(1_500, rng)
        claims += bool(claimed(searched(attributes, (rng.random(1_500) < 0.3).astype(np.int8), seed=seed)))
    return claims


def test_nothing_is_claimed_where_all_are_alike() -> None:
    """100 draws at .05: more than 11 false claims have a chance of .004 (binomial)."""
    assert null_claims(100) <= 11


@pytest.mark.slow
def test_false_claims_stay_within_alpha() -> None:
    """500 draws at .05: .05 and two standard errors of .0097."""
    assert null_claims(500) / 500 <= 0.05 + 2 * 0.0097


def test_rows_of_one_unit_never_stand_in_both_halves() -> None:
    """Every person ten times: 1,000 units, half of them searched with all rows, one row of each other confirms."""
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(1_000), 10)
    attributes = [Attribute(a.name, np.repeat(a.codes, 10), a.values) for a in people(1_000, rng)]

    result = searched(attributes, np.repeat(rng.integers(0, 2, 1_000), 10), unit=unit)

    assert (result.rows_search, result.rows_confirm) == (5_000, 500)
    assert "4,500 further rows were left out" in result.notes[0]


def test_slice_by_a_feature_is_found_when_asked() -> None:
    """Selected at .6, but at .2 above 50 among those of kind x."""
    rng = np.random.default_rng(4)
    attributes = people(6_000, rng)
    age = rng.uniform(20, 80, 6_000)
    kind = np.array(["x", "y", None], dtype=object)[rng.integers(0, 3, 6_000)]
    prediction = (rng.random(6_000) < np.where((age > 50) & (kind == "x"), 0.2, 0.6)).astype(np.int8)

    result = searched(attributes, prediction, features={"years": age, "kind": kind})

    first = result.found[0]
    assert first.kind == "slice"
    assert first.group["kind"] == "x"
    assert str(first.group["years"]).startswith("above 4") or str(first.group["years"]).startswith("above 5")
    assert first.verdict is Verdict.PROVEN_DISPARITY


def test_missing_numbers_lie_in_no_bin() -> None:
    column = binned("x", np.array([1.0, 2.0, np.nan, 3.0]))

    assert column.codes.tolist()[2] == -1
    assert column.said(np.arange(column.levels) == 0) == "up to 1"


def test_metric_that_is_no_rate_is_refused(planted: tuple[list[Attribute], np.ndarray]) -> None:
    with pytest.raises(PolicyError, match="'f1' is none"):
        searched(*planted, settings=SearchSection(metric="f1"))


def test_metric_that_needs_labels_is_refused_without_them(planted: tuple[list[Attribute], np.ndarray]) -> None:
    with pytest.raises(PolicyError, match="needs labels"):
        searched(*planted, settings=SearchSection(metric="precision"))


def test_attribute_that_is_not_there_is_refused(planted: tuple[list[Attribute], np.ndarray]) -> None:
    with pytest.raises(UnknownAttribute, match="'rase'"):
        searched(*planted, settings=SearchSection(attributes=["rase"]))


def test_unit_of_another_length_is_refused(planted: tuple[list[Attribute], np.ndarray]) -> None:
    with pytest.raises(LengthMismatch, match="'unit' has 3 entries"):
        searched(*planted, unit=np.arange(3))


def test_adjusted_p_values_agree_with_statsmodels_and_scipy() -> None:
    p = np.random.default_rng(0).random(50) ** 3

    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))
