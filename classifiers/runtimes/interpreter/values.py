"""ONNX tensors and types as torch's: what stands for each type, and reading a stored tensor or attribute."""

from typing import Any

import numpy as np
import torch

from evenhand.classifiers.runtimes.interpreter.call import NotInterpretable, Value

# Numbers of onnx.TensorProto.DataType.
STRING = 8
TYPES: dict[int, torch.dtype] = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.uint16,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    12: torch.uint32,
    13: torch.uint64,
    16: torch.bfloat16,
}


def type_of(number: int) -> torch.dtype:
    """The torch type of an ONNX type number.

    Raises:
        NotInterpretable: torch has none, e.g. for complex numbers.
    """
    if number not in TYPES:
        raise NotInterpretable(f"values of ONNX type {number}")
    return TYPES[number]


def from_tensor(tensor: Any) -> Value:
    """A stored tensor as a value.

    Raises:
        NotInterpretable: of a type that torch does not have.
    """
    from onnx import numpy_helper

    if tensor.data_type == STRING:
        texts = np.empty(len(tensor.string_data), dtype=object)
        texts[:] = [text.decode("utf-8", "replace") for text in tensor.string_data]
        return texts.reshape(tuple(tensor.dims))
    wanted = type_of(tensor.data_type)
    array = numpy_helper.to_array(tensor)
    if wanted == torch.bfloat16:
        array = array.astype(np.float32)
    return torch.from_numpy(np.array(array)).to(wanted)


def from_attribute(attribute: Any) -> Any:
    """An attribute as a plain value: numbers, text, lists of them, or a tensor.

    Raises:
        NotInterpretable: it holds a graph, or refers to a function's attribute.
    """
    kind = attribute.AttributeType.Name(attribute.type)
    if attribute.ref_attr_name or kind in ("GRAPH", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO"):
        raise NotInterpretable(f"attribute {attribute.name!r} of kind {kind.lower()}")
    if kind == "TENSOR":
        return from_tensor(attribute.t)
    if kind == "STRING":
        return attribute.s.decode("utf-8", "replace")
    if kind == "STRINGS":
        return [text.decode("utf-8", "replace") for text in attribute.strings]
    if kind == "TENSORS":
        return [from_tensor(each) for each in attribute.tensors]
    if kind in ("FLOATS", "INTS"):
        return list(attribute.floats if kind == "FLOATS" else attribute.ints)
    return attribute.f if kind == "FLOAT" else attribute.i
