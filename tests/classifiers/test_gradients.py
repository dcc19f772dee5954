"""Gradients of ONNX models of pictures: over the pipe from the confined child, in every form of input and output."""

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from evenhand.classifiers.confine.message import Message
from evenhand.classifiers.errors import WrongInput, WrongOutput
from evenhand.classifiers.export import export_onnx
from evenhand.classifiers.loading import load_classifier
from evenhand.classifiers.runtimes.confined_gradients import DifferentiableImages
from evenhand.classifiers.runtimes.interpreter.check import ROWS, checked_gradients, made_up
from evenhand.classifiers.runtimes.onnx_model import OnnxModel

from .build import FLOAT, INT64, graph, written

SHAPE = (4, 5, 3)
WEIGHTS = np.random.default_rng(1).normal(size=(60, 3)).astype(np.float32)


def of_pictures(*nodes, shape=("n", 3, 4, 5), outputs=(("out", FLOAT, ["n", 3]),), weights=WEIGHTS) -> onnx.ModelProto:
    """Pictures, flattened and times weights: `raw`, then these nodes."""
    first = [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["raw"])]
    model = graph([*first, *nodes], [("x", FLOAT, list(shape))], list(outputs), {"w": weights})
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    return model


def opened(model: onnx.ModelProto, **options):
    data = model.SerializeToString()
    model = OnnxModel(data, name="net.onnx", **options)
    return checked_gradients(data, model), model


def softmax(logits) -> np.ndarray:
    return torch.softmax(torch.as_tensor(logits).double(), 1).numpy()


# --- over the pipe ---


@pytest.fixture(scope="module")
def confined(convnet, tmp_path_factory):
    path = tmp_path_factory.mktemp("gradients") / "net.onnx"
    export_onnx(convnet, path)
    with load_classifier(path) as loaded:
        yield loaded


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.manual_seed(seed)).requires_grad_()


def gradient(classifier, batch: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(classifier.logits(batch)[:, 1].sum(), batch)[0]


def test_gradients_from_the_child_are_those_of_the_network_it_was_exported_from(confined, convnet):
    batch = pictures(5)

    ours, torchs = gradient(confined.classifier, batch), gradient(convnet.classifier, batch)

    assert torchs.abs().max() > 1e-4
    assert (ours - torchs).abs().max() <= 1e-6
    assert (confined.classifier.logits(batch) - convnet.classifier.logits(batch)).abs().max() <= 1e-5


def test_softmax_of_the_logits_is_what_the_deployed_model_says(confined):
    batch = pictures(5)

    scores = confined.classifier.predict_proba(batch.detach().numpy().transpose(0, 2, 3, 1))

    assert np.abs(softmax(confined.classifier.logits(batch).detach()) - scores).max() <= 1e-6


def test_way_back_of_an_earlier_batch_is_found_again(confined, convnet):
    first, second = pictures(2, seed=1), pictures(3, seed=2)
    logits = [confined.classifier.logits(batch)[:, 1].sum() for batch in (first, second)]

    ours = torch.autograd.grad(logits[0] + logits[1], [first, second])

    for found, batch in zip(ours, (first, second), strict=True):
        assert (found - gradient(convnet.classifier, batch)).abs().max() <= 1e-6


def test_batches_that_are_too_large_to_keep_travel_in_parts(confined, convnet, monkeypatch):
    monkeypatch.setattr("evenhand.classifiers.runtimes.confined_gradients.VALUES_AT_ONCE", 2 * 32 * 32 * 3)
    batch = pictures(5)

    assert (gradient(confined.classifier, batch) - gradient(convnet.classifier, batch)).abs().max() <= 1e-6


def test_card_says_how_far_interpreter_and_onnxruntime_are_apart(confined):
    assert confined.card.gradients
    assert confined.card.no_gradients is None
    assert confined.card.compared == ROWS
    assert confined.card.difference <= 1e-6
    assert (confined.card.layout, confined.card.output) == ("nchw", "probabilities")


def test_pictures_of_another_size_are_refused(confined):
    with pytest.raises(WrongInput, match="height 32, width 32, 3 channels"):
        confined.classifier.logits(torch.rand(1, 3, 8, 8))


def test_no_pictures_have_no_logits(confined):
    assert confined.classifier.logits(torch.zeros(0, 3, 32, 32)).shape == (0, 2)


class Liar:
    """A child that answers with what it was told to."""

    name = "liar.onnx"

    def __init__(self, **arrays: np.ndarray) -> None:
        self.arrays = arrays

    def ask(self, request: Message) -> Message:
        return Message({}, self.arrays)


@pytest.mark.parametrize(
    "logits",
    [
        np.zeros((1, 2), np.float32),
        np.zeros((2, 3), np.float32),
        np.zeros((2, 2)),
        np.full((2, 2), np.nan, np.float32),
    ],
    ids=["rows", "classes", "type", "not numbers"],
)
def test_what_a_child_answers_is_checked(logits, confined):
    classifier = DifferentiableImages.__new__(DifferentiableImages)
    classifier.process, classifier.classes, classifier.image_shape = Liar(logits=logits), ("a", "b"), (32, 32, 3)

    with pytest.raises(WrongOutput, match=r"expected logits of shape \(2, 2\)"):
        classifier.logits(pictures(2))


def test_a_gradient_of_the_wrong_shape_is_refused():
    classifier = DifferentiableImages.__new__(DifferentiableImages)
    lies = Liar(logits=np.zeros((2, 2), np.float32), gradient=np.zeros((2, 3, 32, 32), np.float32))
    classifier.process, classifier.classes, classifier.image_shape = lies, ("a", "b"), (32, 32, 3)

    with pytest.raises(WrongOutput, match="expected gradient of shape"):
        gradient(classifier, pictures(2))


# --- forms of input and output, in this process ---

SIGMOID_OF_ONE = {"outputs": (("out", FLOAT, ["n", 1]),), "weights": WEIGHTS[:, :1]}
FORMS = {
    "logits": ([helper.make_node("Identity", ["raw"], ["out"])], {}),
    "softmax": ([helper.make_node("Softmax", ["raw"], ["out"])], {}),
    "logarithm of softmax": ([helper.make_node("LogSoftmax", ["raw"], ["out"])], {}),
    "softmax, then a cast": (
        [helper.make_node("Softmax", ["raw"], ["p"]), helper.make_node("Cast", ["p"], ["out"], to=FLOAT)],
        {},
    ),
    "softmax by hand": (
        [
            helper.make_node("Exp", ["raw"], ["e"]),
            helper.make_node("ReduceSum", ["e"], ["s"]),
            helper.make_node("ReduceL1", ["e"], ["total"], axes=[1]),
            helper.make_node("Div", ["e", "total"], ["out"]),
        ],
        {},
    ),
    "sigmoids": ([helper.make_node("Sigmoid", ["raw"], ["out"])], {}),
    "one sigmoid": ([helper.make_node("Sigmoid", ["raw"], ["out"])], SIGMOID_OF_ONE),
    "one logit": ([helper.make_node("Identity", ["raw"], ["out"])], SIGMOID_OF_ONE),
    "one at a time": ([helper.make_node("Softmax", ["raw"], ["out"])], {"shape": (1, 3, 4, 5)}),
    "seven at a time": ([helper.make_node("Softmax", ["raw"], ["out"])], {"shape": (7, 3, 4, 5)}),
    "channels last": ([helper.make_node("Softmax", ["raw"], ["out"])], {"shape": ("n", 4, 5, 3)}),
}


@pytest.mark.parametrize("form", FORMS)
def test_logits_are_found_in_every_form_of_model(form):
    nodes, options = FORMS[form]

    found, model = opened(of_pictures(*nodes, **options))

    assert found.reason is None
    assert found.difference <= 1e-6
    images = made_up(SHAPE)[:10]
    logits = found.gradients.answer(images, ticket=3)
    assert np.abs(softmax(logits) - model.score_images(images)).max() <= 1e-6
    way = found.gradients.pull(np.eye(logits.shape[1], dtype=np.float32)[np.ones(10, int)], ticket=3, images=None)
    assert way.shape == images.shape
    assert (np.abs(way).reshape(10, -1).max(axis=1) > 1e-3).all()


def test_a_sure_model_keeps_its_gradient():
    """Behind the softmax a probability of exactly 1 would have none."""
    found, model = opened(of_pictures(helper.make_node("Softmax", ["raw"], ["out"]), weights=WEIGHTS * 1000))
    images = made_up(SHAPE)[:10]
    logits = found.gradients.answer(images, ticket=1)

    way = found.gradients.pull(np.eye(3, dtype=np.float32)[logits.argmax(1)], ticket=1, images=None)

    assert (model.score_images(images).max(axis=1) == 1).mean() > 0.5
    assert (np.abs(way).reshape(10, -1).max(axis=1) > 1).all()


def test_logits_stand_in_the_order_of_the_sorted_classes():
    """Twelve classes called by number: "10" stands before "2"."""
    weights = np.random.default_rng(2).normal(size=(60, 12)).astype(np.float32)
    labels = sorted(str(place) for place in range(12))

    found, model = opened(
        of_pictures(
            helper.make_node("Softmax", ["raw"], ["out"]), outputs=(("out", FLOAT, ["n", 12]),), weights=weights
        ),
        classes=labels,
    )

    images = made_up(SHAPE)[:4]
    assert model.order != list(range(12))
    assert np.abs(softmax(found.gradients.answer(images, ticket=None)) - model.score_images(images)).max() <= 1e-6


# --- no gradients, and why ---


def a_tree() -> onnx.NodeProto:
    """One split on the first number: class 0 up to .5, else class 2."""
    return helper.make_node(
        "TreeEnsembleClassifier",
        ["flat"],
        ["label", "out"],
        domain="ai.onnx.ml",
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[0, 0, 0],
        nodes_hitrates=[1.0, 1.0, 1.0],
        class_treeids=[0, 0],
        class_nodeids=[1, 2],
        class_ids=[0, 2],
        class_weights=[1.0, 1.0],
        classlabels_int64s=[0, 1, 2],
        post_transform="NONE",
    )


def test_trees_score_and_have_no_gradients_and_the_card_names_them(tmp_path):
    path = written(of_pictures(a_tree()), tmp_path / "tree.onnx")
    images = np.zeros((2, *SHAPE), dtype=np.float32)
    images[1] = 1

    with load_classifier(path) as loaded:
        assert loaded.classifier.predict_proba(images).tolist() == [[1, 0, 0], [0, 0, 1]]
        assert not hasattr(loaded.classifier, "logits")
        assert not loaded.card.gradients
        assert loaded.card.no_gradients == (
            "evenhand's interpreter of ONNX does not know operator ai.onnx.ml.TreeEnsembleClassifier "
            "(trees are steps, without gradients)"
        )


def test_labels_alone_have_no_gradients():
    nodes = [helper.make_node("ArgMax", ["raw"], ["out"], axis=1, keepdims=0)]

    found, _ = opened(of_pictures(*nodes, outputs=(("out", INT64, ["n"]),)), classes=["0", "1", "2"])

    assert found.gradients is None
    assert "answers labels alone" in found.reason


def test_an_interpreter_that_disagrees_with_onnxruntime_gives_no_gradients():
    """Here by holding a file of slightly other weights against the one that onnxruntime runs."""
    nodes = [helper.make_node("Softmax", ["raw"], ["out"])]
    other = of_pictures(*nodes, weights=WEIGHTS + np.float32(0.01) * np.sign(WEIGHTS))
    model = OnnxModel(of_pictures(*nodes).SerializeToString(), name="net.onnx")

    found = checked_gradients(other.SerializeToString(), model)

    assert found.gradients is None
    assert found.difference > 1e-3
    assert found.rows == ROWS
    assert found.reason == (
        f"evenhand's interpreter of ONNX differs from onnxruntime by {found.difference:.2g} in a probability; "
        "0.0001 is allowed"
    )


def test_made_up_pictures_are_the_same_every_time_and_of_every_brightness():
    images = made_up((8, 8, 1))

    assert images.shape == (64, 8, 8, 1)
    assert np.array_equal(images, made_up((8, 8, 1)))
    assert images.min() == 0
    assert images.max() == 1
    assert images.mean(axis=(1, 2, 3)).std() > 0.2


# --- the middle layer ---


def test_middle_layer_of_an_exported_network_is_that_of_the_network(confined, convnet):
    """Of the four layers with weights the third convolution's input, and there the gradient that torch gives."""
    images = np.random.default_rng(4).random((6, 32, 32, 3), dtype=np.float32)
    weights = np.tile(np.array([-1, 1], np.float32), (6, 1))
    features = convnet.classifier.module.features

    held, slopes = confined.classifier.at_middle_layer(images, weights)

    expected = features[:6](torch.from_numpy(images).permute(0, 3, 1, 2)).detach().requires_grad_()
    logits = convnet.classifier.module.head(features[6:](expected).flatten(1))
    (gradient_there,) = torch.autograd.grad(logits[:, 1].sum() - logits[:, 0].sum(), expected)
    assert confined.classifier.middle_layer
    assert held == pytest.approx(expected.detach().numpy(), abs=1e-5)
    assert slopes == pytest.approx(gradient_there.numpy(), abs=1e-5)


def test_graph_of_one_layer_has_no_middle():
    found, _ = opened(of_pictures(helper.make_node("Identity", ["raw"], ["out"])))

    assert found.gradients.middle_layer is None


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"activations": np.zeros((2, 3), np.float32), "slopes": np.zeros((2, 4), np.float32)},
        {"activations": np.zeros((1, 3), np.float32), "slopes": np.zeros((1, 3), np.float32)},
        {"activations": np.full((2, 3), np.nan, np.float32), "slopes": np.zeros((2, 3), np.float32)},
    ],
)
def test_what_a_child_says_of_its_middle_layer_is_checked(answer, confined):
    spoilt = DifferentiableImages.__new__(DifferentiableImages)
    spoilt.process, spoilt.image_shape, spoilt.classes = Liar(**answer), SHAPE, ("a", "b")

    with pytest.raises(WrongOutput):
        spoilt.at_middle_layer(np.zeros((2, *SHAPE), np.float32), np.zeros((2, 2), np.float32))


# --- the last layer, and kernels ---


def test_what_the_last_layer_of_an_exported_network_reads_is_what_that_of_the_network_reads(confined, convnet):
    batch = pictures(5)

    read = confined.classifier.at_last_layer(batch)

    features = convnet.classifier.module.features
    expected = features(batch).flatten(1)
    assert confined.classifier.last_layer
    assert read.detach().numpy() == pytest.approx(expected.detach().numpy(), abs=1e-5)


def test_gradients_reach_from_the_last_layer_to_the_pictures_though_others_were_asked_between(confined, convnet):
    batch = pictures(3)
    read = confined.classifier.at_last_layer(batch)
    confined.classifier.at_last_layer(pictures(2, seed=1))
    confined.classifier.logits(pictures(2, seed=1))

    (ours,) = torch.autograd.grad(read.square().sum(), batch)

    (torchs,) = torch.autograd.grad(convnet.classifier.module.features(batch).square().sum(), batch)
    assert torchs.abs().max() > 1e-4
    assert (ours - torchs).abs().max() <= 1e-4 * torchs.abs().max()


def test_kernels_of_an_exported_network_are_those_of_the_network(confined, convnet):
    told = confined.classifier.kernels()

    layers = [part for part in convnet.classifier.module.modules() if isinstance(part, torch.nn.Conv2d)]
    assert [name for name, _ in told] == ["0.features.0", "0.features.3", "0.features.6"]
    for (_, weights), layer in zip(told, layers, strict=True):
        assert (weights == layer.weight.detach().numpy()).all()


def test_linear_graph_has_a_last_layer_that_reads_the_pictures_and_no_kernels():
    found, _ = opened(of_pictures(helper.make_node("Identity", ["raw"], ["out"])), image_shape=SHAPE)
    images = made_up(SHAPE)[:3]

    read = found.gradients.answer(images, ticket=None, read="features")

    assert (read == images.transpose(0, 3, 1, 2).reshape(3, -1)).all()
    assert found.gradients.kernels == []


@pytest.mark.parametrize(
    ("head", "arrays"),
    [
        ({}, {}),
        ({"names": ["a", "b"]}, {"0": np.zeros((1, 1, 1, 1), np.float32)}),
        ({"names": ["a"]}, {"0": np.zeros((1, 1), np.float32)}),
        ({"names": ["a"]}, {"0": np.full((1, 1, 1, 1), np.nan, np.float32)}),
    ],
)
def test_what_a_child_says_of_its_kernels_is_checked(head, arrays, confined):
    class Spoilt:
        name = "net.onnx"

        def ask(self, request: Message) -> Message:
            return Message(head, arrays)

    spoilt = DifferentiableImages.__new__(DifferentiableImages)
    spoilt.process = Spoilt()

    with pytest.raises(WrongOutput):
        spoilt.kernels()
