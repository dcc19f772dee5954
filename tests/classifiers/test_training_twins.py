"""Pictures that are nearly another one are found as by comparing all pairs, without comparing them."""

import time

import numpy as np
import pytest

from evenhand.classifiers.training.twins import MOST_BITS, MOST_DIFFERENCE, _masks, average_hashes, twins


def smooth(count: int, *, seed: int, side: int = 16) -> np.ndarray:
    """Pictures of four by four patches, so that hashes are alike as those of photographs are."""
    chance = np.random.default_rng(seed)
    patches = np.kron(chance.normal(0, 45, (count, 4, 4, 3)), np.ones((1, side // 4, side // 4, 1)))
    return np.clip(128 + patches + chance.normal(0, 8, patches.shape), 0, 255).astype(np.uint8)


def with_twins(seed: int) -> np.ndarray:
    """300 pictures: 40 with noise added, 80 of one shade with hardly anything on them, 40 of one shade alone."""
    chance, images = np.random.default_rng(seed), smooth(300, seed=seed)
    images[100:140] = np.clip(images[:40] + chance.integers(-15, 16, (40, 16, 16, 3)), 0, 255)
    images[140:220] = chance.integers(60, 200, (80, 1, 1, 1)) + chance.integers(-12, 13, (80, 16, 16, 3))
    images[220:260] = chance.integers(0, 256, (40, 1, 1, 1))
    return images


def by_all_pairs(images: np.ndarray, of: np.ndarray, among: np.ndarray) -> list[bool]:
    """The definition, one pair after the other."""
    hashes, wide = average_hashes(images).tolist(), images.astype(float)
    return [
        any(
            one != other
            and (hashes[one] ^ hashes[other]).bit_count() <= MOST_BITS
            and np.abs(wide[one] - wide[other]).mean() <= MOST_DIFFERENCE
            for other in among.tolist()
        )
        for one in of.tolist()
    ]


@pytest.mark.parametrize("seed", range(3))
def test_twins_are_those_of_all_pairs(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few pairs at once, so that every part is cut somewhere."""
    monkeypatch.setattr("evenhand.classifiers.training.twins.PAIRS_AT_ONCE", 97)
    monkeypatch.setattr("evenhand.classifiers.training.twins.COMPARED_AT_ONCE", 31)
    images = with_twins(seed)
    of, among = np.arange(90, 300), np.arange(0, 230)

    found = twins(images, of, among)

    assert found.tolist() == by_all_pairs(images, of, among)
    assert 25 < found.sum() < 200


def test_hashes_that_differ_in_two_bits_always_meet_under_a_mask() -> None:
    masks = [int(mask) for mask in _masks()]

    met = [any(((1 << one) | (1 << two)) & mask == 0 for mask in masks) for one in range(64) for two in range(64)]

    assert all(met)
    assert all(mask.bit_count() > 30 for mask in masks)


def test_nothing_has_no_twins() -> None:
    images, none = smooth(3, seed=0), np.zeros(0, dtype=np.int64)

    assert twins(images, np.arange(3), none).tolist() == [False] * 3
    assert twins(images, none, np.arange(3)).tolist() == []


def test_ten_thousand_pictures_take_a_moment() -> None:
    images = smooth(10_000, seed=0)
    images[9_900:] = images[:100] // 2 * 2
    started = time.process_time()

    found = twins(images, np.arange(7_000, 10_000), np.arange(7_000))

    assert found[-100:].all()
    assert time.process_time() - started < 5
