"""Areas within and across groups against scikit-learn and DeLong's definition."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from evenhand.auditors.ranks import auc_of_scores
from evenhand.auditors.scores.areas import areas
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
