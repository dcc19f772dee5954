"""Whether decisions are shown to be better than guesses, by units."""

import numpy as np
import pytest

from evenhand.auditors.perception.skill import Skill, skill_of


def skill(decided: list[int], label: list[int], unit: list[int] | None = None) -> Skill:
    return skill_of(
        np.array(decided), np.array(label), np.arange(len(label)) if unit is None else np.array(unit), seed=0
    )


def test_classes_count_alike() -> None:
    """By hand: 3 of 4 of the one class, 1 of 2 of the other."""
    found = skill([0, 0, 0, 1, 1, 0], label=[0, 0, 0, 0, 1, 1])

    assert found.balanced_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.by_chance == 0.5


def test_calling_everything_the_common_class_is_no_skill() -> None:
    found = skill([0] * 100, label=[0] * 90 + [1] * 10)

    assert found.balanced_accuracy == pytest.approx(0.5)
    assert not found.shown
    assert "balanced accuracy 0.50" in found.in_words()


def test_three_classes_are_guessed_in_a_third() -> None:
    label = [0, 1, 2] * 40

    assert skill(label, label).by_chance == pytest.approx(1 / 3)
    assert skill(label, label).shown


def test_many_pictures_of_few_units_show_less_than_as_many_units() -> None:
    """Two in three of 120 pictures are right; by 120 units that is shown, and by 6 it is not."""
    label, right = np.tile([0, 1], 60), np.repeat([True, True, False], 40)
    decided = np.where(right, label, 1 - label)

    assert skill(list(decided), list(label)).shown
    assert not skill(list(decided), list(label), list(np.repeat(np.arange(6), 20))).shown


@pytest.mark.parametrize("seed", range(5))
def test_guesses_are_rarely_taken_for_skill(seed: int) -> None:
    rng = np.random.default_rng(seed)
    label = np.tile([0, 1], 60)

    shown = [skill(list(rng.integers(0, 2, 120)), list(label)).shown for _ in range(40)]

    assert np.mean(shown) <= 0.05
