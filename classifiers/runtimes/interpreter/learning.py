"""Operators of the domain ai.onnx.ml, as scikit-learn's exports use them. Trees and kernels are not among them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from evenhand.classifiers.runtimes.interpreter.call import Call, NotInterpretable, Value
from evenhand.classifiers.runtimes.interpreter.operators import LEARNING, operator

FAMILY = "learning"


def _fractions(values: torch.Tensor) -> torch.Tensor:
    return values if values.dtype == torch.float32 else values.to(torch.float32)


TRANSFORMS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "NONE": lambda scores: scores,
    "SOFTMAX": lambda scores: torch.softmax(scores, 1),
    "LOGISTIC": torch.sigmoid,
}


def _transformed(scores: torch.Tensor, call: Call) -> torch.Tensor:
    name = call.get("post_transform", "NONE")
    if name not in TRANSFORMS:
        raise NotInterpretable(f"post_transform {name!r}")
    return TRANSFORMS[name](scores)


def _linear(call: Call, rows: int) -> torch.Tensor:
    values = _fractions(call[0])
    values = values.reshape(1, -1) if values.dim() == 1 else values
    weights = torch.tensor(call.get("coefficients"), dtype=torch.float32).reshape(rows, -1)
    shift = call.get("intercepts")
    scores = values @ weights.T
    return scores + torch.tensor(shift, dtype=torch.float32) if shift else scores


@operator("LinearClassifier", family=FAMILY, domain=LEARNING, limits="post_transform NONE, SOFTMAX and LOGISTIC")
def linear_classifier(call: Call) -> tuple[Value, torch.Tensor]:
    """Label and scores. One score for two classes is that of the second."""
    labels = call.get("classlabels_strings") or call.get("classlabels_ints")
    rows = len(call.get("intercepts") or labels)
    scores = _linear(call, rows)
    if rows == 1 and len(labels) == 2:
        if call.get("post_transform") == "SOFTMAX":
            raise NotInterpretable("post_transform SOFTMAX of one score")
        second = _transformed(scores, call)
        return _labels(labels, (scores[:, 0] > 0).to(torch.int64)), torch.cat([1 - second, second], 1)
    return _labels(labels, scores.argmax(1)), _transformed(scores, call)


def _labels(labels: list[Any], places: torch.Tensor) -> Value:
    if isinstance(labels[0], str):
        return np.take(np.array(labels, dtype=object), places.numpy())
    return torch.tensor(labels).index_select(0, places)


@operator("LinearRegressor", family=FAMILY, domain=LEARNING, limits="post_transform NONE, SOFTMAX and LOGISTIC")
def linear_regressor(call: Call) -> torch.Tensor:
    return _transformed(_linear(call, call.get("targets", 1)), call)


@operator("Scaler", family=FAMILY, domain=LEARNING)
def scaler(call: Call) -> torch.Tensor:
    offset, scale = (torch.tensor(call.get(name), dtype=torch.float32) for name in ("offset", "scale"))
    return torch.mul(_fractions(call[0]) - offset, scale)


@operator("Normalizer", family=FAMILY, domain=LEARNING)
def normalizer(call: Call) -> torch.Tensor:
    """Rows over their greatest value, the sum of sizes, or the Euclidean norm; rows of zeros stay."""
    values, norm = _fractions(call[0]), call.get("norm", "MAX")
    if norm == "MAX":
        size = values.amax(-1, keepdim=True)
    elif norm == "L1":
        size = values.abs().sum(-1, keepdim=True)
    else:
        size = (values * values).sum(-1, keepdim=True).sqrt()
    return torch.div(values, torch.where(size == 0, torch.ones_like(size), size))


@operator("Binarizer", family=FAMILY, domain=LEARNING, gradient=False)
def binarizer(call: Call) -> torch.Tensor:
    return torch.gt(call[0], call.get("threshold", 0.0)).to(call[0].dtype)


@operator("Imputer", family=FAMILY, domain=LEARNING)
def imputer(call: Call) -> torch.Tensor:
    values = call[0]
    if values.is_floating_point():
        filling, absent = call.get("imputed_value_floats"), call.get("replaced_value_float", 0.0)
    else:
        filling, absent = call.get("imputed_value_int64s"), call.get("replaced_value_int64", 0)
    missing = torch.isnan(values) if absent != absent else values == absent
    return torch.where(missing, torch.tensor(filling, dtype=values.dtype), values)


@operator("FeatureVectorizer", family=FAMILY, domain=LEARNING)
def feature_vectorizer(call: Call) -> torch.Tensor:
    return torch.cat([_fractions(each).reshape(each.shape[0], -1) for each in call.tensors()], 1)


@operator("ArrayFeatureExtractor", family=FAMILY, domain=LEARNING)
def array_feature_extractor(call: Call) -> Value:
    places = call[1].reshape(-1)
    values = call.value(0)
    if isinstance(values, np.ndarray):
        taken = np.take(values, places.numpy(), axis=-1)
        return taken.reshape(1, -1) if values.ndim == 1 else taken
    found = call[0].index_select(call[0].dim() - 1, places)
    return found.reshape(1, -1) if call[0].dim() == 1 else found


@operator("OneHotEncoder", family=FAMILY, domain=LEARNING, gradient=False)
def one_hot_encoder(call: Call) -> torch.Tensor:
    """One place a known level; all zeros for another, where `zeros` allows it."""
    levels = call.get("cats_strings") or call.get("cats_int64s")
    values = call.value(0)
    if isinstance(values, np.ndarray):
        found = torch.from_numpy(values[..., None] == np.array(levels, dtype=object))
    else:
        found = call[0].to(torch.int64)[..., None] == torch.tensor(levels)
    if not call.get("zeros", 1) and not bool(found.any(-1).all()):
        raise NotInterpretable("a level that it does not know")
    return found.to(torch.float32)


@operator("LabelEncoder", family=FAMILY, domain=LEARNING, gradient=False)
def label_encoder(call: Call) -> Value:
    """From keys to values, or to a default."""
    keys, values = _given(call, "keys"), _given(call, "values")
    kind, listed = values
    default = _default(call, kind)
    known = dict(zip(keys[1], listed, strict=True))
    return _mapped(call, known, kind, default)


KINDS = ("strings", "int64s", "floats")


def _given(call: Call, which: str) -> tuple[str, list[Any]]:
    for kind in KINDS:
        if call.get(f"{which}_{kind}") is not None:
            return kind, call.get(f"{which}_{kind}")
    tensor = call.get(f"{which}_tensor")
    if tensor is None:
        raise NotInterpretable(f"no {which}")
    if isinstance(tensor, np.ndarray):
        return "strings", tensor.tolist()
    return ("floats" if tensor.is_floating_point() else "int64s"), tensor.tolist()


def _default(call: Call, kind: str) -> Any:
    usual = {
        "strings": ("default_string", "_Unused"),
        "int64s": ("default_int64", -1),
        "floats": ("default_float", 0.0),
    }
    tensor = call.get("default_tensor")
    if tensor is not None:
        return tensor.reshape(-1).tolist()[0]
    name, default = usual[kind]
    return call.get(name, default)


def _mapped(call: Call, known: Mapping[Any, Any], kind: str, default: Any) -> Value:
    values = call.value(0)
    if isinstance(values, np.ndarray):
        flat, sizes = values.reshape(-1).tolist(), values.shape
    else:
        flat, sizes = call[0].reshape(-1).tolist(), tuple(call[0].shape)
    found = [known.get(value, default) for value in flat]
    if kind == "strings":
        texts: NDArray[np.object_] = np.empty(len(found), dtype=object)
        texts[:] = found
        return texts.reshape(sizes)
    return torch.tensor(found, dtype=torch.int64 if kind == "int64s" else torch.float32).reshape(sizes)


@operator("CategoryMapper", family=FAMILY, domain=LEARNING, gradient=False)
def category_mapper(call: Call) -> Value:
    texts, numbers = call.get("cats_strings"), call.get("cats_int64s")
    if isinstance(call.value(0), np.ndarray):
        return _mapped(call, dict(zip(texts, numbers, strict=True)), "int64s", call.get("default_int64", -1))
    return _mapped(call, dict(zip(numbers, texts, strict=True)), "strings", call.get("default_string", "_Unused"))


@operator("ZipMap", family=FAMILY, domain=LEARNING, gradient=False)
def zip_map(call: Call) -> list[dict[Any, float]]:
    labels = call.get("classlabels_strings") or call.get("classlabels_int64s")
    return [dict(zip(labels, row, strict=True)) for row in call[0].tolist()]
