"""What travels between parent and confined child: a JSON head and named arrays, framed by their lengths. Never pickle.

A frame is two little-endian 64-bit lengths, the head as UTF-8 JSON, and the arrays as safetensors. Text travels as its
UTF-8 bytes with a length for every value.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTHS = struct.Struct("<QQ")
TEXT_BYTES, TEXT_LENGTHS = ".utf8", ".lengths"
MISSING = -1


class BadFrame(ValueError):
    """The bytes are no message: lengths beyond the limit, or parts that do not parse."""


@dataclass(frozen=True)
class Message:
    """One request or answer.

    Args:
        head: plain JSON values.
        arrays: numbers and truth values of any shape.
    """

    head: dict[str, Any]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The whole frame."""
        from safetensors.numpy import save

        head = json.dumps(self.head).encode()
        payload = (
            save({name: np.ascontiguousarray(array) for name, array in self.arrays.items()}) if self.arrays else b""
        )
        return LENGTHS.pack(len(head), len(payload)) + head + payload


def body_length(lengths: bytes, *, most: int) -> int:
    """How many bytes follow the 16 that open a frame.

    Raises:
        BadFrame: more than `most`.
    """
    head, payload = LENGTHS.unpack(lengths)
    if head + payload > most:
        raise BadFrame(f"a message of {head + payload} bytes; {most} are accepted")
    return int(head + payload)


def parse(lengths: bytes, body: bytes) -> Message:
    """The message whose frame consists of `lengths` and `body`.

    Raises:
        BadFrame: it does not parse.
    """
    from safetensors.numpy import load

    head_length, payload_length = LENGTHS.unpack(lengths)
    try:
        head = json.loads(body[:head_length])
        arrays = load(body[head_length:]) if payload_length else {}
    except Exception as problem:  # whatever the parsers raise on bytes from a process that is not trusted
        raise BadFrame(f"a message that does not parse: {type(problem).__name__}") from None
    if not isinstance(head, dict):
        raise BadFrame("a message whose head is no object")
    return Message(head, arrays)


def pack_columns(columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Columns of a table as arrays that can travel: numbers as they are, text as bytes and lengths (-1: missing)."""
    packed: dict[str, NDArray[Any]] = {}
    for name, column in columns.items():
        if column.dtype != object:
            packed[name] = column
            continue
        encoded = [None if value is None else str(value).encode("utf-8", "surrogatepass") for value in column]
        packed[name + TEXT_LENGTHS] = np.array([MISSING if v is None else len(v) for v in encoded], dtype=np.int64)
        packed[name + TEXT_BYTES] = np.frombuffer(b"".join(v for v in encoded if v), dtype=np.uint8)
    return packed


def unpack_columns(packed: Mapping[str, NDArray[Any]], names: list[str]) -> dict[str, NDArray[Any]]:
    """The inverse of `pack_columns`, for the columns of those names."""
    columns: dict[str, NDArray[Any]] = {}
    for name in names:
        if name in packed:
            columns[name] = packed[name]
            continue
        lengths, text = packed[name + TEXT_LENGTHS], packed[name + TEXT_BYTES].tobytes()
        ends = np.cumsum(np.maximum(lengths, 0))
        column = np.empty(len(lengths), dtype=object)
        for row, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
            column[row] = None if length == MISSING else text[end - length : end].decode("utf-8", "surrogatepass")
        columns[name] = column
    return columns
