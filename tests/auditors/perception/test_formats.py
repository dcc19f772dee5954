"""One network saved in two formats shows the same: filters, leakage, and examples planted behind its last layer."""

from collections.abc import Iterator

import numpy as np
import pytest

from evenhand.auditors.perception.audit import audit_perception
from evenhand.auditors.perception.panels import cannot_show, panels
from evenhand.auditors.perception.panels.inside import features_of, kernels_of
from evenhand.auditors.protocols import ImageClassifier, silent
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness import planted
from evenhand.auditors.robustness.ball import BALLS
from evenhand.auditors.robustness.data import unit_interval
from evenhand.classifiers.loading import load_classifier
from evenhand.classifiers.saving import save
from evenhand.classifiers.training import train_images
from tests.auditors.perception.test_panels import context_of, people


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ImageClassifier]]:
    """A `convnet4` of two epochs, read from safetensors, and confined from ONNX."""
    data, folder = people(), tmp_path_factory.mktemp("formats")
    trained = train_images("convnet4", data.images, data.label, classes=data.classes, seed=0, device="cpu", epochs=2)
    for ending in ("safetensors", "onnx"):
        save(trained, folder / f"net.{ending}")
    with load_classifier(folder / "net.safetensors") as own, load_classifier(folder / "net.onnx") as exported:
        yield {"safetensors": own.classifier, "onnx": exported.classifier}  # type: ignore[dict-item]


@pytest.fixture(scope="module")
def shown(both: dict[str, ImageClassifier]) -> dict[str, list[Panel]]:
    return {ending: panels(context_of(people(), classifier), silent) for ending, classifier in both.items()}


def test_kernels_are_the_same_bit_by_bit(both: dict[str, ImageClassifier]) -> None:
    own, exported = kernels_of(both["safetensors"]), kernels_of(both["onnx"])

    assert len(own) == len(exported) == 3
    for one, other in zip(own, exported, strict=True):
        assert np.array_equal(one.weights, other.weights)


def test_features_are_the_same_up_to_rounding(both: dict[str, ImageClassifier]) -> None:
    pictures = unit_interval(people().images[:40])

    own, exported = (features_of(one, pictures, batch_size=16, device="cpu") for one in both.values())

    assert own is not None
    assert exported is not None
    assert exported.shape == own.shape
    assert exported == pytest.approx(own, abs=1e-5)


def test_nothing_is_missing_from_either(both: dict[str, ImageClassifier], shown: dict[str, list[Panel]]) -> None:
    assert [panel.name for panel in shown["onnx"]] == [panel.name for panel in shown["safetensors"]]
    assert cannot_show(context_of(people(), both["onnx"])) == []


@pytest.mark.parametrize("name", ["kernel_filters", "attribute_leakage", "scrambled_pictures", "saliency", "occlusion"])
def test_panels_show_the_same_of_the_network(name: str, shown: dict[str, list[Panel]]) -> None:
    """Of ONNX the network with random weights beside it is another: how the layers were put together is not known."""
    own, exported = (
        [
            [value for value in row.values() if isinstance(value, int | float)]
            for row in panel.table
            if "random weights" not in str(row)
        ]
        for ending in ("safetensors", "onnx")
        for panel in shown[ending]
        if panel.name == name
    )

    assert own
    assert len(exported) == len(own)
    for one, other in zip(own, exported, strict=True):
        assert other == pytest.approx(one, abs=2e-3)


def test_filters_are_drawn_alike(shown: dict[str, list[Panel]]) -> None:
    own, exported = (
        [image["src"] for image in panel.images][:3]
        for ending in ("safetensors", "onnx")
        for panel in shown[ending]
        if panel.name == "kernel_filters"
    )

    assert exported == own


def test_planted_examples_are_found_behind_the_last_layer_of_either(both: dict[str, ImageClassifier]) -> None:
    clean, ids = unit_interval(people().images[:6]), np.arange(6)

    missed = []
    for classifier in both.values():
        layer = planted.last_layer(classifier)
        assert layer is not None
        missed.append(
            planted.missed(layer, clean, ids, ball_of=BALLS["linf"], eps=8 / 255, steps=20, seed=0, device="cpu")
        )

    assert missed[0] is not None
    assert missed[1] == missed[0]


@pytest.mark.slow
def test_checks_answer_alike(both: dict[str, ImageClassifier]) -> None:
    own, exported = (
        audit_perception(people(), classifier, attributes=["tone"], seed=1)[0].checks for classifier in both.values()
    )

    for one, other in zip(own, exported, strict=True):
        assert (other.name, other.verdict, other.direction) == (one.name, one.verdict, one.direction)
        assert (other.effect is None) == (one.effect is None)
        if one.effect is not None:
            assert other.effect == pytest.approx(one.effect, abs=1e-3)
