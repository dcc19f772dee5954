"""Edits of pictures by hand, and cue conflict: who wins where background or ink speaks for another class than the shape."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from evenhand.auditors.perception import audit_perception
from evenhand.auditors.perception.checks import Answer
from evenhand.auditors.perception.colours import from_hsv, to_hsv
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import Subjects, conflicts, cue_conflict
from evenhand.auditors.perception.edited import edited_counterfactuals
from evenhand.auditors.perception.edits import EDITS, Value, background_of, ink_hue
from evenhand.auditors.policy import PerceptionSection
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.data import unit_interval
from evenhand.auditors.robustness.scores import probabilities
from evenhand.classifiers.training import train_images
from tests.auditors.perception.planted import CLASSES, COOL, WARM, audit_set, drawings, network

SIDE = 12


class ByColour:
    """Woman where the border is warmer than cool with weight `cue`, or the square in the middle bright with `shape`."""

    image_shape = (SIDE, SIDE, 3)
    classes = ("man", "woman")

    def __init__(self, *, cue: float, shape: float) -> None:
        self.cue, self.shape = cue, shape

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        warmth = np.sign(images[:, 0, 0, 0] - images[:, 0, 0, 2])
        bright = np.sign(images[:, SIDE // 2, SIDE // 2].mean(axis=1) - 0.5)
        woman = self.cue * warmth + self.shape * bright > 0
        return np.stack([~woman, woman], axis=1).astype(np.float64)


def squares(units: int = 60, colours: tuple[tuple[int, int, int], ...] = (COOL, WARM)) -> ImageData:
    """A dark (man) and a bright (woman) square on each background."""
    unit = np.repeat(np.arange(units), 2 * len(colours))
    label = np.tile(np.repeat([0, 1], len(colours)), units)
    behind = np.tile(np.arange(len(colours)), 2 * units)
    images = np.array(colours, np.uint8)[behind][:, None, None].repeat(SIDE, axis=1).repeat(SIDE, axis=2)
    images[:, 4:8, 4:8] = np.where(label == 1, 250, 20)[:, None, None, None]
    return ImageData(
        images=images,
        label=label.astype(np.int32),
        classes=("man", "woman"),
        attributes={"tone": ((unit % 2).astype(np.int32), ("dark", "light"))},
        unit=unit.astype(np.int32),
        pair=None,
        ids=np.arange(len(unit), dtype=np.int64),
    )


def context(data: ImageData, classifier: object, *, edits: tuple[str, ...] = ()) -> Context:
    scores = probabilities(classifier, unit_interval(data.images))  # type: ignore[arg-type]
    return Context(
        data=data,
        classifier=classifier,  # type: ignore[arg-type]
        attributes=tuple(data.attributes),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=1,
        device="cpu",
        batch_size=64,
        tolerances={},
        edits=edits,
    )


def asked(data: ImageData, classifier: object, attribute: str, **options: tuple[str, ...]) -> Answer:
    (answer,) = [one for one in cue_conflict(context(data, classifier, **options)) if one.attribute == attribute]
    return answer


def test_flood_from_the_border_stops_at_the_figure() -> None:
    picture = np.full((1, 6, 6, 3), 255, np.uint8)
    picture[0, 1:5, 1:5] = 0
    picture[0, 2:4, 2:4] = 255

    behind = background_of(picture)

    assert behind.sum() == 20
    assert not behind[0, 2:4, 2:4].any()


def test_background_is_replaced_and_smoothed_edges_keep_their_share() -> None:
    """A pixel half black and half white is half black and half the new colour."""
    picture = np.full((1, 7, 7, 3), 255, np.uint8)
    picture[0, 2:5, 2:5] = 128
    picture[0, 3, 3] = 0

    (edited,) = EDITS["background"].apply(picture, Value("warm", WARM))

    assert tuple(edited[0, 0]) == WARM
    assert tuple(edited[3, 3]) == (0, 0, 0)
    assert edited[2, 3] == pytest.approx(np.array(WARM) * 128 / 255, abs=1.5)


def test_edited_drawings_are_nearly_those_drawn_on_that_background() -> None:
    """What is left is at half-transparent edges two pixels wide: under a tenth of the change."""
    drawn = drawings()
    before, wanted = drawn.pictures["warm"][:200].astype(int), drawn.pictures["cool"][:200].astype(int)

    edited = EDITS["background"].apply(drawn.pictures["warm"][:200], Value("cool", COOL)).astype(int)

    assert np.abs(edited - wanted).mean() < 0.1 * np.abs(before - wanted).mean()


def test_hues_turn_there_and_back() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)

    assert (from_hsv(*to_hsv(images)) == images).all()
    assert to_hsv(np.array([[[[0, 255, 0]]]], np.uint8))[0] == 120
    assert tuple(EDITS["colour"].apply(np.array([[[[255, 0, 0]]]], np.uint8), Value("", (120.0,)))[0, 0, 0]) == (
        0,
        255,
        0,
    )


def test_ink_has_a_hue_where_it_has_one_colour() -> None:
    red, two, grey = np.zeros((3, 4, 4, 3), np.uint8)
    red[1:3, 1:3, 0] = 200
    two[:2, :, 0] = two[2:, :, 2] = 200
    grey[:] = 90

    hue = ink_hue(np.stack([red, two, grey]))

    assert hue[0] == pytest.approx(0)
    assert np.isnan(hue[1:]).all()


def test_edits_keep_shape_and_say_where_they_do_not_apply() -> None:
    grey = np.full((3, 8, 8, 1), 100, np.uint8)
    colour = squares(units=1).images

    for edit in EDITS.values():
        for value in edit.values:
            edited = edit.apply(colour, value)
            assert edited.shape == colour.shape
            assert edited.dtype == np.uint8
    assert not EDITS["background"].applies(grey).any()
    assert not EDITS["grey"].applies(grey).any()
    assert not EDITS["ink"].applies(grey).any()
    assert EDITS["mirror"].applies(grey).all()
    assert EDITS["texture"].applies(grey).all()
    assert not EDITS["texture"].applies(np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)).any()


def test_mirror_grey_and_texture_do_what_they_say() -> None:
    picture = np.full((1, 8, 8, 3), 100, np.uint8)
    picture[0, 3, 1] = (255, 0, 0)

    assert tuple(EDITS["mirror"].apply(picture, EDITS["mirror"].values[1])[0, 3, 6]) == (255, 0, 0)
    assert tuple(EDITS["grey"].apply(picture, EDITS["grey"].values[1])[0, 3, 1]) == (76, 76, 76)
    striped = EDITS["texture"].apply(picture, EDITS["texture"].values[1])
    assert set(np.unique(striped[0, 5])) == {76, 124}
    assert tuple(striped[0, 3, 1]) == (255, 0, 0)


def test_policy_names_the_edits_that_there_are() -> None:
    for name in EDITS:
        assert PerceptionSection(edits=[name]).edits == [name]  # type: ignore[list-item]
    with pytest.raises(ValueError, match="edits"):
        PerceptionSection(edits=["blur"])  # type: ignore[list-item]


def test_cue_share_by_hand() -> None:
    """40 subjects of class 0 and 40 of class 1 with two values; value 1 draws class 1.

    Of class 0 under value 1: 10 go with the cue, 30 with the shape; of class 1 under value 0: 20 and 20. Share 30/80.
    """
    label = np.repeat([0, 1], 40)
    decision = np.stack([label, label], axis=1)
    decision[:10, 1] = 1
    decision[40:60, 0] = 0
    # every second subject of a kind, so that both halves of the units see the same direction
    subjects = Subjects(decision, label, np.arange(80), np.arange(80), ("cool", "warm"))

    found = conflicts(subjects, classes=2, seed=0)

    assert found.drawn == (0, 1)
    assert (found.cue.sum(), found.shape.sum()) == (30, 50)
    assert found.share == 30 / 80


def test_subjects_that_are_never_decided_right_are_not_counted() -> None:
    label = np.repeat([0, 1], 40)
    decision = np.stack([np.zeros(80, int), np.ones(80, int)], axis=1)
    decision[:20] = 1
    subjects = Subjects(decision, label, np.arange(80), np.arange(80), ("cool", "warm"))

    found = conflicts(subjects, classes=2, seed=0)

    assert found.cue.sum() == 60
    assert found.shape.sum() == 0


def test_classifier_by_background_is_flagged_and_one_by_shape_is_within() -> None:
    data = squares()

    by_cue = asked(data, ByColour(cue=2, shape=1), "edit: background")
    by_shape = asked(data, ByColour(cue=1, shape=2), "edit: background")

    # never by the shape: nothing is decided as its label under both, all conflicts go with the cue
    assert by_cue.verdict == "proven_disparity"
    assert by_cue.estimate == 1
    assert by_cue.direction in {"warm → woman", "cool → man"}
    assert by_shape.verdict == "proven_within"
    assert by_shape.estimate == 0


def test_edited_counterfactual_turns_with_the_background() -> None:
    """Cool to warm: a bright square stays a woman by shape, and every one turns to a woman by cue."""
    by_cue, by_shape = (
        next(edited_counterfactuals(context(squares(), ByColour(cue=cue, shape=shape))))
        for cue, shape in ((2, 1), (1, 2))
    )

    assert (by_cue.attribute, by_cue.verdict, by_cue.estimate) == ("edit: background", "proven_disparity", 1)
    assert by_shape.estimate == 0


def test_one_background_is_asked_about_only_where_the_policy_does() -> None:
    data, classifier = squares(colours=((255, 255, 255),)), ByColour(cue=2, shape=1)

    silent = [one.attribute for one in cue_conflict(context(data, classifier))]
    named = asked(data, classifier, "edit: background", edits=("background",))

    assert silent == ["tone"]
    assert named.verdict == "proven_disparity"


def test_edit_that_no_picture_allows_is_not_assessed_and_says_why() -> None:
    data = replace(squares(), images=np.full((240, SIDE, SIDE, 3), 120, np.uint8))

    report, _ = audit_perception(data, ByColour(cue=1, shape=2), attributes=["tone"], seed=1, edits=["grey"])

    (row,) = [one for one in report.checks if one.attribute == "edit: grey"]
    assert row.verdict == "not_assessed"
    assert row.reason == "no picture has colour"


def test_attribute_without_counterparts_is_not_assessed() -> None:
    answer = asked(squares(), ByColour(cue=1, shape=2), "tone")

    assert answer.verdict == "not_assessed"
    assert "`pair`" in (answer.reason or "")


def test_rows_in_another_order_give_the_same_answer() -> None:
    data = audit_set("tone")
    order = np.random.default_rng(0).permutation(len(data))
    moved = replace(
        data,
        images=data.images[order],
        label=data.label[order],
        attributes={"tone": (data.attributes["tone"][0][order], data.attributes["tone"][1])},
        unit=np.asarray(data.unit)[order],
        pair=np.asarray(data.pair)[order],
        ids=data.ids[order],
    )

    class Brightness:
        image_shape = data.images.shape[1:]
        classes = CLASSES

        def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
            woman = images.mean(axis=(1, 2, 3)) > 0.6
            return np.stack([~woman, woman], axis=1).astype(np.float64)

    assert asked(data, Brightness(), "tone") == asked(moved, Brightness(), "tone")


@cache
def digits(rho: float) -> tuple[ImageData, object]:
    """Digits in ink of ten hues: in training the hue is the digit's in a share rho, in the audit set never by rule."""
    bunch = load_digits()
    brightness, digit = bunch.images / 16, bunch.target
    rng = np.random.default_rng(0)
    order = rng.permutation(len(digit))
    kept, learned = order[:400], order[400:]
    own = np.where(rng.random(len(learned)) < rho, digit[learned], rng.integers(0, 10, len(learned)))
    shown = rng.integers(0, 10, len(kept))
    classes = tuple(str(one) for one in range(10))
    trained = train_images(
        "convnet4", _ink(brightness[learned], own), digit[learned], classes=classes, seed=0, device="cpu", epochs=6
    )
    data = ImageData(
        images=_ink(brightness[kept], shown),
        label=digit[kept].astype(np.int32),
        classes=classes,
        attributes={"hue": (shown.astype(np.int32), classes)},
        unit=None,
        pair=None,
        ids=np.arange(len(kept), dtype=np.int64),
    )
    return data, trained.classifier


def _ink(brightness: NDArray[np.float64], hue: NDArray[np.int64]) -> NDArray[np.uint8]:
    turned = np.broadcast_to((36.0 * hue + 5)[:, None, None], brightness.shape)
    return from_hsv(turned, np.ones_like(brightness), brightness)


@pytest.mark.parametrize(("rho", "verdict"), [(0.0, "proven_within"), (0.95, "proven_disparity")])
def test_digits_whose_ink_gives_them_away_are_flagged_and_others_pass(rho: float, verdict: str) -> None:
    """METHODS section 6, column cue share: FLAG where the hue is the digit in .95, PASS where it is uniform."""
    answer = asked(*digits(rho), "edit: ink")

    assert answer.verdict == verdict


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_backgrounds_go_with_the_cue_and_honest_ones_with_the_shape(seed: int) -> None:
    data = audit_set("background")

    planted = asked(data, network("background", 0.95, seed=seed), "edit: background")
    honest = asked(data, network("background", 0.5, seed=seed), "edit: background")

    assert (planted.estimate or 0) >= 0.3
    assert planted.verdict != "proven_within"
    assert honest.verdict == "proven_within"
