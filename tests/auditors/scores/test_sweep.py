"""Thresholds, histograms and the scoring rate, by hand and against plain counting."""

import numpy as np
import pytest

from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.grouped import sort_rows
from evenhand.auditors.scores.sweep import beyond_median, edges_of, median_of, spread, sweep, thresholds_of
from tests.auditors.scores.rows import doubled, drawn, grouped, of_group


@pytest.mark.parametrize("decimals", [1, None])
def test_rates_at_every_threshold_are_plain_counts(decimals: int | None) -> None:
    data = drawn(decimals=decimals)
    thresholds = thresholds_of(sort_rows(data).of(), used=0.5)

    found = sweep(grouped(data), thresholds, favourable_is_positive=True)

    assert 0.5 in thresholds
    assert len(thresholds) <= 100
    for g in range(3):
        label, scores = of_group(data, g)
        reached = scores[:, None] >= thresholds
        assert found.selection_rate[g] == pytest.approx(reached.mean(axis=0), abs=1e-12)
        assert found.true_positive_rate[g] == pytest.approx(reached[label == 1].mean(axis=0), abs=1e-12)
        assert found.false_positive_rate[g] == pytest.approx(reached[label == 0].mean(axis=0), abs=1e-12)


def test_impact_ratio_follows_the_favourable_outcome() -> None:
    data = ScoreData(np.repeat([0.2, 0.8, 0.2, 0.8], [30, 10, 10, 30]), {"g": (np.repeat([0, 1], 40), ("a", "b"))})

    up = sweep(grouped(data), np.array([0.5]), favourable_is_positive=True).impact_ratio
    down = sweep(grouped(data), np.array([0.5]), favourable_is_positive=False).impact_ratio

    assert up[:, 0] == pytest.approx([1 / 3, 1])
    assert down[:, 0] == pytest.approx([1, 1 / 3])


def test_ratio_is_undefined_where_nobody_has_the_favourable_outcome() -> None:
    data = drawn(200)

    assert np.isnan(sweep(grouped(data), np.array([2.0]), favourable_is_positive=True).impact_ratio).all()


def test_median_is_numpys_and_its_weighted_form_the_repeated_rows() -> None:
    for n in (300, 301):
        data = drawn(n)
        weighted, repeated = doubled(data, np.random.default_rng(2))

        assert median_of(sort_rows(data).of()) == np.median(data.scores)
        assert median_of(sort_rows(weighted).of()) == np.median(repeated.scores)


def test_scoring_rate_of_local_law_144_by_hand() -> None:
    """Scores 1 to 8, median 4.5; a holds 5, 6, 7 and 1: .75 above; b .25."""
    data = ScoreData(np.arange(1.0, 9.0), {"g": (np.array([0, 1, 1, 1, 0, 0, 0, 1]), ("a", "b"))})
    rows = grouped(data)
    median = median_of(sort_rows(data).of())

    assert median == 4.5
    assert beyond_median(rows, median, favourable_is_positive=True).beyond.tolist() == [3, 1]
    assert beyond_median(rows, median, favourable_is_positive=False).beyond.tolist() == [1, 3]


def test_shares_are_numpys_histogram() -> None:
    data = drawn()
    edges = edges_of(np.unique(data.scores), are_probabilities=True)

    found = spread(grouped(data), edges)

    for g in range(3):
        scores = of_group(data, g)[1]
        assert found[g] == pytest.approx(np.histogram(scores, edges)[0] / len(scores))


def test_few_values_have_a_bin_each() -> None:
    assert edges_of(np.arange(1.0, 4.0), are_probabilities=False).tolist() == [0.5, 1.5, 2.5, 3.5]
    assert edges_of(np.array([0.3]), are_probabilities=True).tolist() == [-0.2, 0.8]
