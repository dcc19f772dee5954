"""The worst subgroup search: what is planted is found, what is not is not claimed, and it says what it looked at."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control, fisher_exact
from statsmodels.stats.multitest import multipletests

from evenhand.auditors.counts import Attribute
from evenhand.auditors.disparity import halves
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


def test_numbers_come_from_the_half_that_was_not_searched() -> None:
    """With distinct units the halves are numpy's permutation of the seed; scipy's Fisher test on the same half."""
    rng = np.random.default_rng(5)
    attributes = people(8_000, rng)
    inside = in_group(attributes, sex="F", race="b", age="old")
    prediction = (rng.random(8_000) < np.where(inside, 0.2, 0.5)).astype(np.int8)
    confirm = np.ones(8_000, dtype=bool)
    confirm[np.random.default_rng(3).permutation(8_000)[:4_000]] = False
    table = [[int((confirm & side & (prediction == y)).sum()) for y in (1, 0)] for side in (inside, ~inside)]

    first = searched(attributes, prediction, seed=3, unit=np.arange(8_000)).found[0]

    assert first.n == sum(table[0])
    assert first.rate == pytest.approx(table[0][0] / first.n)
    assert first.p_value == pytest.approx(fisher_exact(table).pvalue, rel=1e-6)


def counted(attributes: list[Attribute], prediction: np.ndarray) -> tuple[list[Attribute], np.ndarray, np.ndarray]:
    """Equal rows as one, in an order of no meaning, with their number."""
    rows = np.stack([*(a.codes for a in attributes), prediction])
    kinds, times = np.unique(rows, axis=1, return_counts=True)
    order = np.random.default_rng(1).permutation(len(times))
    kinds, times = kinds[:, order], times[order]
    return [Attribute(a.name, k, a.values) for a, k in zip(attributes, kinds, strict=False)], kinds[-1], times


def test_search_of_counts_is_the_search_of_their_rows(planted: tuple[list[Attribute], np.ndarray]) -> None:
    attributes, prediction, times = counted(*planted)

    assert len(times) < 100
    assert searched(attributes, prediction, times=times, seed=4) == searched(*planted, seed=4)


def test_kinds_too_many_for_a_table_are_halved_alike(
    planted: tuple[list[Attribute], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    dense = searched(*planted, seed=4)
    monkeypatch.setattr(halves, "MOST_DENSE_CELLS", 0)
    attributes, prediction, times = counted(*planted)

    assert searched(*planted, seed=4) == dense
    assert searched(attributes, prediction, times=times, seed=4) == dense


def test_more_rows_than_can_be_drawn_together_are_halved_row_by_row(
    planted: tuple[list[Attribute], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binomial halves of 8,000 rows: 4,000 and six standard deviations of 44.7."""
    monkeypatch.setattr(halves, "MOST_DRAWN_TOGETHER", 0)

    result = searched(*planted, seed=4)

    assert result.rows_search + result.rows_confirm == 8_000
    assert abs(result.rows_search - 4_000) < 6 * 44.7
    assert result.found[0].group == {"sex": "F", "race": "b", "age": "old"}


def test_half_of_a_kind_is_hypergeometric() -> None:
    """30 of 40 rows are of one kind: its share of a half of 20 has mean 15 and variance 20 × .75 × .25 × 20/39."""
    attribute = Attribute("kind", np.array([0, 1], dtype=np.int32), ("a", "b"))
    rng = np.random.default_rng(8)

    drawn = [
        int(halves.halves_of_kinds([attribute], np.zeros(2, np.int64), times=np.array([30, 10]), rng=rng).search[0])
        for _ in range(4_000)
    ]

    assert np.mean(drawn) == pytest.approx(15, abs=4 * 1.387 / np.sqrt(4_000))
    assert np.var(drawn) == pytest.approx(1.923, rel=0.1)


def test_counts_with_weights_of_rows_are_refused(planted: tuple[list[Attribute], np.ndarray]) -> None:
    with pytest.raises(ValueError, match="no features, units or weights"):
        searched(*planted, times=np.ones(8_000, np.int64), weight=np.ones(8_000))


def test_equal_weights_change_only_the_test(planted: tuple[list[Attribute], np.ndarray]) -> None:
    """The halves of single rows are drawn by another stream, so the same rows with distinct units are compared."""
    unit = np.arange(8_000)

    plain, weighted = searched(*planted, unit=unit), searched(*planted, unit=unit, weight=np.full(8_000, 3.0))

    assert [found.group for found in weighted.found] == [found.group for found in plain.found]
    for one, other in zip(plain.found, weighted.found, strict=True):
        assert (other.n, other.rate, other.gap, other.low) == pytest.approx((one.n, one.rate, one.gap, one.low))


def test_weights_that_turn_a_rate_are_honoured() -> None:
    """Old women of race b are selected at .5 as others are; those not selected weigh four times as much: .2."""
    rng = np.random.default_rng(6)
    attributes = people(16_000, rng)
    prediction = rng.integers(0, 2, 16_000)
    inside = in_group(attributes, sex="F", race="b", age="old")
    weight = np.where(inside & (prediction == 0), 4.0, 1.0)

    result = searched(attributes, prediction, weight=weight)

    first = result.found[0]
    assert first.group == {"sex": "F", "race": "b", "age": "old"}
    assert first.rate == pytest.approx(0.2, abs=0.05)
    assert first.verdict is Verdict.PROVEN_DISPARITY
    assert any("weighted" in note for note in result.notes)
    assert not claimed(searched(attributes, prediction))


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
