"""Builders of small tables, pictures and ONNX graphs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from evenhand.classifiers.columns import Columns

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def applicants(*, rows: int, seed: int) -> tuple[Columns, NDArray[Any]]:
    """Three features of applicants, one with a hyphen and one of text, and a label of two texts."""
    chance = np.random.default_rng(seed)
    age, hours = chance.uniform(18, 80, rows), chance.uniform(5, 60, rows)
    job = chance.choice(np.array(["clerk", "nurse", "cook"], dtype=object), rows)
    hours_seen = np.where(chance.random(rows) < 0.1, np.nan, hours)
    score = (age - 50) / 20 + (hours - 30) / 20 + (job == "nurse") + chance.normal(0, 0.5, rows)
    label = np.where(score > 0, ">50K", "<=50K").astype(object)
    return {"age": age, "hours-per-week": hours_seen, "job": job}, label


def exclusive_or(*, rows: int, seed: int) -> tuple[Columns, NDArray[np.int64]]:
    """Two numbers, and whether exactly one of them is positive: no line separates the classes."""
    chance = np.random.default_rng(seed)
    x, y = chance.uniform(-1, 1, (2, rows))
    return {"x": x, "y": y}, ((x > 0) ^ (y > 0)).astype(np.int64)


def pictures(*, count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Coloured noise of 32x32, half of it redder, with the label "plain" or "red"."""
    chance = np.random.default_rng(seed)
    images = chance.integers(0, 180, (count, 32, 32, 3), dtype=np.uint8)
    red = np.arange(count) % 2 == 1
    images[red, :, :, 0] += 70
    return images, np.where(red, "red", "plain").astype(object)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[tuple[str, int, Sequence[Any]]],
    outputs: Sequence[tuple[str, int, Sequence[Any]]],
    constants: dict[str, NDArray[Any]] | None = None,
) -> onnx.ModelProto:
    """An ONNX model of these parts."""
    described = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
        [onnx.numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    return helper.make_model(described, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def linear(
    weights: NDArray[np.float32], *, last: str | None = None, batch: int | str = "n", features: int = 2
) -> onnx.ModelProto:
    """Numbers times weights, then the operator `last`."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["s" if last else "out"])]
    if last:
        nodes.append(helper.make_node(last, ["s"], ["out"]))
    classes = weights.shape[1]
    return graph(nodes, [("x", FLOAT, [batch, features])], [("out", FLOAT, [batch, classes])], {"w": weights})


def written(model: onnx.ModelProto, path: Path) -> Path:
    path.write_bytes(model.SerializeToString())
    return path
