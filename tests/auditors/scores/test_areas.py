"""Areas within and across groups against scikit-learn and DeLong's definition; the histogram's certified bound."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evenhand.auditors.ranks import auc_of_scores
from evenhand.auditors.scores.areas import areas
from evenhand.auditors.scores.binned import cut_bins, histogram
from evenhand.auditors.scores.data import ScoreData
from tests.auditors.scores.rows import doubled, drawn, grouped, of_group


@pytest.mark.parametrize("decimals", [1, 2, None])
def test_every_area_is_scikit_learns(decimals: int | None) -> None:
    data = drawn(decimals=decimals)

    found = areas(grouped(data)).area

    codes, _ = data.attributes["g"]
    for i in range(3):
        for j in range(3):
            rows = ((codes == i) & (data.label == 1)) | ((codes == j) & (data.label == 0))
            assert found[i, j] == pytest.approx(roc_auc_score(data.label[rows], data.scores[rows]), abs=1e-12)


@pytest.mark.parametrize("decimals", [1, None])
def test_errors_are_delongs(decimals: int | None) -> None:
    data = drawn(decimals=decimals)

    found = areas(grouped(data)).error

    for i in range(3):
        label, scores = of_group(data, i)
        assert found[i, i] == pytest.approx(auc_of_scores(scores, label == 1).error, rel=1e-9)


def test_error_across_groups_is_delongs_by_definition() -> None:
    data = drawn(400, groups=2, decimals=1)

    found = areas(grouped(data)).error

    one, other = of_group(data, 0), of_group(data, 1)
    difference = one[1][one[0] == 1][:, None] - other[1][other[0] == 0][None, :]
    wins = (difference > 0) + 0.5 * (difference == 0)
    variance = wins.mean(axis=1).var(ddof=1) / wins.shape[0] + wins.mean(axis=0).var(ddof=1) / wins.shape[1]
    assert found[0, 1] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    weighted, repeated = doubled(drawn(600, decimals=2), np.random.default_rng(1))

    assert areas(grouped(weighted)).area == pytest.approx(areas(grouped(repeated)).area, abs=1e-12)


def test_equal_weights_change_nothing() -> None:
    data = drawn(600)
    even = ScoreData(data.scores, data.attributes, label=data.label, weight=np.full(600, 3.0))

    assert areas(grouped(even)).area == pytest.approx(areas(grouped(data)).area, abs=1e-12)
    assert areas(grouped(even)).error == pytest.approx(areas(grouped(data)).error, rel=1e-9)


def test_turning_the_scores_turns_the_areas() -> None:
    data = drawn(600, decimals=2)
    turned = ScoreData(-data.scores, data.attributes, label=data.label)

    assert areas(grouped(turned)).area == pytest.approx(1 - areas(grouped(data)).area, abs=1e-12)


def test_a_group_of_one_label_has_no_area() -> None:
    data = ScoreData(
        np.array([0.1, 0.2, 0.3, 0.4]), {"g": (np.array([0, 0, 1, 1]), ("a", "b"))}, label=np.array([0, 1, 1, 1])
    )

    found = areas(grouped(data))

    assert found.area[0, 0] == 1
    assert found.area[1, 0] == 1
    assert np.isnan(found.area[:, 1]).all()
    assert np.isnan(found.error[:, 1]).all()


@pytest.mark.parametrize("shape", ["probabilities", "skewed", "logits", "with zeros", "tiny", "few", "constant"])
def test_binned_areas_lie_within_their_certified_bound(shape: str) -> None:
    data = drawn(20_000, groups=4)
    p = data.scores
    scores = {
        "probabilities": p,
        "skewed": p**40,
        "logits": np.log(p / (1 - p)),
        "with zeros": np.where(p < 0.3, 0.0, p),
        "tiny": p * 1e-200,
        "few": np.round(p, 1),
        "constant": np.full_like(p, -2.5),
    }[shape]
    data = ScoreData(scores, data.attributes, label=data.label)
    codes, _ = data.attributes["g"]

    binned = histogram(scores, codes, data.label, groups=4, bins=cut_bins(scores)).areas()

    exact = areas(grouped(data))
    assert np.all(np.abs(binned.area - exact.area) <= binned.bound + 1e-12)
    assert binned.error == pytest.approx(exact.error, rel=0.01)
    if shape not in ("few", "constant", "with zeros"):  # true ties cannot be told from near ones
        assert binned.bound.max() < 0.001


def test_bins_cut_on_a_sample_hold_for_all_and_chunks_add() -> None:
    data = drawn(8_000, groups=2)
    codes, _ = data.attributes["g"]
    bins = cut_bins(data.scores[:500])

    whole = histogram(data.scores, codes, data.label, groups=2, bins=bins)
    parts = [
        histogram(data.scores[s], codes[s], data.label[s], groups=2, bins=bins)
        for s in (slice(3_000), slice(3_000, None))
    ]

    assert np.array_equal((parts[0] + parts[1]).rows, whole.rows)
    exact = areas(grouped(data)).area
    assert np.all(np.abs(whole.areas().area - exact) <= whole.areas().bound + 1e-12)
