"""Natural corruptions: each against its definition; gaps between groups against planted and equal groups."""

import io
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from evenhand.auditors.checks import gated, refuse_unknown
from evenhand.auditors.policy import Check
from evenhand.auditors.report import CorruptionRow, Finding
from evenhand.auditors.robustness import ImageData, audit_robustness
from evenhand.auditors.robustness.clusters import unit_table
from evenhand.auditors.robustness.corrupted import corruption_report, largest_by_chance, under_corruption
from evenhand.auditors.robustness.corruptions import CORRUPTIONS, SEVERITIES, Corruption, corrupt
from evenhand.auditors.robustness.data import Level, unit_interval
from evenhand.auditors.robustness.ensemble import Subjects
from evenhand.auditors.verdict import Gate, Verdict
from tests.auditors.robustness.toys import Torch, convnet

BY_NAME = {corruption.name: corruption for corruption in CORRUPTIONS}
IDS = np.arange(40, dtype=np.int64)


def pictures(side: int = 16, channels: int = 3, n: int = 40) -> NDArray[np.float32]:
    """Colour gradients with an edge and a grain, in steps of 1/255."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(0.2, 0.8, side)
    base = ramp[None, :, None, None] * rng.uniform(0.5, 1, (n, 1, 1, channels)) + np.zeros((1, 1, side, 1))
    base[:, :, side // 2 :] *= 0.7
    base = np.clip(base + rng.normal(0, 0.05, base.shape), 0, 1)
    return (np.rint(base * 255) / 255).astype(np.float32)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
@pytest.mark.parametrize(("side", "channels"), [(16, 1), (16, 3), (64, 3), (100, 3)])
def test_every_severity_is_farther_from_the_original_than_the_one_before(
    corruption: Corruption, side: int, channels: int
) -> None:
    clean = pictures(side, channels)

    changed = [corrupt(clean, corruption, severity=severity, seed=0, ids=IDS) for severity in range(1, SEVERITIES + 1)]

    errors = [float(np.square(one - clean).mean()) for one in changed]
    assert errors == sorted(errors)
    assert 0 < errors[0] < errors[-1]


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
def test_corrupted_pictures_are_8_bit_pictures(corruption: Corruption) -> None:
    changed = corrupt(pictures(), corruption, severity=5, seed=0, ids=IDS)

    assert changed.dtype == np.float32
    assert changed.shape == pictures().shape
    assert 0 <= changed.min() <= changed.max() <= 1
    assert np.allclose(changed * 255, np.rint(changed * 255), atol=1e-4)


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda one: one.name)
def test_a_picture_is_corrupted_the_same_in_any_batch_and_order(corruption: Corruption) -> None:
    clean, order = pictures(), np.random.default_rng(0).permutation(40)

    whole = corrupt(clean, corruption, severity=3, seed=7, ids=IDS)
    shuffled = corrupt(clean[order], corruption, severity=3, seed=7, ids=IDS[order])
    alone = corrupt(clean[5:6], corruption, severity=3, seed=7, ids=IDS[5:6])

    assert np.array_equal(shuffled, whole[order])
    assert np.array_equal(alone[0], whole[5])


@pytest.mark.parametrize("name", ["gaussian_noise", "shot_noise", "occlusion"])
def test_noise_changes_with_the_seed_and_with_the_picture(name: str) -> None:
    same = np.repeat(pictures(n=1), 2, axis=0)

    first = corrupt(same, BY_NAME[name], severity=3, seed=0, ids=IDS[:2])
    other = corrupt(same, BY_NAME[name], severity=3, seed=1, ids=IDS[:2])

    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)


def test_gaussian_noise_has_the_stated_deviation() -> None:
    grey = np.full((40, 32, 32, 3), 0.5, dtype=np.float32)

    noise = corrupt(grey, BY_NAME["gaussian_noise"], severity=5, seed=0, ids=IDS) - 0.5

    assert noise.std() == pytest.approx(0.10, abs=0.002)


def test_shot_noise_has_the_variance_of_counted_photons() -> None:
    """A Poisson count of mean 50 × .5 over 50 has mean .5 and variance .5 / 50."""
    grey = np.full((40, 32, 32, 3), 0.5, dtype=np.float32)

    counted = corrupt(grey, BY_NAME["shot_noise"], severity=5, seed=0, ids=IDS)

    assert counted.mean() == pytest.approx(0.5, abs=0.002)
    assert counted.var() == pytest.approx(0.01, rel=0.03)


def test_contrast_keeps_the_mean_of_each_channel_and_shrinks_the_deviation() -> None:
    clean = pictures(32)

    faded = corrupt(clean, BY_NAME["contrast"], severity=2, seed=0, ids=IDS)

    assert np.allclose(faded.mean(axis=(1, 2)), clean.mean(axis=(1, 2)), atol=1 / 255)
    assert np.allclose(faded.std(axis=(1, 2)), 0.5 * clean.std(axis=(1, 2)), atol=1 / 255)


def test_brightness_is_that_of_hue_saturation_and_value() -> None:
    """Against `colorsys` of the standard library, pixel by pixel."""
    import colorsys

    clean = np.random.default_rng(0).random((4, 5, 5, 3)).astype(np.float32)
    clean[0, 0, 0] = 0.0

    brighter = corrupt(clean, BY_NAME["brightness"], severity=5, seed=0, ids=IDS[:4])

    for pixel, changed in zip(clean.reshape(-1, 3), brighter.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*map(float, pixel))
        expected = colorsys.hsv_to_rgb(hue, saturation, min(1.0, value + 0.3))
        assert np.allclose(changed, expected, atol=0.6 / 255)


def test_jpeg_is_what_pillow_writes_at_the_stated_quality() -> None:
    clean = pictures(64, n=1)
    buffer = io.BytesIO()
    Image.fromarray(np.rint(clean[0] * 255).astype(np.uint8)).save(buffer, "JPEG", quality=25)

    changed = corrupt(clean, BY_NAME["jpeg"], severity=5, seed=0, ids=IDS[:1])

    assert np.array_equal(np.rint(changed[0] * 255), np.asarray(Image.open(buffer)))


def test_blur_of_a_point_spreads_it_by_the_stated_width() -> None:
    point = np.zeros((1, 31, 31, 1), dtype=np.float32)
    point[0, 15, 15] = 1.0

    spread = BY_NAME["gaussian_blur"].change(point, 2.0, np.zeros(1, np.uint64))[0, :, :, 0]

    distance = np.arange(31) - 15
    assert spread.sum() == pytest.approx(1, abs=1e-3)
    assert (spread.sum(axis=0) * distance**2).sum() == pytest.approx(4, rel=0.03)


def test_width_of_blur_grows_with_large_pictures() -> None:
    blur = BY_NAME["gaussian_blur"]

    assert blur.values((224, 224, 3)) == [1, 2, 3, 4, 6]
    assert blur.values((448, 600, 3)) == [2, 4, 6, 8, 12]
    assert blur.values((16, 16, 3))[-1] == 1.0
    assert BY_NAME["gaussian_noise"].values((448, 600, 3))[-1] == 0.38


def test_occlusion_covers_the_stated_share_in_one_rectangle_inside() -> None:
    white = np.ones((40, 40, 60, 3), dtype=np.float32)

    covered = corrupt(white, BY_NAME["occlusion"], severity=4, seed=0, ids=IDS)[..., 0] < 1

    assert covered.mean(axis=(1, 2)) == pytest.approx(np.full(40, 0.2), abs=0.01)
    rows, columns = covered.any(axis=2).sum(axis=1), covered.any(axis=1).sum(axis=1)
    assert np.array_equal(rows * columns, covered.sum(axis=(1, 2)))


class Corner:
    """Reads a picture by its brightness in the first column: dark is 'no', bright is 'yes'."""

    image_shape = (16, 16, 1)
    classes = ("no", "yes")

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        yes = 1 / (1 + np.exp(-40 * (images[:, :, 0].mean(axis=(1, 2)).astype(np.float64) - 0.5)))
        return np.stack([1 - yes, yes], axis=1)


def flat(*, faint: float, units: int = 60) -> ImageData:
    """Each unit a 'no' and a 'yes' of groups a and b; those of b differ from the boundary by `faint`, a's by .25."""
    values, label, group, unit = [], [], [], []
    for person in range(units):
        for answer in (0, 1):
            for which, distance in enumerate((0.25, faint)):
                values.append(0.5 + (distance if answer else -distance))
                label.append(answer)
                group.append(which)
                unit.append(person)
    n = len(values)
    shade = np.array(values)[:, None, None, None] * np.ones((1, 16, 16, 1))
    return ImageData(
        images=np.rint(shade * 255).astype(np.uint8),
        label=np.array(label, dtype=np.int32),
        classes=("no", "yes"),
        attributes={"group": (np.array(group, dtype=np.int32), ("a", "b"))},
        unit=np.array(unit, dtype=np.int32),
        pair=None,
        ids=np.arange(n, dtype=np.int64),
    )


def reported(data: ImageData, *, batch_size: int = 64) -> tuple[list[CorruptionRow], list[Finding]]:
    classifier, clean = Corner(), unit_interval(data.images)
    subjects = Subjects(clean, data.label.astype(np.int64), data.ids, classifier.predict_proba(clean))
    measured = under_corruption(data, subjects, classifier, seed=0, level=0.95, batch_size=batch_size)
    return corruption_report(measured, ["group"], tolerance=0.10)


PLANTED = flat(faint=0.02)
EQUAL = flat(faint=0.25)


def test_planted_gap_is_found_in_its_class_and_never_gated() -> None:
    """Both groups are read without error; brightness alone turns the faint 'no' of group b."""
    rows, (finding,) = reported(PLANTED)
    brightness = next(row for row in rows if row.name == "brightness")

    assert finding.verdict is Verdict.PROVEN_DISPARITY
    assert finding.gate is Gate.OFF
    assert brightness.gap.label == "no"
    assert brightness.gap.clean == 0
    assert brightness.gap.estimate is not None
    assert brightness.gap.estimate > 0.5
    assert 'class "no" with group "b"' in finding.message


def test_a_policy_may_gate_the_gap_under_corruption() -> None:
    _, findings = reported(PLANTED)
    check = Check(audit="robustness", metric="corruption_gap", within=0.05)
    refuse_unknown([check])

    (finding,) = gated(findings, [check], audit="robustness")

    assert finding.gate is Gate.PROOF
    assert finding.tolerance == 0.05
    assert finding.verdict is Verdict.PROVEN_DISPARITY


def test_equal_groups_are_within_the_tolerance() -> None:
    _, (finding,) = reported(EQUAL)

    assert finding.verdict is Verdict.PROVEN_WITHIN


def test_mean_accuracy_is_that_over_severities_and_all_is_that_over_corruptions() -> None:
    rows, _ = reported(PLANTED)
    means = {
        row.name: {str(group.group): group.mean_accuracy.estimate for group in row.groups if group.label is None}
        for row in rows
    }
    every = next(row for row in rows if row.name == "all")

    for row in rows:
        for group in row.groups:
            if group.label is None:
                assert np.mean([one.estimate for one in group.accuracy]) == pytest.approx(group.mean_accuracy.estimate)
    for name, mean in means["all"].items():
        assert np.mean([means[one.name][name] for one in CORRUPTIONS]) == pytest.approx(mean)
    assert [len(group.accuracy) for group in every.groups] == [5, 5, 0, 0, 0, 0]


def test_report_does_not_depend_on_batches_or_order() -> None:
    order = np.random.default_rng(0).permutation(len(PLANTED))
    codes, texts = PLANTED.attributes["group"]
    assert PLANTED.unit is not None
    shuffled = replace(
        PLANTED,
        images=PLANTED.images[order],
        label=PLANTED.label[order],
        attributes={"group": (codes[order], texts)},
        unit=PLANTED.unit[order],
        ids=PLANTED.ids[order],
    )

    assert reported(PLANTED, batch_size=7) == reported(PLANTED)
    assert reported(shuffled) == reported(PLANTED)


def test_report_does_not_depend_on_threads() -> None:
    import torch

    few = flat(faint=0.02, units=8)
    data = replace(few, images=np.repeat(few.images, 3, axis=3))
    network = Torch(convnet(2), (16, 16, 3), classes=("no", "yes"))
    before = torch.get_num_threads()
    reports = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            reports.append(audit_robustness(data, network, attributes=["group"], eps=[0.02], seed=0))
    finally:
        torch.set_num_threads(before)

    assert reports[0] == reports[1]


def test_one_group_alone_is_not_assessed() -> None:
    codes, _ = PLANTED.attributes["group"]
    rows, (finding,) = reported(replace(PLANTED, attributes={"group": (np.zeros_like(codes), ("a", "b"))}))

    assert all(row.gap.estimate is None and row.gap.reason for row in rows)
    assert "fewer than two groups" in finding.message
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_largest_gap_by_chance_is_the_mean_largest_gap_of_equal_groups() -> None:
    """400 data sets of 3 groups, 2 classes and 150 units whose pictures depend on one another, all groups equal."""
    rng = np.random.default_rng(0)
    levels = [Level(code, text, 150) for code, text in enumerate("abc")]
    unit, label, group = (part.ravel() for part in np.meshgrid(range(150), range(2), range(3), indexing="ij"))
    observed, expected = [], []
    for draw in range(400):
        ease = rng.beta(2, 1, size=150)
        table = unit_table(rng.random(len(unit)) < ease[unit], unit=unit, label=label, group=group, classes=2, groups=3)
        success, total = table.sums()
        rates = (success / total)[0]
        observed.append(float(np.ptp(rates, axis=1).max()))
        if draw < 20:
            expected.append(largest_by_chance(table, levels, seed=draw))

    assert np.mean(expected) == pytest.approx(np.mean(observed), rel=0.08)
