"""ONNX files of other people: inputs and outputs of every usual form. Most are opened in this process, for speed."""

import numpy as np
import onnx
import pytest
from onnx import helper

from evenhand.classifiers.errors import CorruptModel, UnsupportedModel, WrongInput, WrongOutput
from evenhand.classifiers.loading import load_classifier
from evenhand.classifiers.runtimes.onnx_model import OnnxModel

from .build import FLOAT, INT64, graph, linear, written

WEIGHTS = np.array([[1, -1], [2, 0.5]], dtype=np.float32)
COLUMNS = {"a": np.array([1.0, 0.0, -3.0]), "b": np.array([0.5, 0.0, 2.0])}


def softmax(values):
    powers = np.exp(values - values.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def opened(model, **options):
    return OnnxModel(model.SerializeToString(), name="model.onnx", **({"features": ["a", "b"]} | options))


def expected():
    return softmax(np.stack(list(COLUMNS.values()), 1) @ WEIGHTS.astype(float))


@pytest.mark.parametrize(("last", "found"), [("Softmax", "probabilities"), (None, "logits")])
def test_probabilities_and_logits_are_told_apart(last, found):
    model = opened(linear(WEIGHTS, last=last))

    scores = model.score_columns(COLUMNS)

    assert model.outputs.scores == found
    assert np.allclose(scores, expected(), atol=1e-6)


@pytest.mark.parametrize("last", ["Sigmoid", None])
def test_a_single_score_is_of_the_second_class(last):
    model = opened(linear(WEIGHTS[:, :1], last=last), classes=["no", "yes"])

    scores = model.score_columns(COLUMNS)

    assert model.classes == ("no", "yes")
    assert np.allclose(scores[:, 1], 1 / (1 + np.exp(-(COLUMNS["a"] + 2 * COLUMNS["b"]))), atol=1e-6)
    assert np.allclose(scores.sum(1), 1)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_a_fixed_batch_is_filled_up(batch):
    model = opened(linear(WEIGHTS, last="Softmax", batch=batch))

    assert np.allclose(model.score_columns(COLUMNS), expected(), atol=1e-6)


def test_no_rows_have_no_scores():
    assert opened(linear(WEIGHTS)).score_columns({"a": np.zeros(0), "b": np.zeros(0)}).shape == (0, 2)


def averaging(shape, axes):
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["means"], axes=axes, keepdims=0),
        helper.make_node("Softmax", ["means"], ["out"]),
    ]
    return graph(nodes, [("x", FLOAT, shape)], [("out", FLOAT, ["n", 3])])


@pytest.mark.parametrize(
    ("shape", "axes", "layout"), [(["n", 3, 4, 5], [2, 3], "nchw"), (["n", 4, 5, 3], [1, 2], "nhwc")]
)
def test_pictures_go_in_with_channels_first_or_last(shape, axes, layout):
    images = np.random.default_rng(0).random((2, 4, 5, 3), dtype=np.float32)

    model = opened(averaging(shape, axes), features=None)

    assert model.inputs.layout == layout
    assert model.inputs.image_shape == (4, 5, 3)
    assert np.allclose(model.score_images(images), softmax(images.mean((1, 2)).astype(float)), atol=1e-6)


def test_pictures_of_open_size_need_the_size():
    model = averaging(["n", 3, "h", "w"], [2, 3])

    with pytest.raises(UnsupportedModel, match="the size of its pictures is open"):
        opened(model, features=None)

    assert opened(model, features=None, image_shape=(4, 5, 3)).inputs.image_shape == (4, 5, 3)


def test_one_tensor_of_numbers_needs_names():
    with pytest.raises(UnsupportedModel, match=r"takes 2 numbers a row without names. Name the columns in order"):
        opened(linear(WEIGHTS), features=None)


def test_too_few_features_are_refused():
    with pytest.raises(WrongInput, match=r"expected 2 features for model.onnx, got 1"):
        opened(linear(WEIGHTS), features=["a"])


def named(type_name="strings"):
    nodes = [
        helper.make_node("Cast", ["whole"], ["cast"], to=FLOAT),
        helper.make_node("Concat", ["part", "cast"], ["x"], axis=1),
        helper.make_node("MatMul", ["x", "w"], ["raw"]),
        helper.make_node("Softmax", ["raw"], ["scores"]),
        helper.make_node(
            "ZipMap", ["scores"], ["out"], domain="ai.onnx.ml", **{f"classlabels_{type_name}": LABELS[type_name]}
        ),
    ]
    model = graph(nodes, [("part", FLOAT, ["n", 1]), ("whole", INT64, ["n", 1])], [], {"w": WEIGHTS})
    kind = onnx.TensorProto.STRING if type_name == "strings" else INT64
    value = helper.make_tensor_type_proto(FLOAT, [])
    out = helper.make_value_info("out", helper.make_sequence_type_proto(helper.make_map_type_proto(kind, value)))
    model.graph.output.append(out)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 1))
    return model


LABELS = {"strings": ["yes", "no"], "int64s": [10, 9]}


@pytest.mark.parametrize(("type_name", "classes"), [("strings", ("no", "yes")), ("int64s", ("10", "9"))])
def test_named_probabilities_are_put_in_the_order_of_sorted_labels(type_name, classes):
    columns = {"part": COLUMNS["a"], "whole": np.array([1.0, 2.0, 3.0])}
    in_model_order = softmax(np.stack(list(columns.values()), 1) @ WEIGHTS.astype(float))

    model = opened(named(type_name), features=None)
    scores = model.score_columns(columns)

    places = [[str(label) for label in LABELS[type_name]].index(label) for label in classes]
    assert model.classes == classes
    assert np.allclose(scores, in_model_order[:, places], atol=1e-6)


def test_a_missing_value_in_a_column_of_whole_numbers_is_refused():
    model = opened(named(), features=["part", "whole"])

    with pytest.raises(WrongInput, match="whole numbers in column 'whole', got fractions or missing values"):
        model.score_columns({"part": np.zeros(1), "whole": np.array([np.nan])})


def test_a_column_that_the_model_wants_and_features_lack_is_named():
    with pytest.raises(
        WrongInput, match=r"expected a column for input 'whole' of model.onnx, got the columns part, age"
    ):
        opened(named(), features=["part", "age"])


def test_labels_alone_score_one_for_the_label():
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["s"]),
        helper.make_node("ArgMax", ["s"], ["out"], axis=1, keepdims=0),
    ]
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("out", INT64, ["n"])], {"w": WEIGHTS})

    scores = opened(model, classes=["0", "1"]).score_columns(COLUMNS)

    assert scores.tolist() == np.eye(2)[expected().argmax(1)].tolist()


def test_codes_that_are_no_label_texts_are_places_of_classes():
    nodes = [helper.make_node("ArgMax", ["x"], ["out"], axis=1, keepdims=0)]
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("out", INT64, ["n"])])

    scores = opened(model, classes=["no", "yes"]).score_columns({"a": np.array([0.0, 1]), "b": np.array([1.0, 0])})

    assert scores.tolist() == [[0, 1], [1, 0]]


def test_labels_without_classes_are_refused():
    nodes = [helper.make_node("ArgMax", ["x"], ["out"], axis=1, keepdims=0)]

    with pytest.raises(UnsupportedModel, match="does not tell its classes"):
        opened(graph(nodes, [("x", FLOAT, ["n", 2])], [("out", INT64, ["n"])]))


def test_a_wrong_number_of_classes_is_refused():
    with pytest.raises(WrongInput, match=r"expected 2 classes for model.onnx, got a, b, c"):
        opened(linear(WEIGHTS), classes=["a", "b", "c"])


def test_twelve_number_labels_are_placed_by_number_and_reported_by_text():
    weights = np.zeros((2, 12), dtype=np.float32)
    weights[0, 2] = 9
    labels = sorted(str(place) for place in range(12))

    model = opened(linear(weights), classes=labels)
    scores = model.score_columns({"a": np.ones(1), "b": np.zeros(1)})

    assert model.classes == tuple(labels)
    assert model.classes[scores[0].argmax()] == "2"


def test_several_possible_outputs_are_named():
    nodes = [helper.make_node("Softmax", ["x"], ["p"]), helper.make_node("Identity", ["x"], ["q"])]
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("p", FLOAT, ["n", 2]), ("q", FLOAT, ["n", 2])])

    with pytest.raises(UnsupportedModel, match="several outputs could be the scores: p, q"):
        opened(model)
    assert opened(model, output="p").outputs.output == "p"


def test_scores_that_are_not_numbers_are_refused():
    nodes = [helper.make_node("Sqrt", ["x"], ["s"]), helper.make_node("Softmax", ["s"], ["out"])]
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])

    with pytest.raises(WrongOutput, match="not numbers"):
        opened(model).score_columns({"a": np.array([-1.0]), "b": np.array([1.0])})


def test_an_unknown_operator_is_refused():
    model = graph([helper.make_node("Conjure", ["x"], ["out"])], [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])

    with pytest.raises((UnsupportedModel, CorruptModel), match="Conjure"):
        opened(model)


def test_a_confined_model_scores_as_in_this_process(tmp_path):
    path = written(linear(WEIGHTS, last="Softmax"), tmp_path / "model.bin")

    with load_classifier(path, features=["a", "b"], classes=["no", "yes"]) as loaded:
        scores = loaded.classifier.predict_proba(COLUMNS | {"unused": np.zeros(3)})

        assert np.allclose(scores, expected(), atol=1e-6)
        assert loaded.card.classes == ("no", "yes")
        assert loaded.card.bytes == path.stat().st_size
        with pytest.raises(WrongInput, match="numbers in column 'a', got text"):
            loaded.classifier.predict_proba({"a": np.array(["x"], dtype=object), "b": np.zeros(1)})
