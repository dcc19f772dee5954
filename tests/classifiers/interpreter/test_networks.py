"""Whole networks: the interpreter against onnxruntime in value, and against torch in gradient."""

import io
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler
from torch import nn

from evenhand.classifiers.architectures.description import Description
from evenhand.classifiers.architectures.registry import build
from evenhand.classifiers.runtimes.interpreter.call import NotInterpretable
from evenhand.classifiers.runtimes.interpreter.graph import Graph
from tests.classifiers.build import FLOAT, graph, linear
from tests.classifiers.hostile.make import an_endless_loop

torch.set_num_threads(1)
VALUES_AGREE, GRADIENTS_AGREE = 1e-6, 1e-6


class Residual(nn.Module):
    """Depthwise convolutions, SiLU, squeeze and excitation, a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.deep = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.SiLU(), nn.Conv2d(8, 8, 1), nn.Hardswish()
        )
        self.squeeze = nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU6(), nn.Conv2d(4, 8, 1), nn.Sigmoid())
        self.head = nn.Linear(8, 4)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        values = self.norm(self.stem(pictures))
        deeper = self.deep(values)
        values = values + deeper * self.squeeze(deeper.mean((2, 3), keepdim=True))
        return self.head(nn.functional.avg_pool2d(values, 2).mean((2, 3)))


class Patches(nn.Module):
    """Patches, attention, GELU and layer normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.patch, self.norm = nn.Conv2d(3, 16, 4, stride=4), nn.LayerNorm(16)
        self.all, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.block = nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.head = nn.Linear(16, 4)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        tokens = self.patch(pictures).flatten(2).transpose(1, 2)
        query, key, value = self.all(self.norm(tokens)).chunk(3, dim=-1)
        weights = torch.softmax(query @ key.transpose(1, 2) / 4, dim=-1)
        tokens = tokens + self.out(weights @ value)
        return self.head((tokens + self.block(tokens)).mean(1))


def upsampling() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, stride=2, padding=1),
        nn.GroupNorm(2, 6),
        nn.Tanh(),
        nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.PReLU(4),
        nn.InstanceNorm2d(4, affine=True),
        nn.AvgPool2d(3, 2, padding=1),
        nn.Flatten(),
        nn.Linear(4 * 16 * 16, 4),
        nn.LogSoftmax(1),
    )


def registered(kind: str, **more) -> nn.Module:
    return build(Description(kind=kind, classes=("a", "b", "c", "d"), image_shape=(16, 16, 3), **more))


NETWORKS = {
    "convnet4": lambda: registered("convnet4"),
    "resnet_small": lambda: registered("resnet_small"),
    "mlp": lambda: registered("mlp", hidden=(16, 8)),
    "residual, depthwise, SiLU": Residual,
    "attention, GELU, LayerNorm": Patches,
    "ConvTranspose": upsampling,
}


def exported(module: nn.Module, *, opset: int) -> onnx.ModelProto:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (torch.zeros(2, 3, 16, 16),),
            buffer,
            dynamo=False,
            opset_version=opset,
            input_names=["x"],
            output_names=["out"],
            dynamic_axes={"x": {0: "n"}, "out": {0: "n"}},
        )
    return onnx.load_model_from_string(buffer.getvalue())


@pytest.mark.parametrize("opset", [13, 17, 20])
@pytest.mark.parametrize("name", NETWORKS)
def test_network_has_onnxruntimes_values_and_torchs_gradients(name, opset):
    torch.manual_seed(3)
    module = NETWORKS[name]()
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    module = module.eval()
    model = exported(module, opset=opset)
    ours, theirs = (torch.rand(8, 3, 16, 16, generator=torch.manual_seed(5)).requires_grad_() for _ in range(2))

    answer = Graph(model, output="out").run({"x": ours})
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": ours.detach().numpy()})[0]
    weights = torch.rand(answer.shape)
    gradient = torch.autograd.grad((answer * weights).sum(), ours)[0]
    torch_gradient = torch.autograd.grad((module(theirs) * weights).sum(), theirs)[0]

    assert np.abs(answer.detach().numpy() - expected).max() <= VALUES_AGREE * max(1, np.abs(expected).max())
    assert (gradient - torch_gradient).abs().max() <= GRADIENTS_AGREE * max(1, torch_gradient.abs().max())
    assert torch_gradient.abs().max() > 1e-4


# --- scikit-learn ---


def learned(estimator, classes: int = 2):
    chance = np.random.default_rng(4)
    rows = chance.normal(size=(120, 4)).astype(np.float32)
    label = (rows @ chance.normal(size=(4, classes))).argmax(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(rows, label), rows


PIPELINES = {
    "logistic regression": (lambda: LogisticRegression(), 2),
    "logistic regression of three classes": (lambda: LogisticRegression(), 3),
    "scaled logistic regression": (lambda: make_pipeline(StandardScaler(), LogisticRegression()), 2),
    "perceptron": (lambda: MLPClassifier((8,), max_iter=40, random_state=0), 3),
    "scaled perceptron": (lambda: make_pipeline(MinMaxScaler(), MLPClassifier((8,), max_iter=40, random_state=0)), 2),
}


def converted(name: str, *, zipmap: bool):
    from skl2onnx import to_onnx

    make, classes = PIPELINES[name]
    estimator, rows = learned(make(), classes)
    model = to_onnx(estimator, rows[:1], options={"zipmap": zipmap}, target_opset={"": 17, "ai.onnx.ml": 3})
    return model, onnxruntime.InferenceSession(model.SerializeToString()), rows


@pytest.mark.parametrize("name", PIPELINES)
def test_pipeline_has_onnxruntimes_values_and_slopes(name):
    model, session, rows = converted(name, zipmap=False)

    label, answer = (
        Graph(model, output=each).run({"X": torch.from_numpy(rows)}) for each in ("label", "probabilities")
    )

    expected_label, expected = session.run(["label", "probabilities"], {"X": rows})
    assert label.tolist() == expected_label.tolist()
    assert np.abs(answer.numpy() - expected).max() <= VALUES_AGREE
    assert agrees_with_differences(model, session, rows[:20])


def test_probabilities_by_name_come_as_onnxruntime_gives_them():
    model, session, rows = converted("scaled logistic regression", zipmap=True)

    answer = Graph(model, output="output_probability").run({"X": torch.from_numpy(rows)})

    expected = session.run(["output_probability"], {"X": rows})[0]
    assert [list(row) for row in answer] == [list(row) for row in expected]
    assert [list(row.values()) for row in answer] == [pytest.approx(list(row.values()), abs=1e-6) for row in expected]


def agrees_with_differences(model, session, rows) -> bool:
    """Whether the gradient of the last class is the slope that onnxruntime shows between two near rows."""
    values = torch.from_numpy(rows).requires_grad_()
    answer = Graph(model, output="probabilities").run({"X": values})
    gradient = torch.autograd.grad(answer[:, -1].sum(), values)[0].numpy()
    step = np.float32(1e-2)
    for column in range(rows.shape[1]):
        move = np.zeros_like(rows)
        move[:, column] = step
        above, below = (session.run(["probabilities"], {"X": rows + sign * move})[0][:, -1] for sign in (1, -1))
        if not np.allclose((above - below) / (2 * step), gradient[:, column], atol=2e-3):
            return False
    return bool(np.abs(gradient).max() > 0.01)


def test_pipeline_with_texts_has_onnxruntimes_values():
    import pandas as pd
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    chance = np.random.default_rng(2)
    frame = pd.DataFrame(
        {"age": chance.normal(40, 9, 90).astype(np.float32), "job": chance.choice(["cook", "nurse", "clerk"], 90)}
    )
    encoder = ColumnTransformer(
        [("numbers", StandardScaler(), ["age"]), ("texts", OneHotEncoder(handle_unknown="ignore"), ["job"])]
    )
    pipeline = make_pipeline(encoder, LogisticRegression()).fit(frame, frame["age"] + 9 * (frame["job"] == "cook") > 42)
    model = to_onnx(
        pipeline,
        initial_types=[("age", FloatTensorType([None, 1])), ("job", StringTensorType([None, 1]))],
        options={"zipmap": False},
        target_opset=17,
    )
    feed = {"age": frame[["age"]].to_numpy(), "job": frame[["job"]].to_numpy(dtype=object)}

    answer = Graph(model, output="probabilities").run({"age": torch.tensor(feed["age"].tolist()), "job": feed["job"]})

    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(["probabilities"], feed)[0]
    assert np.abs(answer.numpy() - expected).max() <= VALUES_AGREE


# --- what is refused, and what is left out ---


def test_all_unknown_operators_are_named_with_the_reason():
    nodes = [
        helper.make_node("TreeEnsembleClassifier", ["x"], ["l", "p"], domain="ai.onnx.ml"),
        helper.make_node("Bernoulli", ["p"], ["b"]),
        helper.make_node("Conjure", ["b"], ["out"], domain="com.example"),
    ]
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])

    with pytest.raises(NotInterpretable) as refused:
        Graph(model, output="out")

    assert str(refused.value) == (
        "operators Bernoulli (it draws at random, so that two calls differ), "
        "ai.onnx.ml.TreeEnsembleClassifier (trees are steps, without gradients), com.example.Conjure"
    )


@pytest.mark.parametrize("opset", [11, 99])
def test_opsets_that_are_not_known_are_refused(opset):
    model = linear(np.ones((2, 2), dtype=np.float32))
    model.opset_import[0].version = opset

    with pytest.raises(NotInterpretable, match=f"opset {opset}; 13 to 26 are known"):
        Graph(model, output="out")


def test_control_flow_is_refused_by_name():
    with pytest.raises(NotInterpretable, match=r"operator Loop \(control flow is not followed\)"):
        Graph(an_endless_loop(), output="out")


def test_operators_off_the_way_to_the_output_do_not_matter():
    model = linear(np.ones((2, 2), dtype=np.float32))
    model.graph.node.append(helper.make_node("Conjure", ["x"], ["never"]))

    assert Graph(model, output="out").run({"x": torch.ones(1, 2)}).tolist() == [[2, 2]]


def test_functions_of_the_file_are_looked_into():
    model = graph([helper.make_node("Twice", ["x"], ["out"], domain="mine")], [("x", FLOAT, ["n", 2])], [])
    model.graph.output.append(helper.make_tensor_value_info("out", FLOAT, ["n", 2]))
    domains = [helper.make_opsetid("", 17)]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    model.functions.append(helper.make_function("mine", "Twice", ["a"], ["b"], body, domains))
    model.opset_import.append(helper.make_opsetid("mine", 1))

    assert Graph(model, output="out").run({"x": torch.ones(1, 2)}).tolist() == [[2, 2]]


def test_values_that_nobody_reads_again_are_freed():
    """Else scoring a deep network takes the memory of all its layers at once."""
    nodes = [helper.make_node("Relu", [f"v{place}"], [f"v{place + 1}"]) for place in range(3)]
    model = graph(nodes, [("v0", FLOAT, ["n", 2])], [("v3", FLOAT, ["n", 2])])

    forgotten = [step.forgets for step in Graph(model, output="v3")._steps]

    assert forgotten == [("v0",), ("v1",), ("v2",)]


def test_what_depends_on_constants_alone_is_computed_once():
    nodes = [helper.make_node("Transpose", ["w"], ["t"]), helper.make_node("MatMul", ["x", "t"], ["out"])]
    weights = np.array([[1, 2], [3, 4]], dtype=np.float32)
    model = graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])], {"w": weights})

    program = Graph(model, output="out")

    assert [step.name for step in program._steps] == ["MatMul"]
    assert program.run({"x": torch.eye(2)}).tolist() == weights.T.tolist()
