"""Perception: net flips by hand, planted and honest decisions, and what must never crash."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import nn

from evenhand.auditors.perception import audit_perception
from evenhand.auditors.perception.noise import noises
from evenhand.auditors.report import Finding, Perception, PerceptionCheck
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.verdict import Gate, Verdict
from tests.auditors.robustness.toys import Torch, convnet

TEXTS = ("dark", "light")


class Painted:
    """Reads the decision off the first pixel: code 40 · class."""

    image_shape = (4, 4, 1)

    def __init__(self, classes: tuple[str, ...] = ("man", "woman")) -> None:
        self.classes = classes

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        decided = np.minimum(np.rint(images[:, 0, 0, 0] * 255).astype(int) // 40, len(self.classes) - 1)
        return np.eye(len(self.classes))[decided]


def painted(
    prediction: NDArray[np.integer],
    *,
    label: NDArray[np.integer],
    tone: NDArray[np.integer],
    unit: NDArray[np.integer] | None,
    pair: NDArray[np.integer] | None,
    texts: tuple[str | None, ...] = TEXTS,
    classes: tuple[str, ...] = ("man", "woman"),
) -> ImageData:
    images = np.zeros((len(prediction), 4, 4, 1), dtype=np.uint8)
    images[:, 0, 0, 0] = 40 * prediction
    return ImageData(
        images=images,
        label=np.asarray(label, dtype=np.int32),
        classes=classes,
        attributes={"tone": (np.asarray(tone, dtype=np.int32), texts)},
        unit=None if unit is None else np.asarray(unit, dtype=np.int32),
        pair=None if pair is None else np.asarray(pair, dtype=np.int32),
        ids=np.arange(len(prediction), dtype=np.int64),
    )


def people(prediction_of: object, units: int = 40, seed: int = 0) -> ImageData:
    """Each unit a dark and a light man and woman; the decision is drawn by `prediction_of(rng, label, tone)`."""
    rng = np.random.default_rng(seed)
    unit = np.repeat(np.arange(units), 4)
    label, tone = np.tile([0, 0, 1, 1], units), np.tile([0, 1, 0, 1], units)
    prediction = np.asarray(prediction_of(rng, label, tone), dtype=np.int64)  # type: ignore[operator]
    return painted(prediction, label=label, tone=tone, unit=unit, pair=2 * unit + label)


def by_tone(rng: np.random.Generator, label: NDArray[np.int64], tone: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(rng.random(len(label)) < 0.5, 1 - tone, label)


def honest(rng: np.random.Generator, label: NDArray[np.int64], tone: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(rng.random(len(label)) < 0.05, 1 - label, label)


def audited(data: ImageData, classifier: object | None = None, **options: object) -> tuple[Perception, list[Finding]]:
    settings: dict[str, object] = {"attributes": ["tone"], "seed": 1} | options
    return audit_perception(data, classifier or Painted(data.classes), **settings)  # type: ignore[arg-type]


def check(report: Perception, name: str) -> PerceptionCheck:
    (found,) = [one for one in report.checks if one.name == name]
    return found


def deciders(report: Perception) -> list[PerceptionCheck]:
    """The two checks that need decisions alone."""
    return [check(report, name) for name in ("paired_counterfactual", "class_gap")]


def hand_counted() -> ImageData:
    """40 pairs, dark then light: 10 turn from man to woman, 4 from woman to man, 20 stay man, 6 stay woman."""
    dark = np.array([0] * 10 + [1] * 4 + [0] * 20 + [1] * 6)
    light = np.array([1] * 10 + [0] * 4 + [0] * 20 + [1] * 6)
    prediction = np.concatenate([dark, light])
    pair, tone = np.tile(np.arange(40), 2), np.repeat([0, 1], 40)
    return painted(prediction, label=np.zeros(80, int), tone=tone, unit=pair, pair=pair)


def test_net_flip_and_mcnemar_counts_are_those_of_the_hand_count() -> None:
    """Net (10 - 4) / 40 = .15; flip rate 14 / 40 = .35; exact McNemar p = 2 P(B(14, 1/2) <= 4) = .1796."""
    report, _ = audited(hand_counted())

    paired = check(report, "paired_counterfactual")
    assert paired.effect == pytest.approx(0.15)
    assert paired.detail["pairs"] == 40
    assert paired.detail["turned_to_class"] == 10
    assert paired.detail["turned_from_class"] == 4
    assert paired.detail["flip_rate"] == pytest.approx(0.35)
    assert paired.detail["mcnemar_p"] == pytest.approx(0.1796, abs=5e-5)
    assert paired.direction == "light → woman"


def test_sign_flip_test_of_unit_means_agrees_with_the_binomial() -> None:
    """14 units of one pair each turn; flipping their signs is flipping 14 coins: p = P(|heads - 7| >= 3) = .1796."""
    report, _ = audited(hand_counted())

    assert check(report, "paired_counterfactual").p_value == pytest.approx(0.1796, abs=0.02)


def test_flip_rate_of_a_tenth_is_watched_and_not_proven() -> None:
    report, findings = audited(hand_counted())

    paired = check(report, "paired_counterfactual")
    assert paired.verdict == "inconclusive"
    assert "watch" in (paired.reason or "")
    assert findings[0].verdict is Verdict.INCONCLUSIVE


def test_several_pictures_of_one_tone_count_as_the_mean_of_their_combinations() -> None:
    """One pair, dark 0 0, light 1 0: of four combinations two turn to woman, none away; net .5."""
    one = np.array([0, 0, 1, 0])
    prediction = np.concatenate([one] * 40)
    data = painted(
        prediction,
        label=np.zeros(160, int),
        tone=np.tile([0, 0, 1, 1], 40),
        unit=np.repeat(np.arange(40), 4),
        pair=np.repeat(np.arange(40), 4),
    )

    paired = check(audited(data)[0], "paired_counterfactual")

    assert paired.effect == pytest.approx(0.5)
    assert paired.detail["turned_to_class"] == 80
    assert paired.detail["turned_from_class"] == 0


def test_decisions_by_tone_are_proven_by_both_checks_with_the_direction() -> None:
    report, findings = audited(people(by_tone))

    for one in deciders(report):
        assert one.verdict == "proven_disparity"
        assert one.effect == pytest.approx(-0.5, abs=0.12)
        assert one.direction == "light → man"
    findings = [finding for finding in findings if finding.metric in ("paired_counterfactual", "class_gap")]
    assert [finding.verdict for finding in findings] == [Verdict.PROVEN_DISPARITY] * 2
    assert all(finding.gate is Gate.PROOF for finding in findings)
    assert all("needs justification" in finding.message for finding in findings)
    assert {finding.id for finding in findings} == {
        "perception/paired_counterfactual/tone",
        "perception/class_gap/tone",
    }


def test_honest_decisions_are_not_accused() -> None:
    report, findings = audited(people(honest))

    assert all(one.verdict != "proven_disparity" for one in report.checks)
    assert all(finding.verdict is not Verdict.PROVEN_DISPARITY for finding in findings)


def test_decisions_without_any_flip_on_many_people_are_shown_to_be_within() -> None:
    report, _ = audited(people(lambda rng, label, tone: label, units=80))

    assert [one.verdict for one in deciders(report)] == ["proven_within", "proven_within"]


def test_perfect_decisions_on_few_people_leave_the_answer_open() -> None:
    """28 units without a single flip: a share of .09 could still have been missed."""
    report, _ = audited(people(lambda rng, label, tone: label, units=28))

    assert check(report, "paired_counterfactual").verdict == "inconclusive"


def test_class_gap_by_hand() -> None:
    """Women: 30/40 dark, 10/40 light called woman; men: 20/40 dark, 20/40 light: mean of -.5 and 0."""
    label = np.repeat([1, 0], 80)
    tone = np.tile(np.repeat([0, 1], 40), 2)
    prediction = np.concatenate([[1] * 30 + [0] * 10, [1] * 10 + [0] * 30, [1] * 20 + [0] * 20, [1] * 20 + [0] * 20])
    data = painted(prediction, label=label, tone=tone, unit=None, pair=None)

    gap = check(audited(data)[0], "class_gap")

    assert gap.effect == pytest.approx(-0.25)
    assert gap.direction == "light → man"


def test_renaming_the_classes_keeps_effect_and_verdict() -> None:
    data = people(by_tone)
    swapped = painted(
        1 - data.images[:, 0, 0, 0].astype(int) // 40,
        label=1 - data.label,
        tone=data.attributes["tone"][0],
        unit=data.unit,
        pair=data.pair,
        classes=("a woman", "man"),
    )

    before, after = audited(data)[0], audited(swapped)[0]

    for one, other in zip(deciders(before), deciders(after), strict=True):
        assert other.effect == pytest.approx(-(one.effect or 0))
        assert other.verdict == one.verdict
    assert deciders(after)[0].direction == "light → man"


def test_same_seed_gives_the_same_report() -> None:
    assert audited(people(by_tone)) == audited(people(by_tone))


def test_without_pairs_the_paired_check_is_not_assessed_and_says_what_to_do() -> None:
    report, findings = audited(replace(people(by_tone), pair=None))

    assert check(report, "paired_counterfactual").verdict == "not_assessed"
    assert "`pair`" in (check(report, "paired_counterfactual").reason or "")
    assert findings[0].estimate is None
    assert findings[0].verdict is Verdict.INCONCLUSIVE
    assert check(report, "class_gap").verdict == "proven_disparity"


def test_constant_attribute_is_not_assessed() -> None:
    data = people(by_tone)
    constant = replace(data, attributes={"tone": (np.zeros(len(data), np.int32), ("dark",))})

    report, _ = audited(constant)

    assert {one.verdict for one in deciders(report)} == {"not_assessed"}
    assert all("fewer than two groups" in (one.reason or "") for one in deciders(report))


def test_empty_cell_is_not_assessed() -> None:
    label, tone = np.repeat([0, 0, 1], 40), np.repeat([0, 1, 0], 40)
    data = painted(label, label=label, tone=tone, unit=None, pair=np.arange(120))

    report, _ = audited(data)

    assert {one.verdict for one in deciders(report)} == {"not_assessed"}
    assert "cell is empty" in (check(report, "class_gap").reason or "")
    assert "no pair holds" in (check(report, "paired_counterfactual").reason or "")


def test_middle_tones_given_as_missing_are_left_out() -> None:
    data = people(by_tone)
    codes, _ = data.attributes["tone"]
    codes = np.where(np.arange(len(data)) % 16 < 4, 2, codes).astype(np.int32)

    report, _ = audited(replace(data, attributes={"tone": (codes, (*TEXTS, None))}))

    assert check(report, "paired_counterfactual").detail["pairs"] == 60
    assert any("40 pictures have no tone" in note for note in report.notes)


def test_three_tones_are_compared_in_pairs_and_the_largest_decides() -> None:
    units = 60
    unit, tone = np.repeat(np.arange(units), 3), np.tile([0, 1, 2], units)
    label = np.repeat(np.arange(units) % 2, 3)
    prediction = np.where(tone == 2, 1, label)
    data = painted(prediction, label=label, tone=tone, unit=unit, pair=unit, texts=("a", "b", "c"))

    report, _ = audited(data)

    for one in deciders(report):
        assert one.verdict == "proven_disparity"
        assert one.effect == pytest.approx(0.5)
        assert one.direction == "c → woman"


def test_more_classes_ask_about_each() -> None:
    units = 60
    unit, tone = np.repeat(np.arange(units), 2), np.tile([0, 1], units)
    label = np.repeat(np.arange(units) % 3, 2)
    prediction = np.where((tone == 1) & (label == 0), 2, label)
    data = painted(prediction, label=label, tone=tone, unit=unit, pair=unit, classes=("x", "y", "z"))

    paired = check(audited(data)[0], "paired_counterfactual")

    assert paired.verdict == "proven_disparity"
    assert paired.detail["class"] in {"x", "z"}
    assert abs(paired.effect or 0) == pytest.approx(1 / 3)


def test_every_check_of_the_schema_is_answered_or_named_as_not_run() -> None:
    report, findings = audited(people(honest))

    answered = [one.name for one in report.checks]
    (absent,) = [note for note in report.notes if note.startswith("Not run: ")] or [""]
    for name in get_args(PerceptionCheck.model_fields["name"].annotation):
        assert (name in answered) != (name in absent.removeprefix("Not run: ").rstrip(".").split(", "))
    assert [finding.metric for finding in findings] == answered


def test_panels_that_stand_alone_have_no_check_and_those_beside_one_name_it() -> None:
    data = people(honest)
    data = replace(data, images=np.zeros((len(data), 16, 16, 3), dtype=np.uint8))

    report, _ = audited(data, Torch(convnet(2), (16, 16, 3)))

    alone = [panel for panel in report.panels if panel.check is None]
    assert {"kernel_filters", "deep_dream", "fooling_noise"} <= {panel.name for panel in alone}
    assert all(panel.why_no_verdict for panel in alone)
    assert {panel.check for panel in report.panels} - {None} <= {one.name for one in report.checks}


def test_classifier_without_gradients_shows_noise_and_says_what_is_missing() -> None:
    report, _ = audited(people(honest))

    assert "fooling_noise" in [panel.name for panel in report.panels]
    assert "deep_dream" not in [panel.name for panel in report.panels]
    assert any("no gradients" in note for note in report.notes)
    assert any("no weights" in note for note in report.notes)


def test_module_without_a_convolution_shows_no_filters() -> None:
    data = people(honest)

    report, _ = audited(data, Torch(nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), (4, 4, 1)))

    assert "kernel_filters" not in [panel.name for panel in report.panels]


def test_noise_is_what_it_says() -> None:
    kinds = noises((12, 10, 3), seed=0)

    assert set(kinds) == {"uniform", "Gaussian", "blob"}
    for pictures in kinds.values():
        assert pictures.shape == (200, 12, 10, 3)
        assert pictures.dtype == np.float32
        assert pictures.min() >= 0
        assert pictures.max() <= 1
    neighbours = {kind: np.abs(np.diff(pictures, axis=1)).mean() for kind, pictures in kinds.items()}
    assert neighbours["blob"] < 0.5 * neighbours["uniform"]


def test_report_survives_json() -> None:
    report, findings = audited(people(by_tone))

    assert Perception.model_validate_json(report.model_dump_json()) == report
    assert [Finding.model_validate_json(one.model_dump_json()) for one in findings] == findings


@pytest.mark.slow
def test_tones_swapped_within_units_are_flagged_in_at_most_one_of_twenty() -> None:
    """METHODS section 6: planted, the attribute swapped at random within units, over 28 units."""
    data = people(by_tone, units=28)
    codes, _ = data.attributes["tone"]
    assert data.unit is not None
    flagged = {"paired_counterfactual": 0, "class_gap": 0}
    for seed in range(300):
        swap = np.random.default_rng(seed).integers(0, 2, 28)[data.unit]
        swapped = np.where(swap, 1 - codes, codes).astype(np.int32)
        report, _ = audited(replace(data, attributes={"tone": (swapped, TEXTS)}), seed=seed)
        for one in deciders(report):
            flagged[one.name] += one.verdict == "proven_disparity"

    assert all(count <= 15 for count in flagged.values())
