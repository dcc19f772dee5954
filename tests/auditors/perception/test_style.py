"""Style swap: the style moves the picture toward the group, decisions that follow are watched, and none is a verdict."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from evenhand.auditors.perception.checks import Answer, finding
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.style import contents, restyled, style_swap
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.data import unit_interval
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.verdict import Gate, Verdict
from tests.auditors.perception.planted import audit_set

SIDE = 32


class ByWarmth:
    """Woman where the picture is redder than blue on average; or always man."""

    image_shape = (SIDE, SIDE, 3)
    classes = ("man", "woman")

    def __init__(self, *, blind: bool = False) -> None:
        self.blind = blind

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        woman = images[..., 0].mean(axis=(1, 2)) > images[..., 2].mean(axis=(1, 2))
        woman &= not self.blind
        return np.stack([~woman, woman], axis=1).astype(np.float64)


def asked(data: ImageData, classifier: ByWarmth) -> Answer:
    (answer,) = style_swap(context(data, classifier))
    return answer


def context(data: ImageData, classifier: ByWarmth) -> Context:
    scores = probabilities(classifier, unit_interval(data.images))
    return Context(
        data=data,
        classifier=classifier,
        attributes=tuple(data.attributes),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=1,
        device="cpu",
        batch_size=64,
        tolerances={},
    )


def test_decisions_by_colour_are_watched_and_never_proven() -> None:
    answer = asked(audit_set("background"), ByWarmth())

    assert answer.estimate is not None
    assert answer.estimate > 0.3
    assert answer.verdict == "inconclusive"
    assert (answer.reason or "").startswith("watch")
    assert answer.direction == "warm → woman"
    one = finding(answer, gate=Gate.STRICT)
    assert one.verdict is Verdict.INCONCLUSIVE
    assert one.gate is Gate.OFF


def test_decisions_that_never_turn_are_not_watched() -> None:
    answer = asked(audit_set("background"), ByWarmth(blind=True))

    assert answer.estimate == 0
    assert "watch" not in (answer.reason or "")


def test_style_that_moves_no_attribute_is_not_watched() -> None:
    """The attribute is dealt at random, so that no probe can tell it and nothing confirms the style."""
    data = audit_set("background")
    codes = np.random.default_rng(0).permutation(data.attributes["background"][0])

    answer = asked(replace(data, attributes={"background": (codes, ("cool", "warm"))}), ByWarmth())

    assert "no probe tells the groups apart" in (answer.reason or "")


def test_restyled_pictures_take_the_colour_and_keep_the_content() -> None:
    data = audit_set("background")
    pictures = unit_interval(data.images)
    cool, warm = (pictures[data.attributes["background"][0] == code][:12] for code in (0, 1))

    styled = restyled(cool[:4], warm, seed=0)

    def warmth(some: NDArray[np.float32]) -> float:
        return float(some[..., 0].mean() - some[..., 2].mean())

    assert styled.min() >= 0
    assert styled.max() <= 1
    assert warmth(styled) > warmth(cool[:4]) + 0.05
    for before, after in zip(cool[:4], styled, strict=True):
        assert np.corrcoef(before.mean(axis=2).ravel(), after.mean(axis=2).ravel())[0, 1] > 0.5


def test_same_seed_gives_the_same_picture() -> None:
    pictures = unit_interval(audit_set("tone").images[:6])

    assert (restyled(pictures[:2], pictures[2:], seed=4) == restyled(pictures[:2], pictures[2:], seed=4)).all()


def test_contents_come_from_as_many_units_as_can_be() -> None:
    data = audit_set("background")
    rows = contents(context(data, ByWarmth()), np.arange(len(data)))

    assert len(rows) == 32
    assert len(np.unique(np.asarray(data.unit)[rows])) == 28


@pytest.mark.parametrize("problem", ["constant", "one unit"])
def test_what_cannot_be_asked_is_not_assessed(problem: str) -> None:
    data = audit_set("background")
    codes = data.attributes["background"][0]
    unit = np.asarray(data.unit)
    if problem == "constant":
        codes = np.zeros_like(codes)
    else:
        codes = np.where(unit == unit[0], codes, 0).astype(np.int32)

    answer = asked(replace(data, attributes={"background": (codes, ("cool", "warm"))}), ByWarmth())

    assert answer.verdict == "not_assessed"
    assert answer.reason
