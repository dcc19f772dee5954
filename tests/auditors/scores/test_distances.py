"""Distances between groups against scipy, and the standardized mean difference against its definition and simulation."""

import numpy as np
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from evenhand.auditors.scores.data import ScoreData
from evenhand.auditors.scores.distances import ScoreDistances, standardized_mean_differences
from tests.auditors.scores.rows import doubled, drawn, grouped, of_group


@pytest.mark.parametrize("decimals", [1, None])
def test_distances_are_scipys(decimals: int | None) -> None:
    data = drawn(decimals=decimals)
    one, other = of_group(data, 0)[1], of_group(data, 2)[1]

    found = ScoreDistances(grouped(data), np.random.default_rng(0)).between(0, 2)

    scipys = ks_2samp(one, other, method="asymp")
    assert found.ks == pytest.approx(scipys.statistic, abs=1e-12)
    assert found.ks_p_value == pytest.approx(scipys.pvalue, rel=0.15)  # limits of different order
    assert found.wasserstein == pytest.approx(wasserstein_distance(one, other), abs=1e-12)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    weighted, repeated = doubled(drawn(600, decimals=2), np.random.default_rng(1))
    found = [ScoreDistances(grouped(data), np.random.default_rng(0)).between(0, 1) for data in (weighted, repeated)]

    assert found[0].ks == pytest.approx(found[1].ks, abs=1e-12)
    assert found[0].wasserstein == pytest.approx(found[1].wasserstein, abs=1e-12)


def test_p_values_of_groups_that_score_alike_are_uniform_enough() -> None:
    rng = np.random.default_rng(4)
    rejected = []
    for _ in range(200):
        data = ScoreData(rng.beta(2, 5, 300), {"g": (rng.integers(0, 2, 300), ("a", "b"))})
        found = ScoreDistances(grouped(data), rng).between(0, 1)
        rejected.append((found.ks_p_value < 0.05, found.wasserstein_p_value < 0.05))

    assert np.mean(rejected, axis=0).max() < 0.095  # .05 and three standard errors


def test_intervals_of_distances_hold_the_truth() -> None:
    """Normals one apart: Wasserstein 1, Kolmogorov-Smirnov .3829."""
    rng = np.random.default_rng(5)
    held = []
    for _ in range(200):
        group = rng.integers(0, 2, 400)
        data = ScoreData(rng.standard_normal(400) + group, {"g": (group, ("a", "b"))})
        found = ScoreDistances(grouped(data), rng).between(0, 1)
        held.append((abs(found.wasserstein - 1) <= found.wasserstein_margin, abs(found.ks - 0.3829) <= found.ks_margin))

    assert np.mean(held, axis=0).min() > 0.9


def test_standardized_mean_difference_is_cohens() -> None:
    data = drawn()
    one, other = of_group(data, 0)[1], of_group(data, 1)[1]
    pooled = ((len(one) - 1) * one.var(ddof=1) + (len(other) - 1) * other.var(ddof=1)) / (len(one) + len(other) - 2)

    found = standardized_mean_differences(grouped(data)).value

    assert found[0, 1] == pytest.approx((one.mean() - other.mean()) / np.sqrt(pooled), abs=1e-12)
    assert found[1, 0] == -found[0, 1]
    assert found[0, 0] == 0


@pytest.mark.parametrize("skewed", [False, True])
def test_error_of_the_standardized_mean_difference_is_its_spread_over_samples(skewed: bool) -> None:
    rng = np.random.default_rng(6)
    values, errors = [], []
    for _ in range(400):
        group = np.repeat([0, 1], [150, 450])
        scores = rng.exponential(1 + group) if skewed else rng.standard_normal(600) + group
        found = standardized_mean_differences(grouped(ScoreData(scores, {"g": (group, ("a", "b"))})))
        values.append(found.value[1, 0])
        errors.append(found.error[1, 0])

    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.12)


def test_constant_scores_have_no_standardized_mean_difference() -> None:
    data = ScoreData(np.full(80, 0.5), {"g": (np.repeat([0, 1], 40), ("a", "b"))})

    assert np.isnan(standardized_mean_differences(grouped(data)).value[0, 1])
