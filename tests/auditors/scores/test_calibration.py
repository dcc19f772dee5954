"""Calibration against scikit-learn, by hand, and by simulation of scores that are calibrated."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from evenhand.auditors.scores.calibration import calibration
from evenhand.auditors.scores.data import ScoreData
from tests.auditors.scores.rows import doubled, drawn, grouped, of_group


@pytest.mark.parametrize("decimals", [1, None])
def test_brier_is_scikit_learns_and_the_large_is_a_difference_of_means(decimals: int | None) -> None:
    data = drawn(decimals=decimals)

    found = calibration(grouped(data))

    for g in range(3):
        label, scores = of_group(data, g)
        assert found.brier.value[g] == pytest.approx(brier_score_loss(label, scores), abs=1e-12)
        assert found.in_the_large.value[g] == pytest.approx(scores.mean() - label.mean(), abs=1e-12)


def test_calibration_error_by_hand() -> None:
    """Ten bins of 10 rows, score .05 to .95 each, half of every bin positive: mean of |score - .5| = .25."""
    scores = np.repeat(np.arange(10) / 10 + 0.05, 10)
    label = np.tile([0, 1], 50)

    found = calibration(grouped(ScoreData(scores, {"g": (np.zeros(100, dtype=int), ("a",))}, label=label)))

    assert found.expected_error.value[0] == pytest.approx(0.25)
    assert found.bins.rows[0].tolist() == [10] * 10


def test_tied_scores_share_a_bin() -> None:
    data = ScoreData(np.full(50, 0.3), {"g": (np.zeros(50, dtype=int), ("a",))}, label=np.arange(50) % 2)

    found = calibration(grouped(data))

    assert (found.bins.rows[0] > 0).sum() == 1
    assert found.expected_error.value[0] == pytest.approx(0.2)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    weighted, repeated = (calibration(grouped(data)) for data in doubled(drawn(600), np.random.default_rng(1)))

    assert weighted.brier.value == pytest.approx(repeated.brier.value, abs=1e-12)
    assert weighted.expected_error.value == pytest.approx(repeated.expected_error.value, abs=1e-12)


@pytest.mark.parametrize("n", [100, 1_000])
def test_a_calibrated_score_shows_the_error_that_chance_gives_it(n: int) -> None:
    rng = np.random.default_rng(7)
    values, chance, debiased, low = [], [], [], []
    for _ in range(300):
        scores = rng.beta(2, 3, n)
        data = ScoreData(scores, {"g": (np.zeros(n, dtype=int), ("a",))}, label=(rng.random(n) < scores).astype(int))
        found = calibration(grouped(data))
        values.append(found.expected_error.value[0])
        chance.append(found.chance[0])
        debiased.append(found.debiased[0])
        low.append(found.expected_error.bounds(1.96)[0][0])

    assert np.mean(values) == pytest.approx(np.mean(chance), rel=0.05)
    assert np.mean(debiased) < 0.75 * np.mean(values)
    assert np.mean(np.array(low) > 0) < 0.055  # two-sided .05 leaves .025 below, and noise


def test_interval_of_the_calibration_error_holds_the_truth() -> None:
    """Scores .1 too high everywhere: the error is .1 whatever the bins."""
    rng = np.random.default_rng(8)
    held = []
    for _ in range(300):
        truth = rng.uniform(0.1, 0.8, 500)
        data = ScoreData(
            truth + 0.1, {"g": (np.zeros(500, dtype=int), ("a",))}, label=(rng.random(500) < truth).astype(int)
        )
        low, high = calibration(grouped(data)).expected_error.bounds(1.96)
        held.append(low[0] <= 0.1 <= high[0])

    assert np.mean(held) > 0.93


def test_intervals_of_means_hold_the_truth() -> None:
    rng = np.random.default_rng(9)
    held = []
    for _ in range(400):
        scores = rng.uniform(0, 1, 200)
        data = ScoreData(
            scores, {"g": (np.zeros(200, dtype=int), ("a",))}, label=(rng.random(200) < scores**2).astype(int)
        )
        found = calibration(grouped(data))
        (large_low,), (large_high,) = found.in_the_large.bounds(1.96)
        (brier_low,), (brier_high,) = found.brier.bounds(1.96)
        # E(s - y) = 1/2 - 1/3; E(s - y)^2 = E s^2 - 2 s^3 + s^2 = 2/3 - 1/2
        held.append((large_low <= 1 / 6 <= large_high, brier_low <= 1 / 6 <= brier_high))

    assert np.mean(held, axis=0).min() > 0.92
