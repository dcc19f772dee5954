"""The dream checks from end to end: planted and honest networks, and what cannot be assessed."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from evenhand.auditors.perception.checks import Answer, finding
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.dreaming import dreams_and_drift
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.verdict import Gate
from tests.auditors.perception import planted
from tests.auditors.robustness.toys import BlackBox, Torch

SIDE = 8
GROUPS = ("dark", "light")


def answers_of(data: ImageData, classifier: object, *, seed: int = 0, **tolerances: float) -> dict[str, Answer]:
    """Both answers on the one attribute of the data."""
    context = Context(
        data=data,
        classifier=classifier,  # type: ignore[arg-type]
        attributes=tuple(data.attributes),
        scores=np.zeros((len(data), len(data.classes))),
        prediction=data.label.astype(np.int64),
        seed=seed,
        device="cpu",
        batch_size=64,
        tolerances=tolerances,
    )
    return {answer.name: answer for answer in dreams_and_drift(context)}


def toy(*, groups: int = 2, classes: int = 2, units: int = 60, shows: float = 0.3, seed: int = 0) -> ImageData:
    """Grey pictures, one a unit and cell: the class brightens a row of its own, the group a column of its own."""
    rng = np.random.default_rng(seed)
    label = np.tile(np.arange(classes).repeat(groups), units)
    group = np.tile(np.arange(groups), units * classes)
    pictures = rng.uniform(0.2, 0.5, (len(label), SIDE, SIDE, 1))
    for row in range(len(label)):
        pictures[row, 2 * label[row], :] += 0.3
        pictures[row, :, 7 - 2 * group[row]] += shows
    texts = (*GROUPS, "middle")[:groups]
    return ImageData(
        images=np.rint(pictures.clip(0, 1) * 255).astype(np.uint8),
        label=label.astype(np.int32),
        classes=("man", "woman", "child")[:classes],
        attributes={"tone": (group.astype(np.int32), texts)},
        unit=np.repeat(np.arange(units), classes * groups).astype(np.int32),
        pair=None,
        ids=np.arange(len(label), dtype=np.int64),
    )


class Rows(nn.Module):
    """Logit of class k: brightness of row 2k; of the second class as well `cue` times that of a column, less its mean."""

    def __init__(self, classes: int = 2, *, cue: float = 0.0, column: int = 5, scale: float = 1.0):
        super().__init__()
        self.classes, self.cue, self.column, self.scale = classes, cue, column, scale

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        rows = torch.stack([batch[:, :, 2 * k].mean(dim=(1, 2)) for k in range(self.classes)], dim=1)
        cue = (
            torch.nn.functional.one_hot(torch.tensor(1), self.classes)
            * (batch[..., self.column].mean(dim=(1, 2)) - 0.5)[:, None]
        )
        return self.scale * (rows + self.cue * cue)


def rows(classes: int = 2, **options: float) -> Torch:
    names = ("man", "woman", "child")[:classes]
    return Torch(Rows(classes, **options), (SIDE, SIDE, 1), names)  # type: ignore[arg-type]


@cache
def honest() -> dict[str, Answer]:
    return answers_of(toy(), rows())


def test_network_that_takes_a_group_for_a_class_is_found_by_both_checks() -> None:
    found = answers_of(toy(), rows(cue=1.0))

    for answer in found.values():
        assert answer.verdict == "proven_disparity"
        assert answer.direction == "light → woman"
        assert answer.p_value is not None
        assert answer.p_value < 0.01
        assert answer.interval is not None
        assert answer.estimate is not None
        assert 0 < answer.interval.low < answer.estimate < answer.interval.high
    assert (found["dream"].estimate or 0) >= 1


def test_network_that_shuns_a_group_is_found_with_the_other_direction() -> None:
    found = answers_of(toy(), rows(cue=-1.0))

    assert all(answer.verdict == "proven_disparity" for answer in found.values())
    assert all(answer.direction == "light → man" for answer in found.values())


def test_network_that_only_looks_at_the_class_is_not_accused() -> None:
    assert all(answer.verdict != "proven_disparity" for answer in honest().values())
    assert abs(honest()["dream"].estimate or 0) < 0.5


def test_a_surer_network_dreams_no_farther() -> None:
    bare = answers_of(toy(), rows(cue=0.5))
    loud = answers_of(toy(), rows(cue=0.5, scale=1000))

    for name, answer in bare.items():
        assert loud[name].estimate == pytest.approx(answer.estimate, abs=1e-2)
        assert loud[name].verdict == answer.verdict


def test_same_seed_gives_the_same_answers() -> None:
    assert answers_of(toy(), rows()) == honest()


def test_order_of_the_pictures_changes_no_dream() -> None:
    data = toy()
    order = np.random.default_rng(0).permutation(len(data))
    codes, texts = data.attributes["tone"]
    assert data.unit is not None
    shuffled = replace(
        data,
        images=data.images[order],
        label=data.label[order],
        attributes={"tone": (codes[order], texts)},
        unit=data.unit[order],
        ids=data.ids[order],
    )

    again = answers_of(shuffled, rows())

    assert again["dream"].panels[0].images == honest()["dream"].panels[0].images


def test_pictures_stand_beside_the_checks_by_a_stated_rule() -> None:
    dreams, drifts = honest()["dream"].panels[0], honest()["dream_drift"].panels[0]

    assert [image["alt"] for image in dreams.images[:2]] == ["dream 1 of man", "dream 1 of woman"]
    assert len(dreams.images) == 4 * 2
    assert "first 4 of 16 starts" in dreams.text
    assert len(drifts.images) == 4 * 3
    assert drifts.images[1]["alt"] == "picture 1, enhanced toward man"


def test_detail_names_both_probes_and_how_well_they_see() -> None:
    detail = honest()["dream"].detail or {}

    assert detail["starts"] == 16
    for probe in ("linear", "convnet"):
        assert detail[f"{probe}_probe_balanced_accuracy"] >= 0.75  # type: ignore[operator]
        assert f"{probe}_probe_p" in detail
    assert (honest()["dream_drift"].detail or {})["units"] == 48


def test_more_groups_are_asked_about_one_against_all_others() -> None:
    found = answers_of(toy(groups=3), rows(cue=1.5, column=3))

    for answer in found.values():
        assert answer.verdict == "proven_disparity"
        assert answer.direction == "middle → woman"
        assert (answer.detail or {})["from"] == "all other groups"


def test_more_classes_are_asked_about_each_against_the_others() -> None:
    found = answers_of(toy(classes=3), rows(3, cue=1.5))

    assert found["dream"].verdict == "proven_disparity"
    assert found["dream"].direction == "light → woman"


def test_policy_moves_the_tolerance() -> None:
    answer = answers_of(toy(), rows(cue=1.0), dream=50.0)["dream"]

    assert answer.tolerance == 50.0
    assert answer.verdict != "proven_disparity"


def not_assessed(data: ImageData, classifier: object) -> str:
    """The one reason why neither check was made."""
    found = answers_of(data, classifier)
    assert set(found) == {"dream", "dream_drift"}
    assert {answer.verdict for answer in found.values()} == {"not_assessed"}
    assert all("not assessed" in finding(answer, gate=Gate.PROOF).message for answer in found.values())
    (reason,) = {answer.reason for answer in found.values()}
    assert reason
    return reason


def test_model_without_gradients_is_not_assessed() -> None:
    assert not_assessed(toy(units=10), BlackBox(rows())) == "the classifier gives no gradients"


def test_constant_attribute_is_not_assessed() -> None:
    data = toy(units=10)

    reason = not_assessed(replace(data, attributes={"tone": (np.zeros(len(data), np.int32), ("dark",))}), rows())

    assert "fewer than two groups" in reason


def test_empty_cell_is_not_assessed() -> None:
    data = toy()

    reason = not_assessed(replace(data, attributes={"tone": (data.label, GROUPS)}), rows())

    assert "cell is empty" in reason


def test_group_of_under_thirty_is_not_assessed() -> None:
    assert "under 30" in not_assessed(toy(units=12), rows())


def test_pictures_of_two_people_are_too_few_units() -> None:
    data = toy()
    assert data.unit is not None

    assert "too few units" in not_assessed(replace(data, unit=(data.unit % 2).astype(np.int32)), rows())


def test_group_that_the_probes_cannot_see_is_not_assessed_with_the_figure() -> None:
    reason = not_assessed(toy(shows=0.0), rows())

    assert "linear probe tells 'light' from 'dark' with a balanced accuracy of 0." in reason
    assert "0.75 would be needed" in reason


def test_masked_gradients_are_not_assessed() -> None:
    class Quantised(Rows):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return super().forward(torch.round(batch * 7) / 7)

    reason = not_assessed(toy(), Torch(Quantised(), (SIDE, SIDE, 1)))

    assert "gradient masking suspected: 100%" in reason


def test_network_that_says_the_same_of_everything_is_not_assessed() -> None:
    class Constant(nn.Module):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return torch.ones(len(batch), 2)

    assert "scores all pictures alike" in not_assessed(toy(), Torch(Constant(), (SIDE, SIDE, 1)))


def test_network_that_tells_no_classes_apart_is_not_assessed() -> None:
    """It calls everything a woman, however its scores move with the tone."""

    class Bent(Rows):
        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return super().forward(batch) + torch.tensor([0.0, 10.0])

    reason = not_assessed(toy(), Torch(Bent(cue=1.0), (SIDE, SIDE, 1)))

    assert "not shown to tell the classes apart: balanced accuracy 0.50 [" in reason
    assert "more than 0.50 would have to be shown" in reason


def drawn(cue: planted.Cue, rho: float, *, epochs: int = 30) -> dict[str, str]:
    """Verdicts on the drawings; a note 'watch' stands for an inconclusive one that has it."""
    found = answers_of(planted.audit_set(cue), planted.network(cue, rho, epochs=epochs))
    return {
        name: "watch" if (answer.reason or "").startswith("watch") else answer.verdict for name, answer in found.items()
    }


def test_drawings_with_a_planted_and_with_an_honest_background() -> None:
    """Six epochs instead of thirty, for the time it takes."""
    assert set(drawn("background", 0.95, epochs=6).values()) == {"proven_disparity"}
    assert "proven_disparity" not in drawn("background", 0.5, epochs=6).values()


def test_network_that_learned_little_is_watched_and_not_accused() -> None:
    """Tone as often with either label, six epochs: both probes see a dream beyond the tolerance, and drifts as well."""
    found = answers_of(planted.audit_set("tone"), planted.network("tone", 0.5, seed=3, epochs=6))

    assert abs(found["dream"].estimate or 0) >= 1.0
    assert abs(found["dream_drift"].estimate or 0) >= 0.05
    for answer in found.values():
        assert answer.p_value is not None
        assert answer.p_value < 0.01
        assert answer.verdict == "inconclusive"
        assert (answer.reason or "").startswith("watch: the two probes see -")
        assert "the scores of real pictures move by -0." in (answer.reason or "")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("cue", ["tone", "background"])
def test_networks_of_six_and_eight_epochs_are_not_accused(cue: planted.Cue, seed: int) -> None:
    for epochs in (6, 8):
        found = answers_of(planted.audit_set(cue), planted.network(cue, 0.5, seed=seed, epochs=epochs))
        assert "proven_disparity" not in {answer.verdict for answer in found.values()}


@pytest.mark.slow
@pytest.mark.parametrize("cue", ["tone", "background"])
def test_case_table_of_planted_drawings(cue: planted.Cue) -> None:
    """METHODS section 6, columns dream and drift."""
    assert set(drawn(cue, 0.95).values()) == {"proven_disparity"}
    assert "proven_disparity" not in drawn(cue, 0.5).values()


@pytest.mark.slow
def test_case_table_of_tone_three_quarters() -> None:
    """Watched, and not proven, by the dream; watched or proven by the drift."""
    found = drawn("tone", 0.75)

    assert found["dream"] == "watch"
    assert found["dream_drift"] in ("watch", "proven_disparity")


def inked(ink: NDArray[np.int64], digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Digits (n, 8, 8) in one of ten hues, on black."""
    import colorsys

    colours = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in range(10)])
    return np.rint(digits[..., None] * colours[ink][:, None, None, :]).astype(np.uint8)


@pytest.mark.slow
def test_dreams_of_digits_show_the_hue_that_was_planted() -> None:
    """Hue = digit in .95 of the training pictures: the dreams of eight in ten digits have it within a step of ten."""
    import colorsys

    from evenhand.auditors.perception.components import principal_components
    from evenhand.auditors.perception.dreams import dream
    from evenhand.auditors.robustness.data import unit_interval
    from evenhand.classifiers.training import train_images
    from evenhand.datasets.builtin import digits

    loaded, rng = digits.load(), np.random.default_rng(0)
    strokes, label = loaded.images[..., 0], loaded.table.classes("digit").codes.astype(np.int64)
    train = rng.permutation(len(label)) < 1200
    by_digit = np.where(rng.random(len(label)) < 0.95, label, rng.integers(0, 10, len(label)))
    names = tuple(str(digit) for digit in range(10))
    network = train_images(
        "convnet4",
        inked(by_digit, strokes)[train],
        label[train],
        classes=names,
        seed=0,
        device="cpu",
        epochs=8,
        flip=False,
    ).classifier
    audited = unit_interval(inked(rng.integers(0, 10, len(label)), strokes)[~train])

    components = principal_components(audited, np.arange(len(audited)), seed=0)
    dreams = dream(network, components, labels=np.arange(10), scales=np.full(10, 5.0), device="cpu", seed=0)

    means = dreams.pictures.mean(axis=(0, 2, 3))
    hues = np.array([colorsys.rgb_to_hsv(*mean)[0] * 10 for mean in means])
    steps = np.abs((hues - np.arange(10) + 5) % 10 - 5)
    assert (steps <= 1).mean() >= 0.8
