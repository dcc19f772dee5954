"""How near a changed picture is to the original: by hand, and beside the formula window by window."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.robustness.likeness import in_words, likeness, structural_similarity


def grey(value: float, side: int = 16) -> NDArray[np.float32]:
    return np.full((side, side, 1), value, np.float32)


def noisy(seed: int, channels: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((20, 18, channels), np.float32)


def test_one_pixel_changed_by_51_levels_is_measured_as_by_hand() -> None:
    """Of 256 pixels one changes by .2: L2 .2, mean square .04 / 256, so PSNR 10 log10(6400) dB."""
    after = grey(0.5)
    after[3, 4] += 0.2

    found = likeness(grey(0.5), after)

    assert found.largest == pytest.approx(51, abs=1e-4)
    assert found.length == pytest.approx(0.2, abs=1e-6)
    assert found.changed == 1 / 256
    assert found.peak_signal_to_noise == pytest.approx(10 * math.log10(6400), abs=1e-4)


def test_a_pixel_counts_as_changed_where_one_channel_moves_by_more_than_a_level() -> None:
    before = np.zeros((2, 2, 3), np.float32)
    after = before.copy()
    after[0, 0, 1] = 1.01 / 255
    after[1, 1] = 0.99 / 255

    assert likeness(before, after).changed == 1 / 4


def test_a_picture_is_like_itself() -> None:
    found = likeness(noisy(0), noisy(0))

    assert (found.largest, found.length, found.changed) == (0, 0, 0)
    assert found.peak_signal_to_noise == math.inf
    assert found.structural_similarity == pytest.approx(1)


def test_even_greys_differ_in_their_means_alone() -> None:
    """No variance anywhere: SSIM is (2ab + C1) / (a² + b² + C1), C1 = .0001."""
    expected = (2 * 0.4 * 0.6 + 0.0001) / (0.16 + 0.36 + 0.0001)

    assert structural_similarity(grey(0.4), grey(0.6)) == pytest.approx(expected, abs=1e-6)


def test_structural_similarity_is_the_mean_of_the_formula_in_every_window() -> None:
    """Wang et al. (2004), equations 13 to 16, each window's weighted sums written out."""
    before, after = noisy(1), np.clip(noisy(1) + 0.2 * noisy(2) - 0.1, 0, 1).astype(np.float32)
    weights = np.array(
        [[math.exp(-(i * i + j * j) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)], np.float64
    )[:, :, None]
    weights /= weights.sum()
    wide = [np.pad(picture.astype(np.float64), ((5, 5), (5, 5), (0, 0)), "symmetric") for picture in (before, after)]
    values = []
    for i in range(before.shape[0]):
        for j in range(before.shape[1]):
            x, y = (picture[i : i + 11, j : j + 11] for picture in wide)
            mx, my = (weights * x).sum(axis=(0, 1)), (weights * y).sum(axis=(0, 1))
            vx, vy = (weights * (x - mx) ** 2).sum(axis=(0, 1)), (weights * (y - my) ** 2).sum(axis=(0, 1))
            cov = (weights * (x - mx) * (y - my)).sum(axis=(0, 1))
            values.append((2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)))

    assert structural_similarity(before, after) == pytest.approx(np.mean(values), abs=1e-9)


def test_a_negative_is_unlike_and_more_noise_is_less_like() -> None:
    before, noise = noisy(3), noisy(4) - 0.5
    little, much = (structural_similarity(before, (before + share * noise).astype(np.float32)) for share in (0.1, 0.5))

    assert structural_similarity(before, 1 - before) < -0.8
    assert 1 > little > much > 0


def test_a_picture_smaller_than_the_window_has_a_value() -> None:
    assert structural_similarity(noisy(5)[:4, :4], noisy(5)[:4, :4]) == pytest.approx(1)
    assert structural_similarity(noisy(5)[:4, :4], noisy(6)[:4, :4]) < 0.5


def test_the_line_for_people_says_every_measure() -> None:
    after = grey(0.5)
    after[:8] += 0.02

    said = in_words(likeness(grey(0.5), after))

    assert said.startswith("No channel of any pixel changes by more than 5.1 of 255 levels; 50 of 100 pixels change")
    assert "(L2) 0.23" in said
    assert "PSNR 37.0 dB" in said
    assert said.endswith(f"SSIM {structural_similarity(grey(0.5), after):.3f}.")
