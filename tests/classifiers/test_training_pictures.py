"""Learning from pictures."""

import numpy as np
import pytest
import torch

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.architectures.registry import build
from evenhand.classifiers.errors import TrainingFailed, WrongInput
from evenhand.classifiers.training import train_images

from .build import pictures


def weights(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_convnet4_has_26402_weights_at_32_by_32_colours_and_two_classes():
    """The number that METHODS states: 1,216 + 4,640 + 18,496 + 2,050."""
    described = Description(kind="convnet4", classes=("a", "b"), image_shape=(32, 32, 3))

    assert weights(build(described)) == 26402


def test_convnet4_pools_8_by_8_pictures_once():
    described = Description(kind="convnet4", classes=tuple("0123456789"), image_shape=(8, 8, 1))

    module = build(described)

    assert sum(isinstance(layer, torch.nn.MaxPool2d) for layer in module.features) == 1
    assert module(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_convnet4_reads_digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images * 255 / 16).round().astype(np.uint8)[..., None]
    chance = np.random.default_rng(0).permutation(len(images))
    train, test = chance[:1300], chance[1300:]

    trained = train_images("convnet4", images[train], digits.target[train], seed=0, device="cpu", epochs=10)
    scores = trained.classifier.predict_proba(images[test].astype(np.float32) / 255)

    assert (scores.argmax(1) == digits.target[test]).mean() >= 0.95


@pytest.mark.parametrize("kind", ["neuron", "mlp"])
def test_networks_without_convolutions_see_colour(kind):
    images, label = pictures(count=100, seed=0)

    trained = train_images(kind, images, label, seed=0, device="cpu", epochs=10)
    scores = trained.classifier.predict_proba(images.astype(np.float32) / 255)

    assert trained.classifier.classes == ("plain", "red")
    assert ((scores[:, 1] > 0.5) == (label == "red")).mean() > 0.95


def test_same_seed_gives_the_same_network(convnet):
    images, label = pictures(count=60, seed=0)

    again = train_images("convnet4", images, label, seed=0, device="cpu", epochs=2)

    assert np.array_equal(
        again.classifier.predict_proba(convnet.sample), convnet.classifier.predict_proba(convnet.sample)
    )


def test_logits_are_those_of_the_scores_and_have_gradients(convnet):
    batch = torch.from_numpy(convnet.sample.transpose(0, 3, 1, 2).copy()).requires_grad_()

    logits = convnet.classifier.logits(batch)
    logits.sum().backward()

    assert np.allclose(torch.softmax(logits, 1).detach(), convnet.classifier.predict_proba(convnet.sample), atol=1e-6)
    assert batch.grad.abs().sum() > 0


def test_record_says_how_pictures_were_changed(convnet):
    assert convnet.record.settings["flip"] is True
    assert convnet.record.settings["shift"] == 3


def test_shifted_pictures_keep_their_shape_and_move_by_at_most_the_shift():
    from evenhand.classifiers.training.augment import FlipAndShift

    dot = torch.zeros(50, 1, 9, 9)
    dot[:, :, 4, 4] = 1

    moved = FlipAndShift(flip=True, shift=2)(dot, np.random.default_rng(0))

    assert moved.shape == dot.shape
    assert torch.equal(moved.sum(dim=(1, 2, 3)), torch.ones(50))
    assert moved[:, :, 2:7, 2:7].sum() == 50


def test_a_picture_of_the_wrong_size_is_refused_with_both_sizes(convnet):
    with pytest.raises(
        WrongInput, match="expected pictures of height 32, width 32, 3 channels, got height 8, width 8, 1"
    ):
        convnet.classifier.predict_proba(np.zeros((1, 8, 8, 1), dtype=np.float32))


def test_bytes_instead_of_fractions_are_refused(convnet):
    with pytest.raises(WrongInput, match="fractions from 0 to 1, got values of type uint8"):
        convnet.classifier.predict_proba(np.zeros((1, 32, 32, 3), dtype=np.uint8))


def test_fractions_cannot_be_trained_on():
    with pytest.raises(TrainingFailed, match="Pass bytes of shape"):
        train_images("mlp", np.zeros((4, 8, 8, 1)), np.array([0, 1, 0, 1]), seed=0)
