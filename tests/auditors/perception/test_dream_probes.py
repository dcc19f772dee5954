"""Attribute probes: what they must see, what they must not, and that nothing but the seed moves them."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evenhand.auditors.perception.probe_networks import pooled
from evenhand.auditors.perception.probes import (
    FOLDS,
    Probe,
    balanced_accuracy,
    cell_weights,
    cells_outside_every_fold,
    fit_probes,
    folds_of,
)

SIDE = 10


def crowd(
    *, units: int = 60, group: float = 0.3, label: float = 0.0, together: float = 0.5, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Two noisy pictures a unit: the group brightens the upper half, the class the lower; `together` is how often equal."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), 2)
    of_class = np.repeat(rng.integers(0, 2, units), 2)
    of_group = np.where(rng.random(2 * units) < together, of_class, 1 - of_class).astype(bool)
    pictures = rng.uniform(0.2, 0.5, (2 * units, SIDE, SIDE, 1)).astype(np.float32)
    pictures[:, : SIDE // 2] += group * of_group[:, None, None, None]
    pictures[:, SIDE // 2 :] += label * of_class[:, None, None, None]
    return pictures, of_group, of_class.astype(np.int64), unit


def fitted(crowd: tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]) -> list[Probe]:
    pictures, target, label, unit = crowd
    fold = folds_of(unit, seed=0)
    ids = np.arange(len(unit), dtype=np.int64)
    return fit_probes(pictures, target, stratum=label, fold=fold, ids=ids, seed=0, purpose="group")


def test_both_probes_see_a_group_in_people_they_have_not_seen() -> None:
    probes = fitted(crowd())

    assert [probe.name for probe in probes] == ["linear", "convnet"]
    assert all(probe.balanced_accuracy > 0.9 and probe.good for probe in probes)


def test_a_group_that_does_not_show_is_not_seen() -> None:
    assert not any(probe.good for probe in fitted(crowd(group=0.0)))


def test_a_probe_does_not_take_the_class_for_the_group_that_goes_with_it() -> None:
    """Nine in ten of one class are of one group; only the class shows. Cells weigh alike, so that nothing is gained."""
    probes = fitted(crowd(units=150, group=0.0, label=0.3, together=0.9))

    assert all(abs(probe.balanced_accuracy - 0.5) < 0.1 for probe in probes)


def test_units_are_never_divided_between_folds() -> None:
    unit = np.random.default_rng(0).integers(0, 40, 300)

    fold = folds_of(unit, seed=3)

    assert all(len(set(fold[unit == one])) == 1 for one in np.unique(unit))
    assert np.ptp([len(set(unit[fold == part])) for part in range(FOLDS)]) <= 1


def test_unseen_scores_come_from_the_fold_that_left_the_unit_out() -> None:
    pictures, target, label, unit = crowd()
    fold = folds_of(unit, seed=0)
    probe = fitted((pictures, target, label, unit))[0]

    scores = probe.unseen(pictures, fold)

    assert ((scores > 0) == target).mean() == pytest.approx(probe.balanced_accuracy, abs=0.05)
    assert [scores[fold == part].std() for part in range(FOLDS)] == pytest.approx([1.0] * FOLDS)


def test_scores_do_not_depend_on_how_many_pictures_are_scored_together_or_on_threads() -> None:
    people = crowd()
    whole = [probe.scores(people[0]) for probe in fitted(people)]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        apart = [
            np.concatenate([probe.scores(people[0][at : at + 7]) for at in range(0, len(people[0]), 7)], axis=1)
            for probe in fitted(people)
        ]
    finally:
        torch.set_num_threads(before)

    for one, other in zip(whole, apart, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_fitting_leaves_the_chance_of_others_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    fitted(crowd(units=20))

    assert torch.equal(torch.rand(3), expected)


def test_pooling_averages_areas_and_parts_of_pixels() -> None:
    """Three pixels to two: each takes one pixel and half of the middle one: (0 + 1/2 · 3) / 1.5 = 1."""
    row = np.array([0, 3, 6], dtype=np.float32).reshape(1, 1, 3, 1)

    np.testing.assert_allclose(pooled(row, 2)[0, 0, :, 0], [1, 5])
    np.testing.assert_allclose(pooled(row, 8), row)


def test_every_cell_weighs_the_same() -> None:
    cell = np.array([0, 0, 0, 1])

    weights = cell_weights(cell)

    assert weights[:3].sum() == pytest.approx(weights[3])
    assert weights.mean() == pytest.approx(1)


def test_balanced_accuracy_by_hand() -> None:
    """Cells: three of four right, none of one right: (.75 + 0) / 2."""
    said = np.array([True, True, True, False, True])
    target = np.array([True, True, True, True, False])

    assert balanced_accuracy(said, target, np.array([1, 1, 1, 1, 0])) == pytest.approx(0.375)


def test_a_cell_of_one_fold_alone_cannot_be_learned() -> None:
    fold = np.arange(9) % FOLDS

    assert cells_outside_every_fold(np.array([0, 0, 0, 1, 1, 1, 0, 1, 0]), fold)
    assert not cells_outside_every_fold(np.array([0, 1, 0, 0, 1, 0, 0, 1, 0]), fold)
