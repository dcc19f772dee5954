"""Makes model files that would do harm. They are opened only by the code under test.

`python -m tests.classifiers.hostile.make FOLDER` writes the whole corpus there, to try it elsewhere.
"""

import bz2
import copy
import gzip
import io
import json
import lzma
import os
import pickle
import shlex
import struct
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from tests.classifiers.build import BOOL, FLOAT, INT64, graph


class WritesMarker:
    """An object whose pickle runs code when it is loaded: it writes a file, and calls a port of this machine."""

    def __init__(self, marker: Path, port: int = 9) -> None:
        self.marker, self.port = marker, port

    def __reduce__(self):
        call = f"import socket; open({str(self.marker)!r}, 'w'); socket.create_connection(('127.0.0.1', {self.port}))"
        return os.system, (f"{sys.executable} -c {shlex.quote(call)}; touch {self.marker}",)


def a_pickle(marker: Path, protocol: int = 5) -> bytes:
    return pickle.dumps(WritesMarker(marker), protocol=protocol)


def a_zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as folder:
        for name, data in members.items():
            folder.writestr(name, data)
    return buffer.getvalue()


def a_joblib_file(marker: Path, **options: object) -> bytes:
    import joblib

    buffer = io.BytesIO()
    joblib.dump(WritesMarker(marker), buffer, **options)
    return buffer.getvalue()


def a_torch_save(marker: Path, *, as_zip: bool = True) -> bytes:
    import torch

    buffer = io.BytesIO()
    torch.save(WritesMarker(marker), buffer, _use_new_zipfile_serialization=as_zip)
    return buffer.getvalue()


def a_torchscript_program() -> bytes:
    """A real program; it does no harm, and is refused for what it is."""
    import torch

    class Doubles(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.trace(Doubles(), torch.ones(1, 2)), buffer)
    return buffer.getvalue()


def a_torch_export(marker: Path) -> bytes:
    """A real program of torch.export whose sample inputs are replaced by a pickle that runs code when it is loaded."""
    import torch

    buffer = io.BytesIO()
    torch.export.save(torch.export.export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)), buffer)
    with zipfile.ZipFile(buffer) as folder:
        members = {name: folder.read(name) for name in folder.namelist()}
    inputs = [name for name in members if "sample_inputs" in name]
    assert inputs, sorted(members)
    return a_zip(**members | dict.fromkeys(inputs, a_torch_save(marker)))


def a_keras_file(marker: Path) -> bytes:
    return a_zip(**{"config.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"})


def a_keras_lambda(marker: Path) -> bytes:
    """Keras 3 with a layer of marshalled code, which `safe_mode=False` would run."""
    layer = {
        "class_name": "Lambda",
        "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
    }
    config = json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}).encode()
    return a_zip(**{"config.json": config, "metadata.json": b"{}", "model.weights.h5": b"\x89HDF\r\n\x1a\n"})


def an_array_of_objects(marker: Path) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([WritesMarker(marker)], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def a_skops_file_with_pickled_array(marker: Path) -> bytes:
    """skops whose schema names an array of the zip, which holds a pickle."""
    array = {
        "__class__": "ndarray",
        "__module__": "numpy",
        "__loader__": "NdArrayNode",
        "type": "numpy",
        "file": "a.npy",
    }
    schema = array | {"__id__": 1, "protocol": 2, "_skops_version": "0.16"}
    return a_zip(**{"schema.json": json.dumps(schema).encode(), "a.npy": an_array_of_objects(marker)})


def a_zip_bomb(member: str, *, mebibytes: int, times: int = 1) -> bytes:
    """A file of a thousandth of the size it unpacks to; with `times`, so many members are the same bytes of it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as folder:
        with folder.open(member, "w", force_zip64=True) as opened:
            block = b"[" + b" " * (1024 * 1024 - 1)
            for _ in range(mebibytes):
                opened.write(block)
        for time in range(1, times):
            again = copy.copy(folder.getinfo(member))
            again.filename = f"{time}{member}"
            folder.filelist.append(again)
    return buffer.getvalue()


def a_zip_of_many_scans(members: int) -> bytes:
    """Each member is a mebibyte of pickle opcodes without an end, in a kilobyte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as folder:
        for number in range(members):
            folder.writestr(f"m{number}", b")" * (1 << 20))
    return buffer.getvalue()


def safetensors(header: object, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A file with this header, true or not; a text is taken as it is."""
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def described(description: object, *, tensors: dict[str, object] | None = None) -> bytes:
    """safetensors with this description of a network, and no weights but those named."""
    text = description if isinstance(description, str) else json.dumps({"description": description})
    return safetensors({"__metadata__": {"evenhand": text}, **(tensors or {})})


REFUSED: dict[str, Callable[[Path], bytes]] = {
    **{f"pickle of protocol {p}": lambda marker, p=p: a_pickle(marker, p) for p in range(pickle.HIGHEST_PROTOCOL + 1)},
    "pickle compressed with zlib": lambda marker: zlib.compress(a_pickle(marker)),
    "pickle compressed with gzip": lambda marker: gzip.compress(a_pickle(marker)),
    "pickle compressed with bzip2": lambda marker: bz2.compress(a_pickle(marker)),
    "pickle in a zip": lambda marker: a_zip(**{"innocent.txt": a_pickle(marker)}),
    "pickle in a zip that looks like skops": lambda marker: a_zip(
        **{"schema.json": b"{}", "data.pkl": a_pickle(marker)}
    ),
    "pickle compressed with lzma": lambda marker: lzma.compress(a_pickle(marker)),
    "joblib": a_joblib_file,
    "joblib compressed": lambda marker: a_joblib_file(marker, compress=3),
    "joblib compressed with xz": lambda marker: a_joblib_file(marker, compress=("xz", 3)),
    "torch.save": a_torch_save,
    "torch.save before 1.6": lambda marker: a_torch_save(marker, as_zip=False),
    "torch.export": lambda marker: a_zip(
        **{"m/archive_format": b"pt2", "m/models/model.json": b"{}", "m/data/sample_inputs/model.pt": a_pickle(marker)}
    ),
    "TorchScript as torch writes it": lambda marker: a_torchscript_program(),
    "TorchScript": lambda marker: a_zip(**{"m/code/__torch__.py": b"", "m/constants.pkl": a_pickle(marker)}),
    "Keras": a_keras_file,
    "Keras with code": a_keras_lambda,
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


def weights_in_an_attribute(location: str) -> onnx.ModelProto:
    """As `weights_elsewhere`, by a Constant in place of an initializer."""
    tensor = weights_elsewhere(location).graph.initializer[0]
    nodes = [helper.make_node("Constant", [], ["w"], value=tensor), helper.make_node("MatMul", ["x", "w"], ["out"])]
    return graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])


def doubled(times: int) -> onnx.ModelProto:
    """Each of its nodes doubles what the one before made."""
    nodes = [
        helper.make_node("Concat", [f"v{i}", f"v{i}"], [f"v{i + 1}"], axis=0)
        if i
        else helper.make_node("Identity", ["x"], ["v1"])
        for i in range(times)
    ]
    nodes += [
        helper.make_node("ReduceSum", [f"v{times}"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["out"]),
    ]
    return graph(nodes, [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])


def a_constant_that_lies_about_its_size() -> onnx.ModelProto:
    """Eight bytes that say they are 2**60 numbers."""
    model = graph(
        [helper.make_node("MatMul", ["x", "w"], ["out"])],
        [("x", FLOAT, ["n", 2])],
        [("out", FLOAT, ["n", 2])],
        {"w": np.zeros((2, 1), dtype=np.float32)},
    )
    model.graph.initializer[0].dims[:] = [2**30, 2**30]
    return model


def a_function_that_calls_itself() -> onnx.ModelProto:
    model = graph(
        [helper.make_node("Again", ["x"], ["out"], domain="here")], [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])]
    )
    again = helper.make_node("Again", ["x"], ["out"], domain="here")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("here", 1)]
    model.functions.append(helper.make_function("here", "Again", ["x"], ["out"], [again], opsets))
    model.opset_import.append(helper.make_opsetid("here", 1))
    return model


def an_operator_of_a_library() -> onnx.ModelProto:
    """An operator that only somebody's shared library could run."""
    node = helper.make_node("Load", ["x"], ["out"], domain="custom", library="/tmp/evil.so")
    model = graph([node], [("x", FLOAT, ["n", 2])], [("out", FLOAT, ["n", 2])])
    model.opset_import.append(helper.make_opsetid("custom", 1))
    return model


def main(folder: Path) -> None:
    """Write the corpus into a folder; its payloads would write FOLDER/marker."""
    from tests.classifiers.hostile.corpus import CORPUS

    folder.mkdir(parents=True, exist_ok=True)
    for case in CORPUS:
        (folder / case.filename).write_bytes(case.make(folder / "marker"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
