"""Model files that would do harm. They are made here and opened only by the code under test."""

import bz2
import gzip
import io
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from .build import BOOL, FLOAT, INT64, graph


class WritesMarker:
    """An object whose pickle runs a shell command when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def a_pickle(marker: Path, protocol: int = 5) -> bytes:
    return pickle.dumps(WritesMarker(marker), protocol=protocol)


def a_zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as folder:
        for name, data in members.items():
            folder.writestr(name, data)
    return buffer.getvalue()


def a_torch_save(marker: Path) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(WritesMarker(marker), buffer)
    return buffer.getvalue()


def a_keras_file(marker: Path) -> bytes:
    return a_zip(**{"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"})


REFUSED: dict[str, Callable[[Path], bytes]] = {
    **{f"pickle of protocol {p}": lambda marker, p=p: a_pickle(marker, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle compressed with zlib": lambda marker: zlib.compress(a_pickle(marker)),
    "pickle compressed with gzip": lambda marker: gzip.compress(a_pickle(marker)),
    "pickle compressed with bzip2": lambda marker: bz2.compress(a_pickle(marker)),
    "pickle in a zip": lambda marker: a_zip(**{"innocent.txt": a_pickle(marker)}),
    "pickle in a zip that looks like skops": lambda marker: a_zip(
        **{"schema.json": b"{}", "data.pkl": a_pickle(marker)}
    ),
    "torch.save": a_torch_save,
    "torch.export": lambda marker: a_zip(
        **{"m/archive_format": b"pt2", "m/models/model.json": b"{}", "m/data/sample_inputs/model.pt": a_pickle(marker)}
    ),
    "TorchScript": lambda marker: a_zip(**{"m/code/__torch__.py": b"", "m/constants.pkl": a_pickle(marker)}),
    "Keras": a_keras_file,
    "HDF5": lambda marker: b"\x89HDF\r\n\x1a\n" + bytes(64),
}


def an_endless_loop() -> onnx.ModelProto:
    """2**60 rounds that each do nothing, on the way from the input to the scores."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Sin", ["state"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("i", INT64, []),
            helper.make_tensor_value_info("go", BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, ["n", 2]),
        ],
        [helper.make_tensor_value_info("go_on", BOOL, []), helper.make_tensor_value_info("next", FLOAT, ["n", 2])],
    )
    nodes = [helper.make_node("Loop", ["rounds", "yes", "x"], ["out"], body=body)]
    constants = {"rounds": np.array(2**60, dtype=np.int64), "yes": np.array(True)}
    return graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])], constants)


def a_huge_constant() -> onnx.ModelProto:
    """A file of some hundred bytes that asks for 16 GiB."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["out"]),
    ]
    constants = {"shape": np.array([2**32], dtype=np.int64)}
    return graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])], constants)


def weights_elsewhere(location: str) -> onnx.ModelProto:
    """A model whose weights are the bytes of another file."""
    model = graph(
        [helper.make_node("MatMul", ["x", "w"], ["out"])],
        [("x", FLOAT, ["n", 2])],
        [("out", FLOAT, ["n", 2])],
        {"w": np.zeros((2, 2), dtype=np.float32)},
    )
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return model
