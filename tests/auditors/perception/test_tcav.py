"""Concept vectors: a network that reads the group is supported, one that does not is not, and none is ever a verdict."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evenhand.auditors.perception import audit_perception
from evenhand.auditors.perception.concepts import Answer, tcav, welch
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.layers import inside, middle_layer
from evenhand.auditors.robustness import ImageData
from evenhand.auditors.robustness.data import unit_interval
from evenhand.auditors.robustness.scores import probabilities
from evenhand.auditors.verdict import Gate, Verdict
from tests.auditors.perception.planted import audit_set, network
from tests.auditors.robustness.toys import BlackBox, Torch, convnet

SIDE = 16


class Halves(nn.Module):
    """Three layers with weights: a 1 x 1 convolution copies two channels, and the score is a weighted sum of them."""

    def __init__(self, shape: float, cue: float) -> None:
        super().__init__()
        self.copy, self.again = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 2, 1)
        self.head = nn.Linear(2, 2)
        with torch.no_grad():
            for part in (self.copy, self.again):
                part.weight.copy_(torch.eye(2)[:, :, None, None])
                part.bias.zero_()
            self.head.weight.copy_(torch.tensor([[-shape, -cue], [shape, cue]]))
            self.head.bias.zero_()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.head(torch.nn.functional.softplus(self.again(self.copy(batch))).mean(dim=(2, 3)))


def pictures(units: int = 40, groups: tuple[str | None, ...] = ("dark", "light")) -> ImageData:
    """Channel 0 shows the class and channel 1 the group; every unit holds every cell."""
    rng = np.random.default_rng(3)
    cells = 2 * len(groups)
    unit, label = np.repeat(np.arange(units), cells), np.tile(np.repeat([0, 1], len(groups)), units)
    group = np.tile(np.arange(len(groups)), 2 * units)
    images = rng.normal(110, 12, (len(unit), 4, 4, 2))
    images[..., 0] += 40 * label[:, None, None]
    images[..., 1] += 40 * group[:, None, None]
    return ImageData(
        images=np.clip(images, 0, 255).astype(np.uint8),
        label=label.astype(np.int32),
        classes=("man", "woman"),
        attributes={"tone": (group.astype(np.int32), groups)},
        unit=unit.astype(np.int32),
        pair=(2 * unit + label).astype(np.int32),
        ids=np.arange(len(unit), dtype=np.int64),
    )


def context(data: ImageData, classifier: object, *, seed: int = 1, batch_size: int = 64) -> Context:
    scores = probabilities(classifier, unit_interval(data.images))  # type: ignore[arg-type]
    return Context(
        data=data,
        classifier=classifier,  # type: ignore[arg-type]
        attributes=tuple(data.attributes),
        scores=scores,
        prediction=scores.argmax(axis=1).astype(np.int64),
        seed=seed,
        device="cpu",
        batch_size=batch_size,
        tolerances={},
    )


def asked(data: ImageData, classifier: object, **options: int) -> Answer:
    (answer,) = tcav(context(data, classifier, **options))
    return answer


def by_channels(shape: float, cue: float) -> Torch:
    return Torch(Halves(shape, cue), (4, 4, 2))


def test_network_that_adds_up_the_group_is_supported_with_its_direction() -> None:
    answer = asked(pictures(), by_channels(shape=1.0, cue=2.0))

    assert answer.estimate == 1.0
    assert answer.p_value is not None
    assert answer.p_value < 0.01
    assert answer.direction == "light → woman"
    assert "supports" in (answer.reason or "")


def test_the_opposite_use_points_the_other_way() -> None:
    answer = asked(pictures(), by_channels(shape=1.0, cue=-2.0))

    assert answer.estimate == 0.0
    assert answer.direction == "light → man"
    assert "supports" in (answer.reason or "")


def test_support_is_never_a_verdict_and_never_gated() -> None:
    report, findings = audit_perception(
        pictures(), by_channels(1.0, 2.0), attributes=["tone"], seed=1, gate=Gate.STRICT
    )

    (row,) = [one for one in report.checks if one.name == "tcav"]
    (finding,) = [one for one in findings if one.metric == "tcav"]
    assert row.effect == 1.0
    assert row.verdict == "inconclusive"
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.gate is Gate.OFF
    assert finding.tolerance is None


def test_group_that_no_layer_holds_is_no_support() -> None:
    data = pictures()
    codes = np.random.default_rng(0).permutation(data.attributes["tone"][0])

    answer = asked(replace(data, attributes={"tone": (codes, ("dark", "light"))}), by_channels(1.0, 2.0))

    assert "does not tell the groups apart" in (answer.reason or "")


def test_group_that_goes_with_the_class_does_not_stand_for_it() -> None:
    """Three in four women are light, and the network reads the class alone: without centring its share would be 1."""
    data = pictures(units=80)
    tone = data.attributes["tone"][0]
    unit = np.asarray(data.unit)
    kept = (tone == data.label) | (unit % 3 == 0)
    part = replace(
        data,
        images=data.images[kept],
        label=data.label[kept],
        attributes={"tone": (tone[kept], ("dark", "light"))},
        unit=unit[kept],
        pair=None,
        ids=data.ids[kept],
    )

    answer = asked(part, by_channels(shape=2.0, cue=0.0))

    assert "supports" not in (answer.reason or "")


def test_same_seed_gives_the_same_answer_whatever_the_batch() -> None:
    data, classifier = pictures(), by_channels(1.0, 0.1)

    assert asked(data, classifier) == asked(data, classifier, batch_size=7)


def test_middle_layer_is_what_the_middle_layer_with_weights_reads() -> None:
    """Of four layers with weights (0, 3, 6, 9) the third's input."""
    four = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.Identity(),
        nn.Conv2d(4, 4, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.LazyLinear(2),
    )
    classifier = Torch(four, (SIDE, SIDE, 1))
    classifier.logits(torch.zeros(1, 1, SIDE, SIDE))

    layer = middle_layer(classifier)

    assert layer.name == "6"


def test_gradient_at_the_layer_is_that_of_finite_differences() -> None:
    torch.manual_seed(0)
    network_ = nn.Sequential(nn.Flatten(), nn.Linear(16, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    classifier = Torch(network_, (4, 4, 1))
    batch = np.random.default_rng(0).random((3, 4, 4, 1)).astype(np.float32)
    weights = np.tile(np.array([-1, 1], np.float32), (3, 1))

    seen = inside(classifier, "3", batch, weights, device="cpu", batch_size=2)

    with torch.no_grad():
        held = torch.from_numpy(seen.activations).double()
        rest = network_[3:].double()
        for place in range(5):
            up, down = held.clone(), held.clone()
            up[:, place] += 1e-4
            down[:, place] -= 1e-4
            slope = ((rest(up) - rest(down)) @ torch.tensor([-1.0, 1.0]).double()) / 2e-4
            assert seen.gradients[:, place] == pytest.approx(slope.numpy(), abs=1e-5)


def test_network_without_a_middle_is_not_assessed() -> None:
    data = replace(pictures(), images=pictures().images[..., :1])

    answer = asked(data, Torch(nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), (4, 4, 1)))

    assert answer.verdict == "not_assessed"
    assert "1 layer with weights" in (answer.reason or "")


def test_classifier_that_gives_no_layers_is_not_assessed() -> None:
    answer = asked(pictures(), BlackBox(by_channels(1.0, 2.0)))

    assert answer.verdict == "not_assessed"
    assert "no layers" in (answer.reason or "")


def test_constant_attribute_and_empty_cell_are_not_assessed() -> None:
    data = pictures()
    constant = replace(data, attributes={"tone": (np.zeros(len(data), np.int32), ("dark", "light"))})
    tied = replace(data, attributes={"tone": (np.where(np.asarray(data.unit) == 0, 1, 0).astype(np.int32), ("a", "b"))})

    assert asked(constant, by_channels(1.0, 2.0)).verdict == "not_assessed"
    assert asked(tied, by_channels(1.0, 2.0)).verdict == "not_assessed"


def test_three_groups_and_three_classes_are_each_asked_about() -> None:
    data = replace(pictures(groups=("a", "b", "c")), classes=("x", "y", "z"))
    data = replace(data, images=np.tile(data.images, (1, 4, 4, 2))[..., :3])

    answer = asked(data, Torch(_deep(3), (SIDE, SIDE, 3), ("x", "y", "z")))

    assert answer.verdict == "inconclusive"
    assert (answer.detail or {})["from"] == "all others"


def _deep(classes: int) -> nn.Module:
    return nn.Sequential(*list(convnet(8))[:-2], nn.Conv2d(16, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(32, classes))


def test_welch_agrees_with_a_hand_count() -> None:
    """Means 2 and 5, variances 1 and 1, three each: t = -3.674, df = 4, p = .0213."""
    assert welch(np.array([1.0, 2, 3]), np.array([4.0, 5, 6])) == pytest.approx(0.0213, abs=1e-4)
    assert welch(np.ones(3), np.ones(3)) == 1
    assert welch(np.ones(3), np.zeros(3)) == 0


def test_planted_background_is_supported() -> None:
    answer = asked(audit_set("background"), network("background", 0.95))

    assert answer.estimate == 1.0
    assert "supports" in (answer.reason or "")
    assert answer.direction == "warm → woman"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("cue", ["tone", "background"])
def test_planted_cues_agree_more_than_honest_ones(cue: str, seed: int) -> None:
    """METHODS section 6, column TCAV: 1.00 planted; honest networks lie in between."""
    data = audit_set(cue)  # type: ignore[arg-type]

    planted = asked(data, network(cue, 0.95, seed=seed))  # type: ignore[arg-type]
    honest = asked(data, network(cue, 0.5, seed=seed))  # type: ignore[arg-type]

    assert planted.estimate is not None
    assert honest.estimate is not None
    assert abs(planted.estimate - 0.5) > abs(honest.estimate - 0.5)


def test_group_that_is_the_class_is_not_assessed() -> None:
    """No class shows both groups, so that no vector can tell them apart given the class."""
    data = pictures()

    answer = asked(
        replace(data, attributes={"tone": (data.label, ("dark", "light"))}, pair=None), by_channels(1.0, 2.0)
    )

    assert answer.verdict == "not_assessed"
