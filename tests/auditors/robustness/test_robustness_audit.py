"""The whole robustness audit: planted bias is found, honest twins are not accused, masked models are not believed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evenhand.auditors.errors import LengthMismatch, PolicyError, UnfitData, UnknownAttribute
from evenhand.auditors.report import Finding, Robustness, RobustnessGap
from evenhand.auditors.robustness import ImageData, audit_robustness
from evenhand.auditors.verdict import Gate, Rule, Verdict
from tests.auditors.robustness.toys import SIDE, BlackBox, Brightness, Torch, brightness, distances_of, people

EPS = (0.05,)
PLANTED = people(near=0.03, far=0.08, bias=0.95)
HONEST = people(near=0.03, far=0.08, bias=0.0)


def audited(data: ImageData, classifier: object | None = None, **options: object) -> tuple[Robustness, list[Finding]]:
    settings: dict[str, object] = {"attributes": ["tone"], "eps": EPS, "seed": 1} | options
    return audit_robustness(data, classifier or brightness(), **settings)  # type: ignore[arg-type]


def deciding(report: Robustness) -> RobustnessGap:
    (gap,) = [gap for gap in report.gaps if gap.decides]
    return gap


def test_robust_accuracy_by_class_and_group_is_the_exact_share_beyond_eps() -> None:
    report, _ = audited(PLANTED)

    exact = distances_of(PLANTED) > EPS[0]
    tone = PLANTED.attributes["tone"][0]
    for row in report.groups:
        chosen = tone == ("dark", "light").index(str(row.group["tone"]))
        if row.label:
            chosen &= PLANTED.label == PLANTED.classes.index(row.label)
        assert row.robust_accuracy.estimate == pytest.approx(exact[chosen].mean(), abs=1e-12)
        assert row.n == chosen.sum()


def test_planted_bias_is_proven_and_put_in_words() -> None:
    report, findings = audited(PLANTED)

    gap = deciding(report)
    finding = next(one for one in findings if one.metric == "aligned")
    assert gap.name == "aligned"
    assert gap.verdict == "proven_disparity"
    assert gap.estimate == pytest.approx(-0.95, abs=0.1)
    assert finding.verdict is Verdict.PROVEN_DISPARITY
    assert finding.rule is Rule.EFFECT_AND_TEST
    assert finding.p_value is not None
    assert finding.p_value < 1 - (finding.level or 0)
    assert 'beside tone "light", "dark" is easier to fool in class "woman" than in class "man"' in finding.message
    assert "L-infinity" in finding.message
    assert "0.05" in finding.message


def test_marginal_gap_does_not_see_the_planted_bias() -> None:
    report, _ = audited(PLANTED)

    marginal = next(gap for gap in report.gaps if gap.name == "marginal")
    assert abs(marginal.estimate or 0) < 0.1
    assert not marginal.decides


def test_honest_twin_is_not_accused() -> None:
    report, findings = audited(HONEST)

    assert all(gap.verdict != "proven_disparity" for gap in report.gaps)
    assert all(finding.verdict is not Verdict.PROVEN_DISPARITY for finding in findings)


def test_only_the_deciding_finding_is_gated_and_ids_are_unique() -> None:
    _, findings = audited(PLANTED, gate=Gate.STRICT)

    assert [finding.metric for finding in findings if finding.gate is Gate.STRICT] == ["aligned"]
    assert all(finding.gate is Gate.OFF for finding in findings if finding.metric != "aligned")
    assert len({finding.id for finding in findings}) == len(findings)
    assert findings[0].id == "robustness/aligned/tone"


def test_renaming_the_classes_turns_the_sign_and_keeps_the_verdict() -> None:
    """Class 1 becomes class 0: the classifier's outputs and the labels change places."""

    class Swapped(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return Brightness()(batch).flip(1)

    swapped = replace(PLANTED, label=1 - PLANTED.label, classes=("a woman", "man"))

    before, _ = audited(PLANTED)
    after, _ = audited(swapped, Torch(Swapped(), (SIDE, SIDE, 1), ("a woman", "man")))

    assert deciding(after).estimate == pytest.approx(-(deciding(before).estimate or 0), abs=1e-12)
    assert deciding(after).verdict == deciding(before).verdict


def test_same_seed_gives_the_same_report_whatever_batch_size() -> None:
    few = people(near=0.03, far=0.08, bias=0.95, units=16)

    reports = [audited(few, batch_size=size)[0].model_dump_json() for size in (64, 1, 512)]

    assert reports[0] == reports[1] == reports[2]


def test_order_of_rows_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(len(PLANTED))
    codes, texts = PLANTED.attributes["tone"]
    assert PLANTED.unit is not None
    assert PLANTED.pair is not None
    shuffled = ImageData(
        images=PLANTED.images[order],
        label=PLANTED.label[order],
        classes=PLANTED.classes,
        attributes={"tone": (codes[order], texts)},
        unit=PLANTED.unit[order],
        pair=PLANTED.pair[order],
        ids=PLANTED.ids[order],
    )

    one, other = audited(PLANTED)[0], audited(shuffled)[0]

    assert one.gaps == other.gaps
    assert one.groups == other.groups
    assert one.curves == other.curves


def test_curve_starts_at_clean_accuracy_never_rises_and_equals_the_exact_one() -> None:
    sizes = (0.02, 0.04, 0.06, 0.085)

    report, _ = audited(PLANTED, eps=sizes)

    exact, tone = distances_of(PLANTED), PLANTED.attributes["tone"][0]
    for code, curve in enumerate(report.curves):
        assert curve.eps == [0.0, *sizes]
        assert curve.accuracy[0] == 1.0
        assert curve.accuracy == pytest.approx([np.mean(exact[tone == code] > size) for size in curve.eps])
        assert all(low <= value <= high for low, value, high in zip(curve.low, curve.accuracy, curve.high, strict=True))


def test_largest_size_with_a_fifth_still_robust_decides() -> None:
    report, _ = audited(PLANTED, eps=(0.01, 0.05, 0.2))

    assert report.attack.eps == 0.05
    assert deciding(report).eps == 0.05


@pytest.mark.parametrize(("eps", "side"), [(0.001, "ceiling"), (0.3, "floor")])
def test_gap_at_floor_or_ceiling_is_not_informative(eps: float, side: str) -> None:
    report, findings = audited(PLANTED, eps=(eps,))

    assert deciding(report).verdict == "not_informative"
    assert side in (deciding(report).reason or "")
    assert findings[0].verdict is Verdict.INCONCLUSIVE
    assert "ot informative" in findings[0].message


def test_median_distance_is_near_the_exact_one() -> None:
    report, _ = audited(PLANTED, eps=(0.05, 0.2))

    exact, tone = distances_of(PLANTED), PLANTED.attributes["tone"][0]
    for row in report.groups:
        if row.label is None:
            chosen = exact[tone == ("dark", "light").index(str(row.group["tone"]))]
            assert row.median_distance == pytest.approx(np.sort(chosen)[(len(chosen) - 1) // 2], abs=2e-3)


def test_random_noise_of_the_same_size_is_shown_beside() -> None:
    report, _ = audited(PLANTED)

    assert [row.group["tone"] for row in report.noise] == ["dark", "light"]
    assert all((row.robust_accuracy.estimate or 0) > 0.99 for row in report.noise)


class _Quantised(nn.Module):
    def forward(self, batch: Tensor) -> Tensor:
        return Brightness()((batch * 8).round() / 8)


class _Noisy(Torch):
    """Noise on the input, another at every call."""

    def __init__(self) -> None:
        super().__init__(Brightness(), (SIDE, SIDE, 1))
        self._generator = torch.Generator().manual_seed(0)

    def logits(self, batch: Tensor) -> Tensor:
        return super().logits(batch + 0.05 * torch.randn(batch.shape, generator=self._generator))


MASKED = {
    "quantised input": lambda: Torch(_Quantised(), (SIDE, SIDE, 1)),
    "logits times 1000": lambda: brightness(scale=20_000.0),
    "input noise": _Noisy,
}


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("data", [PLANTED, HONEST], ids=["planted", "honest"])
def test_masked_model_is_never_called_robust(name: str, data: ImageData) -> None:
    report, findings = audited(data, MASKED[name]())

    assert report.masking.suspected
    assert all(gap.verdict == "not_assessed" for gap in report.gaps)
    assert "masking" in (deciding(report).reason or "")
    attacked = [finding for finding in findings if finding.metric != "corruption_gap"]
    assert all(finding.verdict is Verdict.INCONCLUSIVE and finding.estimate is None for finding in attacked)
    assert all("not assessed" in finding.message for finding in attacked)


def test_masking_checks_name_what_struck() -> None:
    struck = {
        name: {check.name for check in audited(HONEST, make())[0].masking.checks if check.suspected}
        for name, make in MASKED.items()
    }

    assert "zero_gradients" in struck["quantised input"]
    assert "zero_gradients" in struck["logits times 1000"]
    assert "two_calls_differ" in struck["input noise"]


def test_bare_model_passes_every_masking_check() -> None:
    report, _ = audited(HONEST)

    assert not report.masking.suspected
    run = [check for check in report.masking.checks if check.name != "planted_examples_missed"]
    assert len(run) == 6
    assert all(check.value is not None and check.value <= (check.limit or 0) for check in run)


def test_a_network_without_a_last_linear_layer_says_that_nothing_was_planted() -> None:
    report, _ = audited(HONEST)

    (check,) = [check for check in report.masking.checks if check.name == "planted_examples_missed"]
    assert check.value is None
    assert "no last linear layer" in (check.reason or "")


def test_constant_classifier_is_not_called_robust() -> None:
    class Constant(nn.Module):
        def forward(self, batch: Tensor) -> Tensor:
            return torch.tensor([[0.0, 1.0]]).repeat(len(batch), 1)

    report, _ = audited(HONEST, Torch(Constant(), (SIDE, SIDE, 1)))

    assert deciding(report).verdict == "not_assessed"


def test_black_box_finds_the_planted_bias_without_gradients() -> None:
    report, findings = audited(PLANTED, BlackBox(brightness()))

    assert report.attack.attacks == ["random noise", "Square"]
    assert findings[0].verdict is Verdict.PROVEN_DISPARITY
    assert any("no gradients" in note for note in report.notes)
    exact, tone = distances_of(PLANTED) > EPS[0], PLANTED.attributes["tone"][0]
    for row in report.groups[:2]:
        assert (row.robust_accuracy.estimate or 0) >= exact[
            tone == ("dark", "light").index(str(row.group["tone"]))
        ].mean()


def with_tone(data: ImageData, codes: NDArray[np.int32], texts: tuple[str | None, ...]) -> ImageData:
    return replace(data, attributes={"tone": (codes, texts)})


def test_constant_attribute_is_not_assessed() -> None:
    report, findings = audited(with_tone(PLANTED, np.zeros(len(PLANTED), np.int32), ("dark",)))

    assert deciding(report).verdict == "not_assessed"
    assert "fewer than two groups" in (deciding(report).reason or "")
    assert findings[0].estimate is None
    assert findings[0].verdict is Verdict.INCONCLUSIVE


def test_only_missing_values_are_not_assessed() -> None:
    report, _ = audited(with_tone(PLANTED, np.zeros(len(PLANTED), np.int32), (None,)))

    assert deciding(report).verdict == "not_assessed"
    assert report.groups[0].group == {"tone": None}


def test_empty_class_cell_is_not_assessed() -> None:
    chosen = (PLANTED.label == 0) | (PLANTED.attributes["tone"][0] == 0)
    assert PLANTED.unit is not None
    part = ImageData(
        PLANTED.images[chosen],
        PLANTED.label[chosen],
        PLANTED.classes,
        {"tone": (PLANTED.attributes["tone"][0][chosen], ("dark", "light"))},
        PLANTED.unit[chosen],
        None,
        PLANTED.ids[chosen],
    )

    report, _ = audited(part)

    assert deciding(report).name == "aligned"
    assert deciding(report).verdict == "not_assessed"
    assert "cell is empty" in (deciding(report).reason or "")
    assert any(row.n == 0 and row.robust_accuracy.estimate is None for row in report.groups)


def test_missing_values_are_listed_and_left_out() -> None:
    codes, _ = PLANTED.attributes["tone"]
    codes = np.where(np.arange(len(PLANTED)) % 10 == 0, 2, codes).astype(np.int32)

    report, findings = audited(with_tone(PLANTED, codes, ("dark", "light", None)))

    assert deciding(report).name == "aligned"
    assert findings[0].verdict is Verdict.PROVEN_DISPARITY
    assert next(row.n for row in report.groups if row.group == {"tone": None}) == 16
    assert any("16 pictures have no tone" in note for note in report.notes)


def test_three_groups_decide_within_the_class() -> None:
    codes, _ = PLANTED.attributes["tone"]
    assert PLANTED.unit is not None
    codes = np.where(PLANTED.unit % 3 == 0, 2, codes).astype(np.int32)

    report, findings = audited(with_tone(PLANTED, codes, ("dark", "light", "middle")))

    assert deciding(report).name == "within_class"
    assert {finding.metric for finding in findings} == {"within_class", "marginal", "correct_only", "corruption_gap"}
    assert deciding(report).verdict == "proven_disparity"


def test_correct_only_leaves_out_what_is_misread_anyway() -> None:
    """Every fourth woman is labelled a man: clean accuracy falls, the gap among correct pictures stays."""
    wrong = (np.arange(len(PLANTED)) % 8 >= 6) & (PLANTED.label == 1)
    label = np.where(wrong, 0, PLANTED.label).astype(np.int32)

    report, _ = audited(replace(PLANTED, label=label))

    correct_only = next(gap for gap in report.gaps if gap.name == "correct_only")
    assert correct_only.verdict == "proven_disparity"
    assert correct_only.estimate == pytest.approx(-0.95, abs=0.1)


def test_without_a_unit_column_each_picture_is_its_own_and_the_report_says_so() -> None:
    report, findings = audited(replace(PLANTED, unit=None))

    assert "each of the 160 pictures is its own unit" in report.units
    assert findings[0].verdict is Verdict.PROVEN_DISPARITY


def test_examples_show_one_picture_of_each_class_and_group_with_the_change_in_numbers() -> None:
    report, _ = audited(PLANTED)

    (panel,) = report.panels
    # bias .95 leaves near pictures in every cell or in the two planted ones alone
    cells = {(row["class"], row["tone"]) for row in panel.table}
    assert {("woman", "dark"), ("man", "light")} <= cells
    assert len(panel.images) == 3 * len(panel.table)
    for row in panel.table:
        assert row["read before"] != row["read after"]
        assert row["largest change of a channel (of 255)"] <= EPS[0] * 255 + 0.01
        # of 8 × 8 grey pictures, whose change is the same in every pixel at most
        assert row["length of the change (L2)"] <= EPS[0] * 8 + 0.001
        assert 0 < row["pixels changed by more than a level"] <= 1
        assert 0 < row["SSIM"] < 1
    assert len(panel.lines) == len(panel.table)
    for line, row in zip(panel.lines, panel.table, strict=True):
        assert line.startswith(
            f"{row['class']}, tone {row['tone']}, read as {row['read after']}. No channel of any pixel"
        )
    assert all(image["src"].startswith("data:image/png;base64,") for image in panel.images)


def test_report_survives_json() -> None:
    report, findings = audited(PLANTED)

    assert Robustness.model_validate_json(report.model_dump_json()) == report
    assert [Finding.model_validate_json(finding.model_dump_json()) for finding in findings] == findings


def test_data_are_not_changed() -> None:
    before = PLANTED.images.copy()

    audited(PLANTED)

    assert np.array_equal(before, PLANTED.images)


def test_progress_rises_to_one() -> None:
    seen: list[float] = []

    audited(HONEST, progress=lambda fraction, message: seen.append(fraction))

    assert seen == sorted(seen)
    assert seen[-1] == 1.0


@pytest.mark.parametrize("eps", [(), (0.0,), (-0.1,), (8.0,)])
def test_an_eps_outside_the_range_is_refused(eps: tuple[float, ...]) -> None:
    with pytest.raises(PolicyError, match="eps"):
        audited(PLANTED, eps=eps)


def test_pictures_of_the_wrong_size_are_refused_with_both_sizes() -> None:
    with pytest.raises(UnfitData, match=r"8 × 8 × 1.*9 × 8 × 1"):
        audited(PLANTED, Torch(Brightness(), (9, 8, 1)))


def test_other_classes_than_the_classifiers_are_refused() -> None:
    with pytest.raises(UnfitData, match="man, woman"):
        audited(PLANTED, brightness(classes=("cat", "dog")))


def test_unknown_attribute_is_refused() -> None:
    with pytest.raises(UnknownAttribute, match=r"'tome'.*'tone'"):
        audited(PLANTED, attributes=["tome"])


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(LengthMismatch, match="'ids'"):
        audited(replace(PLANTED, ids=np.arange(3)))


def test_labels_outside_the_classes_are_refused() -> None:
    with pytest.raises(UnfitData, match="'label' has codes"):
        audited(replace(PLANTED, label=PLANTED.label + 1))


@pytest.mark.slow
def test_attributes_swapped_within_units_are_flagged_in_at_most_one_of_twenty() -> None:
    """METHODS section 6: the planted model, the attribute swapped at random within units."""
    codes, texts = PLANTED.attributes["tone"]
    assert PLANTED.unit is not None
    flagged = 0
    for seed in range(60):
        swap = np.random.default_rng(seed).integers(0, 2, int(PLANTED.unit.max()) + 1)[PLANTED.unit]
        report, _ = audited(with_tone(PLANTED, np.where(swap, 1 - codes, codes).astype(np.int32), texts), seed=seed)
        flagged += deciding(report).verdict == "proven_disparity"

    assert flagged <= 3
