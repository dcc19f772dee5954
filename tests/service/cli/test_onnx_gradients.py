"""An ONNX network is attacked with gradients on the command line, as hard as the same network in safetensors."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import helper
from tests.classifiers.build import FLOAT, graph, written

from evenhand.classifiers.saving import save
from evenhand.classifiers.training import train_images
from evenhand.service.cli import cli

SIDE = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty-four grey pictures with a group, and a network for them as net.safetensors and net.onnx."""
    chance = np.random.default_rng(0)
    label = np.array(["dark", "light"] * 32)
    images = chance.integers(0, 200, (64, SIDE, SIDE, 1)) + np.where(label == "light", 55, 0)[:, None, None, None]
    folder = tmp_path_factory.mktemp("onnx")
    group = np.array(["a", "a", "b", "b"] * 16)
    np.savez(folder / "pictures.npz", images=images.astype(np.uint8), shade=label, group=group)
    trained = train_images("convnet4", images.astype(np.uint8), label, seed=0, device="cpu", epochs=8)
    save(trained, folder / "net.safetensors")
    save(trained, folder / "net.onnx")
    return folder


def audited(folder: Path, model: str, *more: str) -> dict[str, Any]:
    path = folder / f"{model}.json"
    named = ["--label", "shade", "--positive", "light", "--sensitive", "group", "--only", "robustness"]
    result = CliRunner().invoke(
        cli, ["audit", str(folder / "pictures.npz"), "--model", str(folder / model), *named, "--json", str(path), *more]
    )
    assert result.exit_code in (0, 1, 3), result.output
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.fixture(scope="module")
def of_onnx(folder: Path) -> dict[str, Any]:
    return audited(folder, "net.onnx", "--html", str(folder / "report.html"))


def test_onnx_network_is_as_robust_as_the_same_network_in_safetensors(folder: Path, of_onnx: dict[str, Any]) -> None:
    ours, theirs = audited(folder, "net.safetensors"), of_onnx

    robust = [report["audits"]["robustness"] for report in (ours, theirs)]
    assert robust[0]["attack"] == robust[1]["attack"]
    assert {"APGD-CE", "APGD-margin"} <= set(robust[1]["attack"]["attacks"])
    assert not robust[1]["masking"]["suspected"]
    for here, there in zip(robust[0]["groups"], robust[1]["groups"], strict=True):
        assert here["group"] == there["group"]
        assert here["clean_accuracy"] == there["clean_accuracy"]
        assert here["robust_accuracy"]["low"] <= there["robust_accuracy"]["estimate"] <= here["robust_accuracy"]["high"]
    assert any(
        group["robust_accuracy"]["estimate"] < group["clean_accuracy"]["estimate"] for group in robust[1]["groups"]
    )


def test_report_says_what_was_found_in_the_file(folder: Path, of_onnx: dict[str, Any]) -> None:
    model = of_onnx["subject"]["model"]

    assert model["gradients"]
    assert model["no_gradients"] is None
    assert model["gradient_difference"] <= 1e-6
    assert model["file"] == {
        "format": "onnx",
        "bytes": (folder / "net.onnx").stat().st_size,
        "opset": 17,
        "producer": model["file"]["producer"],
        "inputs": [{"name": "images", "type": "tensor(float)", "shape": [None, 1, SIDE, SIDE]}],
        "layout": "nchw",
        "outputs": [{"name": "probabilities", "type": "tensor(float)", "shape": None}],
        "output": "probabilities",
        "scores": "probabilities",
    }
    assert "differs from onnxruntime by at most" in (folder / "report.html").read_text()


def test_unknown_operator_leaves_attacks_without_gradients_and_is_named(folder: Path) -> None:
    """GridSample is no operator of the interpreter; here it looks at each pixel where it already is."""
    steps = np.linspace(-1, 1, SIDE, dtype=np.float32)
    places = np.stack(np.meshgrid(steps, steps), axis=-1)[None]
    nodes = [
        helper.make_node("Shape", ["x"], ["rows"], start=0, end=1),
        helper.make_node("Concat", ["rows", "size"], ["shape"], axis=0),
        helper.make_node("Expand", ["places", "shape"], ["grid"]),
        helper.make_node("GridSample", ["x", "grid"], ["looked"], align_corners=1),
        helper.make_node("ReduceMean", ["looked"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["raw"]),
        helper.make_node("Add", ["raw", "b"], ["moved"]),
        helper.make_node("Softmax", ["moved"], ["out"]),
    ]
    constants = {
        "size": np.array([SIDE, SIDE, 2]),
        "places": places,
        "w": np.array([[-40, 40]], dtype=np.float32),
        "b": np.array([20, -20], dtype=np.float32),
    }
    model: onnx.ModelProto = graph(nodes, [("x", FLOAT, ["n", 1, SIDE, SIDE])], [("out", FLOAT, ["n", 2])], constants)
    written(model, folder / "unknown.onnx")

    report = audited(folder, "unknown.onnx")

    assert not report["subject"]["model"]["gradients"]
    assert report["subject"]["model"]["no_gradients"].endswith("does not know operator GridSample")
    assert report["audits"]["robustness"]["attack"]["attacks"] == ["random noise", "Square"]
    assert any("gives no gradients" in note for note in report["audits"]["robustness"]["notes"])


def test_policy_names_the_output_that_is_read(folder: Path) -> None:
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "w"], ["first"]),
        helper.make_node("Neg", ["first"], ["second"]),
    ]
    outputs = [("first", FLOAT, ["n", 2]), ("second", FLOAT, ["n", 2])]
    model = graph(nodes, [("x", FLOAT, ["n", 1, SIDE, SIDE])], outputs, {"w": np.array([[-40, 40]], dtype=np.float32)})
    written(model, folder / "two.onnx")
    policy = folder / "evenhand.toml"
    policy.write_text(
        f'[data]\nsource = "{folder}/pictures.npz"\nlabel = "shade"\npositive = "light"\nsensitive = ["group"]\n'
        f'[model]\npath = "{folder}/two.onnx"\nprobability_output = "second"\n'
    )

    result = CliRunner().invoke(
        cli, ["audit", str(policy), "--only", "group_disparity", "--json", str(folder / "two.json")]
    )

    assert result.exit_code in (0, 1, 3), result.output
    assert json.loads((folder / "two.json").read_text())["subject"]["model"]["file"]["output"] == "second"
