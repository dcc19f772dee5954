"""Every hostile file, under a name, with the refusal it must meet. Nothing here opens one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from evenhand.classifiers.errors import (
    BadEndpoint,
    ChildFailed,
    ClassifierError,
    CorruptModel,
    RefusedFormat,
    UnsupportedModel,
)
from tests.classifiers.build import linear
from tests.classifiers.hostile import make

TO_CONVERT = r"refused unread\. .*(ONNX|skops)"
DESCRIPTION = {"format": "evenhand-network/1", "kind": "mlp", "classes": ["no", "yes"], "hidden": [2]}
PICTURES = DESCRIPTION | {"kind": "convnet4", "hidden": [], "encoder": None}


@dataclass(frozen=True)
class Hostile:
    """One file.

    Args:
        filename: what it is called, which is often a lie.
        make: its bytes; what it holds would write the marker.
        error: what it must be refused with.
        said: what the refusal must say.
        confined: whether a child opens it, so that it takes seconds.
    """

    filename: str
    make: Callable[[Path], bytes]
    error: type[ClassifierError] | tuple[type[ClassifierError], ...]
    said: str
    confined: bool = False


def _unread() -> list[Hostile]:
    """All that can run code, each under its own name and under those of formats that are accepted."""
    ends = ("onnx", "safetensors", "skops", "json", "pkl")
    return [
        Hostile(f"{kind.replace(' ', '_')}.{ends[place % len(ends)]}", build, RefusedFormat, TO_CONVERT)
        for place, (kind, build) in enumerate(make.REFUSED.items())
    ] + [Hostile(f"pickle.{end}", make.a_pickle, RefusedFormat, TO_CONVERT) for end in ends]


def _safetensors() -> list[Hostile]:
    weights = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
    lies: dict[str, tuple[bytes, str]] = {
        "offsets_beyond_the_file": (
            make.safetensors({"w": weights | {"data_offsets": [0, 1 << 40]}}, bytes(16)),
            "damaged safetensors",
        ),
        "offsets_that_overlap": (make.safetensors({"a": weights, "b": weights}, bytes(16)), "damaged safetensors"),
        "offsets_backwards": (
            make.safetensors({"w": weights | {"data_offsets": [16, 0]}}, bytes(16)),
            "damaged safetensors",
        ),
        "shape_beyond_the_data": (
            make.safetensors({"w": weights | {"shape": [2**31, 2**31]}}, bytes(16)),
            "damaged safetensors",
        ),
        "an_unknown_type": (make.safetensors({"w": weights | {"dtype": "PICKLE"}}, bytes(16)), "damaged safetensors"),
        "a_huge_header": (make.safetensors({"w": weights}, length=2**63 - 1), "not a readable model"),
        "a_header_nested_deep": (make.safetensors('{"a":' * 50_000 + "1" + "}" * 50_000), "damaged safetensors"),
        "a_description_nested_deep": (make.described("[" * 100_000 + "]" * 100_000), "description is damaged"),
        "a_description_of_huge_pictures": (
            make.described(PICTURES | {"image_shape": [2**40, 2**40, 3]}),
            "no size from 1 to 4096",
        ),
        "a_description_of_huge_layers": (
            make.described(DESCRIPTION | {"hidden": [2**40], "image_shape": [1, 1, 1], "encoder": None}),
            "no size from 1 to 65536",
        ),
        "a_description_of_many_layers": (
            make.described(DESCRIPTION | {"hidden": [1] * 100_000, "image_shape": [1, 1, 1], "encoder": None}),
            "cannot be used|description is damaged",
        ),
        "the_largest_network_without_weights": (
            make.described(DESCRIPTION | {"hidden": [65536] * 8, "image_shape": [4096, 4096, 3], "encoder": None}),
            "cannot be used|description is damaged",
        ),
        "a_network_of_code": (
            make.described(PICTURES | {"kind": "os.system", "image_shape": [8, 8, 1]}),
            "there is no such network",
        ),
        "a_kind_that_is_no_text": (
            make.described(PICTURES | {"kind": {"a": []}, "image_shape": [8, 8, 1]}),
            "there is no such network",
        ),
        "a_thousand_classes_of_one_name": (
            make.described(PICTURES | {"classes": ["a"] * 1000, "image_shape": [8, 8, 1]}),
            "description is damaged",
        ),
        "no_description": (make.safetensors({"w": weights}, bytes(16)), "without a description"),
        "a_zip_behind_it": (make.safetensors({}) + make.a_zip(**{"data.pkl": b"."}), "damaged safetensors"),
    }
    errors = (CorruptModel, UnsupportedModel)
    return [
        Hostile(f"{name}.safetensors", lambda marker, data=data: data, errors, said)
        for name, (data, said) in lies.items()
    ]


def _others() -> list[Hostile]:
    random = np.random.default_rng(0).bytes(4096)
    good = linear(np.eye(2, dtype=np.float32)).SerializeToString()
    endpoint = b'{"url": "https://127.0.0.1/", "image_shape": [1099511627776, 1099511627776, 3]}'
    corrupt = (CorruptModel, UnsupportedModel)
    return [
        Hostile("empty.onnx", lambda marker: b"", CorruptModel, "the file is empty"),
        Hostile("random.onnx", lambda marker: b"\xff" + random, CorruptModel, "begins like no format"),
        Hostile("array.onnx", make.an_array_of_objects, UnsupportedModel, "NumPy array.*torch.onnx.export"),
        Hostile("truncated.zip", lambda marker: make.a_zip(a=random)[:2000], CorruptModel, "damaged zip"),
        Hostile("nothing.zip", lambda marker: make.a_zip(a=random), UnsupportedModel, "no model known.*onnx"),
        Hostile("scans.zip", lambda marker: make.a_zip_of_many_scans(60), corrupt, "holds no model known here"),
        Hostile("huge.json", lambda marker: endpoint, BadEndpoint, "image_shape"),
        Hostile("opcodes.pkl", lambda marker: b")" * (1 << 20), CorruptModel, "begins like no format"),
        Hostile("truncated.onnx", lambda marker: good[: len(good) // 2], CorruptModel, "damaged ONNX", confined=True),
        Hostile("zip_behind.onnx", _onnx_and_zip, corrupt, "damaged ONNX|cannot be used", confined=True),
        Hostile(
            "pickled_array.skops", make.a_skops_file_with_pickled_array, corrupt, "skops|not allowed", confined=True
        ),
        Hostile(
            "bomb.skops",
            lambda marker: make.a_zip_bomb("schema.json", mebibytes=32, times=100),
            BOMBED,
            "unpacks to 3,",
        ),
        Hostile(
            "schema.skops", lambda marker: make.a_zip_bomb("schema.json", mebibytes=32), BOMBED, FAILS, confined=True
        ),
    ]


FAILS = "cannot be used|crashed|more memory|damaged"
BOMBED = (ChildFailed, CorruptModel, UnsupportedModel)


def _onnx_and_zip(marker: Path) -> bytes:
    """PyTorch reads a zip from its end, whatever stands before it."""
    return b"\x08\x09" + make.a_zip(**{"m/data.pkl": make.a_pickle(marker)})


def _graphs() -> list[Hostile]:
    elsewhere = "keeps its weights in other files.*onnx.save|cannot be used"
    failed = (ChildFailed, UnsupportedModel, CorruptModel)
    graphs: dict[str, tuple[Callable[[], onnx.ModelProto], object, str]] = {
        "weights_at_an_absolute_path": (lambda: make.weights_elsewhere("/etc/passwd"), UnsupportedModel, elsewhere),
        "weights_above": (lambda: make.weights_elsewhere("../../etc/passwd"), UnsupportedModel, elsewhere),
        "weights_in_an_attribute": (
            lambda: make.weights_in_an_attribute("/etc/passwd"),
            failed,
            FAILS,
        ),
        "sixteen_gibibytes": (make.a_huge_constant, ChildFailed, "needed more memory than it is allowed"),
        "doubled": (lambda: make.doubled(45), failed, "more memory|cannot be used"),
        "a_lying_size": (
            make.a_constant_that_lies_about_its_size,
            failed,
            FAILS,
        ),
        "itself": (make.a_function_that_calls_itself, failed, FAILS),
        "a_library": (make.an_operator_of_a_library, UnsupportedModel, "cannot be used"),
    }
    return [
        Hostile(f"{name}.onnx", lambda marker, build=build: build().SerializeToString(), error, said, confined=True)  # type: ignore[arg-type]
        for name, (build, error, said) in graphs.items()
    ]


CORPUS: list[Hostile] = [*_unread(), *_safetensors(), *_others(), *_graphs()]
