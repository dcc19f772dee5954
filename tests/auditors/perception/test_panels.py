"""Panels that only show: what they measure by hand, what a classifier cannot give, and that none claims a verdict."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import pooled_regression, random_weights
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.noise import fooling_ascent, fooling_noise
from evenhand.auditors.perception.panels import cannot_show, panels
from evenhand.auditors.perception.panels.filters import kernel_filters
from evenhand.auditors.perception.panels.folds import folds_of, whole_units
from evenhand.auditors.perception.panels.inside import features_of, kernels_of
from evenhand.auditors.perception.panels.leakage import attribute_leakage
from evenhand.auditors.perception.panels.scrambled import scramble
from evenhand.auditors.perception.saliency import gradient_maps, map_difference, occlusion_maps
from evenhand.auditors.protocols import silent
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.data import unit_interval
from tests.auditors.robustness.toys import BlackBox, Linear, Torch, brightness, convnet

SIDE = 16
UNITS = 30
STANDING = [
    "kernel_filters",
    "deep_dream",
    "fooling_noise",
    "fooling_ascent",
    "attribute_leakage",
    "scrambled_pictures",
    "saliency",
    "occlusion",
]


def people(seed: int = 0) -> ImageData:
    """Each unit a dark and a light man and woman; women are red on the left, and tone is the brightness on the right."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(UNITS), 4)
    label, tone = np.tile([0, 0, 1, 1], UNITS), np.tile([0, 1, 0, 1], UNITS)
    images = rng.uniform(0.3, 0.7, (len(unit), SIDE, SIDE, 3))
    images[:, :, : SIDE // 2, 0] += 0.3 * label[:, None, None]
    images[:, :, SIDE // 2 :] += 0.3 * (tone[:, None, None, None] - 0.5)
    return ImageData(
        images=np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8),
        label=label.astype(np.int32),
        classes=("man", "woman"),
        attributes={"tone": (tone.astype(np.int32), ("dark", "light"))},
        unit=unit.astype(np.int32),
        pair=None,
        ids=np.arange(len(unit), dtype=np.int64),
    )


def context_of(data: ImageData, classifier: object) -> Context:
    scores = classifier.predict_proba(unit_interval(data.images))  # type: ignore[attr-defined]
    return Context(
        data=data,
        classifier=classifier,  # type: ignore[arg-type]
        attributes=tuple(data.attributes),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=3,
        device="cpu",
        batch_size=64,
        tolerances={},
    )


@pytest.fixture(scope="module")
def network() -> Torch:
    return Torch(convnet(2, side=SIDE), (SIDE, SIDE, 3))


@pytest.fixture(scope="module")
def shown(network: Torch) -> list[Panel]:
    return panels(context_of(people(), network), silent)


def test_network_shows_every_panel(shown: list[Panel]) -> None:
    assert [panel.name for panel in shown] == STANDING


def test_each_panel_says_what_it_does_not_show_and_why_it_has_no_verdict(shown: list[Panel]) -> None:
    for panel in shown:
        assert panel.limits
        assert panel.why_no_verdict
        assert panel.check is None
        assert "biased" not in panel.title


def test_every_panel_sets_other_classifiers_beside_the_network(shown: list[Panel]) -> None:
    for panel in shown:
        said = " ".join(str(row) for row in panel.table) + " ".join(image["alt"] for image in panel.images)
        assert "random weights" in said
        assert "pooled pixels" in said
        assert "MLP" in said


def test_pictures_are_small(shown: list[Panel]) -> None:
    assert sum(len(image["src"]) for panel in shown for image in panel.images) < 400_000


def test_same_seed_gives_the_same_panels(shown: list[Panel], network: Torch) -> None:
    assert panels(context_of(people(), network), silent) == shown


def test_without_gradients_and_weights_what_is_left_is_shown_and_what_is_missing_is_said(network: Torch) -> None:
    context = context_of(people(), BlackBox(network))

    names = [panel.name for panel in panels(context, silent)]

    assert names == ["fooling_noise", "scrambled_pictures", "occlusion"]
    said = " ".join(cannot_show(context))
    assert "no gradients" in said
    assert "no weights" in said
    assert "no features" in said


def test_grey_pictures_have_every_panel() -> None:
    data = people()
    grey = replace(data, images=data.images.mean(axis=3, keepdims=True).astype(np.uint8))

    context = context_of(grey, Torch(convnet(2, channels=1, side=SIDE), (SIDE, SIDE, 1)))

    assert [panel.name for panel in panels(context, silent)] == STANDING


def test_each_convolution_is_one_picture(network: Torch) -> None:
    panel = kernel_filters(network, [])

    assert panel is not None
    assert [row["filters"] for row in panel.table] == [8, 16]
    assert [image["alt"].split(":")[0] for image in panel.images] == ["layer 1 (0)", "layer 2 (3)"]


def test_classifier_may_tell_its_kernels_itself() -> None:
    class Telling(BlackBox):
        def kernels(self) -> list[tuple[str, NDArray[np.float32]]]:
            return [("conv", np.ones((4, 3, 5, 5), dtype=np.float32))]

    telling = Telling(brightness())

    assert [(kernels.name, kernels.weights.shape) for kernels in kernels_of(telling)] == [("conv", (4, 3, 5, 5))]


def test_features_are_what_the_last_linear_layer_reads(network: Torch) -> None:
    pictures = unit_interval(people().images)[:5]

    features = features_of(network, pictures, batch_size=2, device="cpu")

    assert features is not None
    last = network.module[-1]
    batch = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
    logits = network.logits(batch).detach().numpy()
    assert (torch.from_numpy(features) @ last.weight.T + last.bias).detach().numpy() == pytest.approx(logits, abs=1e-5)


def test_random_weights_leave_network_and_global_chance_alone(network: Torch) -> None:
    before = [weights.clone() for weights in network.module.parameters()]
    state = torch.random.get_rng_state()

    first, second = random_weights(network, seed=1), random_weights(network, seed=1)

    assert all(torch.equal(one, other) for one, other in zip(before, network.module.parameters(), strict=True))
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(next(first.module.parameters()), next(second.module.parameters()))
    assert not torch.equal(next(first.module.parameters()), before[0])


def test_regression_on_pooled_pixels_learns_colour() -> None:
    data = people()

    model = pooled_regression(
        unit_interval(data.images), data.label.astype(np.int64), classes=data.classes, shape=(SIDE, SIDE, 3)
    )

    told = model.predict_proba(unit_interval(people(seed=1).images)).argmax(axis=1)
    assert (told == data.label).mean() > 0.95


def test_group_that_is_painted_in_is_read_off_and_a_drawn_one_is_not(network: Torch) -> None:
    data = people()
    drawn = np.random.default_rng(0).integers(0, 2, len(data)).astype(np.int32)
    data = replace(data, attributes={**data.attributes, "lot": (drawn, ("a", "b"))})

    panel = attribute_leakage(context_of(data, network), unit_interval(data.images), [])

    assert panel is not None
    tone, lot = panel.table
    assert tone["balanced accuracy"] > 0.9
    low, high = (float(end) for end in lot["interval"].split(" to "))
    assert low < 0.5 < high


def test_share_of_noise_called_with_confidence_is_counted() -> None:
    """A classifier that says .95 woman to everything is sure of all noise, and of no man."""

    class Sure:
        classes, image_shape = ("man", "woman"), (SIDE, SIDE, 3)

        def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
            return np.tile([0.05, 0.95], (len(images), 1))

    panel = fooling_noise(Sure(), [], seed=0)

    assert [row["surely called a class"] for row in panel.table] == [1, 1, 1]
    assert [row["surely called woman"] for row in panel.table] == [1, 1, 1]
    assert [row["surely called man"] for row in panel.table] == [0, 0, 0]
    assert "overconfident" in panel.title


def test_steps_from_noise_to_certainty_are_those_that_brightness_needs() -> None:
    """Log odds of 20 (mean - .5) pass log 99 at .23 from the noise's mean of about .5: some 29 steps of 2/255."""
    panel = fooling_ascent(brightness(), [], device="cpu", seed=0)

    assert panel is not None
    for row in panel.table:
        assert row["reached 0.99"] == 8
        assert 22 <= row["median steps"] <= 40


def test_gradient_map_of_a_linear_classifier_is_the_size_of_its_weights() -> None:
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(2, 4, 4, 3))
    linear = Torch(Linear(weights, np.zeros(2)), (4, 4, 3))

    maps = gradient_maps(linear, rng.random((5, 4, 4, 3)).astype(np.float32), device="cpu", batch_size=2)

    expected = np.abs(weights[1] - weights[0]).sum(axis=2)
    assert maps == pytest.approx(np.tile(expected / expected.mean(), (5, 1, 1)), rel=1e-5)


def test_occlusion_finds_the_corner_that_decides() -> None:
    weights = np.zeros((2, 16, 16, 1))
    weights[1, :4, :4] = 1.0
    corner = Torch(Linear(weights, np.array([4.0, 0.0])), (16, 16, 1))
    pictures = np.random.default_rng(0).random((12, 16, 16, 1)).astype(np.float32)
    pictures[:, :4, :4] += 0.5

    maps = occlusion_maps(BlackBox(corner), pictures, batch_size=8)

    mean = np.abs(maps).mean(axis=0)
    assert np.unravel_index(mean.argmax(), mean.shape) == (0, 0)
    assert mean[4:, 4:].max() == 0


def mapped(seed: int, *, planted: float, units: int = 24) -> dict[str, NDArray[np.float64]]:
    """Maps of 6 by 6 of a dark and a light man and woman a unit; one cell is higher where the group is dark."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), 4)
    label, group = np.tile([0, 0, 1, 1], units), np.tile([0, 1, 0, 1], units)
    maps = rng.normal(size=(len(unit), 6, 6)) + rng.normal(size=(units, 6, 6))[unit]
    maps[:, 2, 3] += planted * (group == 0)
    return {"maps": maps, "label": label, "group": group, "unit": unit}


def test_planted_place_is_found_and_no_other() -> None:
    found = map_difference(**mapped(0, planted=2.0), seed=0, purpose="test")

    assert found is not None
    assert found.p_value == 0.001
    assert np.argwhere(found.beyond).tolist() == [[2, 3]]
    assert found.difference == pytest.approx(found.first - found.second)
    assert found.units == 24


def test_difference_is_the_mean_over_classes_by_hand() -> None:
    """Class 0: 3 less 1; class 1: 10 less 6, from one picture each, whatever their numbers: mean 3."""
    values = np.array([3.0, 1.0, 1.0, 1.0, 10.0, 10.0, 6.0])
    found = map_difference(
        values[:, None, None],
        label=np.array([0, 0, 0, 0, 1, 1, 1]),
        group=np.array([0, 1, 1, 1, 0, 0, 1]),
        unit=np.arange(7),
        seed=0,
        purpose="test",
    )

    assert found is not None
    assert found.difference.item() == pytest.approx(3.0)


def test_maps_without_a_difference_are_called_different_in_about_one_of_twenty() -> None:
    """Largest statistic over 36 cells: 100 honest draws, at most 11 below .05 (binomial, p < .01)."""
    called = [map_difference(**mapped(seed, planted=0.0), seed=seed, purpose="test") for seed in range(100)]

    assert sum(found is not None and found.p_value <= 0.05 for found in called) <= 11


def test_swapping_the_groups_turns_the_sign_and_keeps_the_p_value() -> None:
    given = mapped(1, planted=0.5)
    swapped = given | {"group": 1 - given["group"]}

    one, other = (map_difference(**each, seed=0, purpose="test") for each in (given, swapped))

    assert one is not None
    assert other is not None
    assert other.difference == pytest.approx(-one.difference)
    assert other.p_value == pytest.approx(one.p_value, abs=0.02)


def test_units_of_one_group_are_dealt_anew() -> None:
    rng = np.random.default_rng(0)
    group = np.arange(60) % 2
    maps = rng.normal(size=(60, 3, 3)) + np.where(group == 0, 2.0, 0.0)[:, None, None]

    found = map_difference(maps, label=np.zeros(60, int), group=group, unit=np.arange(60), seed=0, purpose="test")

    assert found is not None
    assert found.p_value == 0.001
    assert found.beyond.all()


def test_groups_that_share_no_class_have_no_difference() -> None:
    maps = np.zeros((4, 2, 2))

    assert (
        map_difference(
            maps, label=np.array([0, 0, 1, 1]), group=np.array([0, 0, 1, 1]), unit=np.arange(4), seed=0, purpose=""
        )
        is None
    )


def test_scrambling_moves_tiles_and_keeps_every_pixel() -> None:
    pictures = np.random.default_rng(0).random((6, 10, 10, 3)).astype(np.float32)

    moved = scramble(pictures, 4, ids=np.arange(6), seed=0)

    assert np.array_equal(np.sort(moved.reshape(6, -1)), np.sort(pictures.reshape(6, -1)))
    assert np.array_equal(moved[:, 8:], pictures[:, 8:])
    assert not np.array_equal(moved, pictures)


def test_scrambling_does_not_depend_on_batch_or_order() -> None:
    pictures = np.random.default_rng(0).random((6, 8, 8, 1)).astype(np.float32)
    whole = scramble(pictures, 4, ids=np.arange(6), seed=0)

    turned = scramble(pictures[[4, 1]], 4, ids=np.array([4, 1]), seed=0)

    assert np.array_equal(turned, whole[[4, 1]])


def test_units_are_never_cut() -> None:
    unit = np.random.default_rng(0).integers(0, 20, 200)

    fold, rows = folds_of(unit, 5, seed=0), whole_units(unit, 60, seed=0)

    assert all(len(np.unique(fold[unit == one])) == 1 for one in range(20))
    assert len(rows) <= 60
    assert all(np.isin(np.flatnonzero(unit == one), rows).all() for one in np.unique(unit[rows]))


def test_no_panel_calls_anything_fair_or_illegal(shown: list[Panel]) -> None:
    said = " ".join(f"{panel.title} {panel.text} {panel.limits} {panel.why_no_verdict}" for panel in shown)

    assert not re.search(
        r"\b(compliant|compliance|unbiased|fair|unfair|illegal|debias\w*)\b", said, flags=re.IGNORECASE
    )
