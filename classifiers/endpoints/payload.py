"""What is sent and what is answered, as JSON: {"instances": [...]} and {"predictions": [...]}.

The words are those of the TensorFlow Serving and KServe V1 predict protocols. An answer is written by somebody else: its
depth, shape and values are checked before anything uses it.
"""

import base64
import json
import math
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns
from evenhand.classifiers.errors import WrongOutput

DEEPEST = 16
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
BRACKETS = re.compile(rb"[\[\]{}]")
SUM_TOLERANCE = 1e-2


def rows_body(columns: Columns) -> bytes:
    """Rows as objects: {"instances": [{"age": 39.0, "job": "clerk"}, ...]}; what is missing is null."""
    plain = {name: [_cell(value) for value in column.tolist()] for name, column in columns.items()}
    count = len(next(iter(plain.values()), []))
    return _body([{name: column[row] for name, column in plain.items()} for row in range(count)])


def pixels_body(images: NDArray[np.float32]) -> bytes:
    """Pictures as nested lists (height, width, channels) of fractions from 0 to 1."""
    return _body(images.astype(np.float64).round(6).tolist())


def png_body(images: NDArray[np.float32]) -> bytes:
    """Pictures as {"b64": PNG of 8 bits}; values are rounded to the nearest of 256."""
    eight_bits = np.clip(np.rint(images * 255), 0, 255).astype(np.uint8)
    return _body([{"b64": base64.b64encode(png(image)).decode()} for image in eight_bits])


def png(image: NDArray[np.uint8]) -> bytes:
    """One picture (height, width, 1, 3 or 4 channels) as a PNG file. Source: PNG specification, third edition."""
    height, width, channels = image.shape
    colour = {1: 0, 3: 2, 4: 6}[channels]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def scores_in(answer: bytes, *, name: str, rows: int, classes: Sequence[str]) -> NDArray[np.float64]:
    """Probabilities (rows, n_classes), columns as `classes`.

    Taken are, for each row: probabilities in the order of the classes, a single probability of the second of two
    classes, or the label itself (which counts as certain).

    Raises:
        WrongOutput: no JSON, too deep, another number of rows, or what is no probability and no class.
    """
    predictions = _predictions(answer, name)
    if len(predictions) != rows:
        raise WrongOutput(name=name, expected=f"{rows} predictions", got=f"{len(predictions)}")
    scores = np.zeros((rows, len(classes)))
    for row, prediction in enumerate(predictions):
        scores[row] = _one(prediction, row, name, list(classes))
    return scores


def _one(prediction: Any, row: int, name: str, classes: list[str]) -> list[float]:
    count = len(classes)
    if isinstance(prediction, str):
        if prediction not in classes:
            _refuse(name, row, f"one of the classes {', '.join(classes)}", f"{prediction[:80]!r}")
        return [float(prediction == label) for label in classes]
    if _is_fraction(prediction) and count == 2:
        return [1.0 - float(prediction), float(prediction)]
    if isinstance(prediction, list) and len(prediction) == 1 and count == 2:
        return _one(prediction[0], row, name, classes) if not isinstance(prediction[0], list) else _no(name, row, count)
    if not isinstance(prediction, list) or len(prediction) != count or not all(map(_is_fraction, prediction)):
        return _no(name, row, count)
    if abs(sum(prediction) - 1) > SUM_TOLERANCE:
        _refuse(name, row, "probabilities that sum to 1", f"a sum of {sum(prediction):g}")
    return [float(value) for value in prediction]


def _no(name: str, row: int, count: int) -> NoReturn:
    _refuse(name, row, f"{count} probabilities from 0 to 1", "something else")


def _refuse(name: str, row: int, expected: str, got: str) -> NoReturn:
    raise WrongOutput(name=name, expected=expected, got=f"{got} for row {row + 1} of a request")


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -1e-6 <= value <= 1 + 1e-6


def _predictions(answer: bytes, name: str) -> list[Any]:
    expected = '{"predictions": [...]}'
    if _depth(answer) > DEEPEST:
        raise WrongOutput(name=name, expected=expected, got=f"JSON that is nested more than {DEEPEST} deep")
    try:
        document = json.loads(answer, parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise WrongOutput(name=name, expected=expected, got=f"no JSON ({str(problem)[:100]})") from None
    predictions = document.get("predictions") if isinstance(document, dict) else None
    if not isinstance(predictions, list):
        keys = ", ".join(list(document)[:8]) if isinstance(document, dict) else ""
        got = f"an object with {keys[:200] or 'no keys'}" if isinstance(document, dict) else "no object"
        raise WrongOutput(name=name, expected=expected, got=got)
    return predictions


def _depth(text: bytes) -> int:
    """How deep brackets are nested, outside of texts; told before anything is parsed."""
    depth = deepest = 0
    for bracket in BRACKETS.finditer(TEXT.sub(b"", text)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _cell(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _body(instances: list[Any]) -> bytes:
    return json.dumps({"instances": instances}, separators=(",", ":")).encode()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
