"""The area between ROC curves: by hand, by brute force, and its null by permutation."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve as scikit_learns_curve

from evenhand.auditors.scores.curves import NullAreas, RocCurve, area_between, roc_curve
from evenhand.auditors.scores.data import ScoreData
from tests.auditors.scores.rows import drawn, grouped, of_group


def curve(points: list[tuple[float, float]]) -> RocCurve:
    """A curve through points of distinct false positive rates."""
    fpr, tpr = (np.array(side, dtype=float) for side in zip(*points, strict=True))
    return RocCurve(fpr, tpr, tpr)


def test_area_between_crossing_curves_by_hand() -> None:
    """y = x against a curve through (.25, .5) and (.75, .5): two triangles of 1/16 each side of the crossing at .5."""
    diagonal, other = curve([(0, 0), (1, 1)]), curve([(0, 0), (0.25, 0.5), (0.75, 0.5), (1, 1)])

    assert area_between(diagonal, other) == pytest.approx(0.125)


def test_perfect_against_reversed_is_one() -> None:
    data = ScoreData(
        np.array([0.1, 0.9, 0.9, 0.1]), {"g": (np.array([0, 0, 1, 1]), ("a", "b"))}, label=np.array([0, 1, 0, 1])
    )
    rows = grouped(data)

    assert area_between(roc_curve(rows, 0), roc_curve(rows, 1)) == 1


@pytest.mark.parametrize("decimals", [1, 2, None])
def test_area_is_what_brute_force_on_a_fine_grid_finds(decimals: int | None) -> None:
    data = drawn(400, groups=2, decimals=decimals)
    rows = grouped(data)

    exact = area_between(roc_curve(rows, 0), roc_curve(rows, 1))

    grid = (np.arange(200_000) + 0.5) / 200_000
    heights = [np.interp(grid, *scikit_learns_curve(*of_group(data, g), drop_intermediate=False)[:2]) for g in (0, 1)]
    assert exact == pytest.approx(np.abs(heights[0] - heights[1]).mean(), abs=1e-4)


def test_area_does_not_depend_on_the_order_of_the_curves() -> None:
    rows = grouped(drawn(500, groups=2, decimals=1))
    one, other = roc_curve(rows, 0), roc_curve(rows, 1)

    assert area_between(one, other) == pytest.approx(area_between(other, one), abs=1e-15)
    assert area_between(one, one) == 0


def test_a_group_of_one_label_has_no_curve() -> None:
    data = ScoreData(np.array([0.1, 0.2]), {"g": (np.array([0, 0]), ("a",))}, label=np.array([1, 1]))

    assert roc_curve(grouped(data), 0) is None


@pytest.mark.parametrize("decimals", [1, None])
def test_expected_area_is_what_permuting_the_groups_gives(decimals: int | None) -> None:
    """Groups shuffled among the positives and among the negatives, 200 times."""
    rng = np.random.default_rng(2)
    data = drawn(1_200, groups=2, decimals=decimals)
    codes, values = data.attributes["g"]
    rows = grouped(data)

    said = NullAreas(rows, rng).judge(area_between(roc_curve(rows, 0), roc_curve(rows, 1)), 0, 1)

    permuted = []
    for _ in range(200):
        shuffled = codes.copy()
        for label in (0, 1):
            inside = data.label == label
            shuffled[inside] = rng.permutation(codes[inside])
        again = grouped(ScoreData(data.scores, {"g": (shuffled, values)}, label=data.label))
        permuted.append(area_between(roc_curve(again, 0), roc_curve(again, 1)))
    assert said.expected == pytest.approx(np.mean(permuted), rel=0.08)
    assert said.margin == pytest.approx(np.quantile(permuted, 0.95), rel=0.12)


def test_equal_curves_are_told_apart_as_seldom_as_promised() -> None:
    rng = np.random.default_rng(3)
    rejected = []
    for seed in range(200):
        data = drawn(400, groups=2, seed=seed)
        data = ScoreData(data.scores, {"g": (rng.integers(0, 2, 400), ("a", "b"))}, label=data.label)
        rows = grouped(data)
        rejected.append(
            NullAreas(rows, rng).judge(area_between(roc_curve(rows, 0), roc_curve(rows, 1)), 0, 1).p_value < 0.05
        )

    assert np.mean(rejected) < 0.095  # .05 and three standard errors
