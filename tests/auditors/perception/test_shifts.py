"""How far real scores move between the groups of a class, and when that backs a leaning."""

import numpy as np
import pytest

from evenhand.auditors.perception.shifts import LEAST_SHIFT, Shift, shift_of


def shift(margin: list[float], second: list[int], label: list[int], unit: list[int] | None = None) -> Shift:
    return shift_of(
        np.array(margin),
        second=np.array(second, dtype=bool),
        label=np.array(label),
        unit=np.arange(len(margin)) if unit is None else np.array(unit),
        seed=0,
        name="tone",
    )


def test_shift_is_the_mean_over_classes_of_the_second_group_less_the_first() -> None:
    """By hand: class 0 moves by .5 - .2 = .3, class 1 by (2 + 1) / 2 - 1 = .5."""
    found = shift([0.2, 0.5, 1.0, 2.0, 1.0], second=[0, 1, 0, 1, 1], label=[0, 0, 1, 1, 1])

    assert found.estimate == pytest.approx(0.4)


def test_group_that_is_common_in_a_class_does_not_move_by_its_class() -> None:
    label = np.repeat([0, 1], 50)
    second = np.concatenate([np.arange(50) < 5, np.arange(50) < 45])

    found = shift(list(2.0 * label - 1), list(second), list(label))

    assert found.estimate == pytest.approx(0.0)
    assert found.p_value == 1.0


def test_swaps_within_units_are_counted_where_there_are_few() -> None:
    """Six units that all move alike: 2 of 64 arrangements are as far from 0."""
    found = shift([0.0, 1.0] * 6, second=[0, 1] * 6, label=[0] * 12, unit=list(np.repeat(np.arange(6), 2)))

    assert found.estimate == pytest.approx(1.0)
    assert found.p_value == pytest.approx(2 / 64)


@pytest.mark.parametrize("together", [True, False])
def test_groups_at_random_are_rarely_shown_to_move_scores(together: bool) -> None:
    """Units that hold both groups, and units of one group: p < .05 in about one of twenty of 200 draws."""
    rng = np.random.default_rng(0)
    unit = np.repeat(np.arange(40), 2)
    found = []
    for _ in range(200):
        margin = rng.normal(size=80) + np.repeat(rng.normal(size=40), 2)
        one = rng.integers(0, 2, 40)
        second = np.stack([one, 1 - one if together else one], axis=1).reshape(-1)
        label = np.tile([0, 1], 40) if not together else np.repeat(np.arange(40) % 2, 2)
        found.append(shift(list(margin), list(second), list(label), list(unit)).p_value)

    assert 0.02 <= np.mean(np.array(found) < 0.05) <= 0.10


@pytest.mark.parametrize(
    ("estimate", "p", "lean", "backed"),
    [
        (LEAST_SHIFT, 0.005, 1.5, True),
        (-LEAST_SHIFT, 0.005, -1.5, True),
        (LEAST_SHIFT, 0.005, -1.5, False),
        (LEAST_SHIFT - 0.01, 0.005, 1.5, False),
        (0.9, 0.02, 1.5, False),
    ],
)
def test_leaning_is_backed_by_size_sign_and_test_together(estimate: float, p: float, lean: float, backed: bool) -> None:
    assert Shift(estimate, p).backs(lean) is backed
