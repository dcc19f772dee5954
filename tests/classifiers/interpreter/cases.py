"""Nodes to compare with onnxruntime, at least one for every operator of the table."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CHANCE = np.random.default_rng(7)
PICTURES = CHANCE.normal(size=(2, 4, 6, 5)).astype(np.float32)
MATRIX = CHANCE.normal(size=(4, 5)).astype(np.float32)
INSIDE = CHANCE.uniform(-0.9, 0.9, (4, 5)).astype(np.float32)
POSITIVE = CHANCE.uniform(1.1, 3, (4, 5)).astype(np.float32)
WHOLE = CHANCE.integers(-9, 9, (4, 5)).astype(np.int64)
OTHERS = np.where(WHOLE % 7 == 0, 3, WHOLE % 7 - 3)
OTHERS[OTHERS == 0] = 2
TRUTHS, LIES = CHANCE.random((4, 5)) < 0.5, CHANCE.random((4, 5)) < 0.5
TEXTS = np.array([["a", "b", "x"], ["b", "b", "a"]], dtype=object)
SPECIAL = np.array([[np.nan, np.inf, -np.inf, 1]], dtype=np.float32)
ROWS = np.array([[1, 2, 3], [0, 0, 0], [-4, 5, -6]], dtype=np.float32)
EVERYWHERE = (13, 15, 17, 19, 21)


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


@dataclass(frozen=True)
class Case:
    """One node: inputs in order (None: left out; those after the first are constants), attributes, opsets."""

    name: str
    inputs: tuple[Any, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    opsets: tuple[int, ...] = (13, 21)
    outputs: int = 1
    domain: str = ""

    @property
    def id(self) -> str:
        kinds = "".join("-" if each is None else np.asarray(each).dtype.char for each in self.inputs)
        return f"{self.name}[{kinds}]" + ",".join(f"{key}={value}" for key, value in self.attributes.items())[:60]


def of(name: str, *inputs: Any, opsets: tuple[int, ...] = (13, 21), outputs: int = 1, **attributes: Any) -> Case:
    return Case(name, inputs, attributes, opsets, outputs)


def ml(name: str, *inputs: Any, outputs: int = 1, opsets: tuple[int, ...] = (21,), **attributes: Any) -> Case:
    return Case(name, inputs, attributes, opsets, outputs, "ai.onnx.ml")


def arithmetic() -> Iterator[Case]:
    for name in ("Abs", "Cos", "Cosh", "Erf", "Exp", "Neg", "Sin", "Sinh", "Tan", "Tanh"):
        yield of(name, INSIDE)
    for name in ("Acos", "Asin", "Asinh", "Atan", "Atanh"):
        yield of(name, INSIDE)
    for name in ("Acosh", "Log", "Reciprocal", "Sqrt"):
        yield of(name, POSITIVE)
    for name in ("Ceil", "Floor", "Sign"):
        yield of(name, MATRIX * 3)
    yield of("Round", np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.4], dtype=np.float32))
    for name in ("Abs", "Neg", "Sign"):
        yield of(name, WHOLE)
    for name in ("Add", "Sub", "Mul", "Div"):
        yield of(name, MATRIX, POSITIVE[:1])
        yield of(name, MATRIX, POSITIVE[:, :1].copy())
        yield of(name, WHOLE, OTHERS)
        yield of(name, WHOLE.astype(np.int32), OTHERS.astype(np.int32))
        yield of(name, MATRIX.astype(np.float64), POSITIVE.astype(np.float64))
    yield of("Mod", WHOLE, OTHERS)
    yield of("Mod", WHOLE, OTHERS, fmod=1)
    yield of("Mod", MATRIX, POSITIVE, fmod=1)
    yield of("Pow", POSITIVE, MATRIX)
    yield of("Pow", MATRIX, np.array(2, dtype=np.int64))
    yield of("Pow", WHOLE, np.array(3, dtype=np.int64))
    for name in ("Min", "Max", "Sum", "Mean"):
        yield of(name, MATRIX, POSITIVE[:1], INSIDE)
        yield of(name, MATRIX)
    for name in ("Min", "Max"):
        yield of(name, WHOLE, OTHERS)
    yield of("Clip", MATRIX, np.float32(-0.5), np.float32(0.5))
    yield of("Clip", MATRIX, None, np.float32(0.5))
    yield of("Clip", MATRIX, np.float32(0.1))
    yield of("Clip", WHOLE, np.int64(-2), np.int64(3))
    yield of("MatMul", MATRIX, MATRIX.T.copy())
    yield of("MatMul", PICTURES, CHANCE.normal(size=(5, 3)).astype(np.float32))
    yield of("MatMul", MATRIX[0], MATRIX.T.copy())
    yield of("MatMul", WHOLE, OTHERS.T.copy())
    yield of("Gemm", MATRIX, MATRIX.T.copy(), np.ones(4, dtype=np.float32), alpha=0.5, beta=2.0)
    yield of("Gemm", MATRIX, INSIDE, transB=1)
    yield of("Gemm", MATRIX, INSIDE, transA=1)
    yield of("Einsum", PICTURES, MATRIX, equation="bchw,cw->bh")
    yield of("Det", CHANCE.normal(size=(3, 2, 2)).astype(np.float32))
    for settings in ({}, {"exclusive": 1}, {"reverse": 1}, {"exclusive": 1, "reverse": 1}):
        yield of("CumSum", MATRIX, np.array(1, dtype=np.int64), **settings)
    yield of("CumSum", WHOLE.astype(np.int32), np.array(-2, dtype=np.int64))
    for name in ("Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"):
        yield of(name, MATRIX, INSIDE)
        yield of(name, WHOLE, OTHERS)
    yield of("Equal", TEXTS, np.array("b", dtype=object), opsets=(19,))
    for name in ("And", "Or", "Xor"):
        yield of(name, TRUTHS, LIES)
    yield of("Not", TRUTHS)
    for name in ("BitwiseAnd", "BitwiseOr", "BitwiseXor"):
        yield of(name, WHOLE, OTHERS, opsets=(18,))
    yield of("BitwiseNot", WHOLE, opsets=(18,))
    yield of("BitShift", np.array([1, 8, 5], np.uint8), np.array([1, 2, 3], np.uint8), direction="LEFT")
    yield of("BitShift", np.array([1, 8, 250], np.uint8), np.array([1, 2, 3], np.uint8), direction="RIGHT")
    yield of("IsNaN", SPECIAL)
    yield of("IsInf", SPECIAL)
    yield of("IsInf", SPECIAL, detect_negative=0)
    yield of("Where", TRUTHS, MATRIX, INSIDE)
    yield of("Where", TRUTHS[:2, :3].copy(), TEXTS, TEXTS[::-1].copy())


def activation() -> Iterator[Case]:
    for name in ("Relu", "Sigmoid", "Softplus", "Softsign", "HardSwish", "LeakyRelu", "Elu", "Celu", "Selu"):
        yield of(name, MATRIX * 3, opsets=(14, 21) if name == "HardSwish" else (13, 21))
    yield of("Mish", MATRIX, opsets=(18,))
    yield of("LeakyRelu", MATRIX, alpha=0.3)
    yield of("Elu", MATRIX, alpha=0.7)
    yield of("Celu", MATRIX, alpha=0.7)
    yield of("Selu", MATRIX, alpha=1.2, gamma=0.9)
    yield of("PRelu", PICTURES, CHANCE.normal(size=(4, 1, 1)).astype(np.float32))
    yield of("ThresholdedRelu", MATRIX, alpha=0.4)
    yield of("HardSigmoid", MATRIX)
    yield of("HardSigmoid", MATRIX, alpha=0.3, beta=0.4)
    yield of("Shrink", MATRIX, lambd=0.4, bias=0.2)
    yield of("Gelu", MATRIX, opsets=(20, 21))
    yield of("Gelu", MATRIX, opsets=(20,), approximate="tanh")
    yield of("Swish", MATRIX, opsets=(24,))
    yield of("Swish", MATRIX, opsets=(24,), alpha=1.5)
    for name in ("Softmax", "LogSoftmax", "Hardmax"):
        yield of(name, PICTURES)
        yield of(name, PICTURES, axis=1)


def reduction() -> Iterator[Case]:
    names = ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")
    for name in names:
        values = POSITIVE if name == "LogSum" else MATRIX
        yield of(f"Reduce{name}", values)
        yield of(f"Reduce{name}", values, keepdims=0)
        newer = (13, 18, 21) if name == "Sum" else (18, 21)
        yield of(f"Reduce{name}", values, ints(-1), opsets=newer)
        yield of(f"Reduce{name}", values, ints(0, 1), opsets=newer, keepdims=0)
        if name != "Sum":
            yield of(f"Reduce{name}", values, opsets=(13,), axes=[1], keepdims=0)
    for name in ("Sum", "Max", "Min", "Prod", "Mean", "SumSquare", "L1"):
        yield of(f"Reduce{name}", np.abs(WHOLE).astype(np.int32)[:2, :3] + 1, opsets=(13, 18), keepdims=0)
    yield of("ReduceSum", MATRIX, noop_with_empty_axes=1)
    equals = np.array([[1, 3, 3], [2, 2, 1]], dtype=np.float32)
    for name in ("ArgMax", "ArgMin"):
        yield of(name, equals, axis=1)
        yield of(name, equals, axis=-1, keepdims=0)
        yield of(name, equals, axis=1, select_last_index=1)
        yield of(name, equals.astype(np.int32), axis=0)


def shape() -> Iterator[Case]:
    yield of("Identity", MATRIX)
    yield of("Identity", TEXTS)
    yield of("Dropout", MATRIX)
    yield of("Reshape", PICTURES, ints(0, -1))
    yield of("Reshape", PICTURES, ints(2, 2, 2, 30))
    yield of("Reshape", np.zeros((0, 3), np.float32), ints(3, 0), opsets=(14, 21), allowzero=1)
    yield of("Reshape", TEXTS, ints(-1, 1))
    for axis in (0, 1, 2, -1):
        yield of("Flatten", PICTURES, axis=axis)
    ones = MATRIX.reshape(1, 4, 1, 5)
    yield of("Squeeze", ones)
    yield of("Squeeze", ones, ints(-2))
    yield of("Unsqueeze", MATRIX, ints(-1, 0))
    yield of("Transpose", PICTURES)
    yield of("Transpose", PICTURES, perm=[0, 2, 3, 1])
    yield of("Concat", MATRIX, INSIDE, axis=1)
    yield of("Concat", WHOLE, OTHERS, axis=-2)
    yield of("Concat", TEXTS, TEXTS, axis=1)
    yield of("Split", PICTURES, ints(1, 3), outputs=2, axis=1)
    yield of("Split", PICTURES, opsets=(13,), outputs=2, axis=1)
    yield of("Split", PICTURES, opsets=(18, 21), outputs=3, axis=3, num_outputs=3)
    yield of("Expand", MATRIX[:, :1].copy(), ints(2, 1, 5))
    yield of("Tile", MATRIX, ints(2, 3))
    yield of("Shape", PICTURES, opsets=(13, 15, 21))
    yield of("Shape", PICTURES, opsets=(15, 21), start=1, end=-1)
    yield of("Size", PICTURES)
    yield of("ConstantOfShape", ints(2, 3))
    yield of("Range", np.int64(2), np.int64(11), np.int64(3))
    yield of("Range", np.float32(1), np.float32(-1), np.float32(-0.5))
    yield of("EyeLike", MATRIX, k=1)
    yield of("EyeLike", MATRIX, dtype=7)
    for to in (1, 6, 7, 9, 11):
        yield of("Cast", MATRIX * 3, to=to)
        yield of("Cast", WHOLE, to=to)
    yield of("Cast", WHOLE, to=8)
    yield of("Cast", np.array(["1.5", "-2"], dtype=object), to=1)
    yield of("CastLike", MATRIX, np.float64(1), opsets=(15, 21))
    pads = ints(0, 0, 1, 2, 0, 0, 0, 1)
    yield of("Pad", PICTURES, pads)
    yield of("Pad", PICTURES, pads, np.float32(1.5))
    yield of("Pad", PICTURES, ints(0, 0, -1, 0, 0, 0, 0, -2))
    yield of("Pad", PICTURES, pads, mode="reflect")
    yield of("Pad", PICTURES, pads, mode="edge")
    yield of("Pad", PICTURES, pads, opsets=(19,), mode="wrap")
    yield of("Pad", PICTURES, ints(1, 2, 3, 4), None, ints(2, 3), opsets=(18, 21))
    yield of("Pad", WHOLE, ints(1, 0, 0, 1), np.int64(7))
    deep = CHANCE.normal(size=(1, 8, 2, 3)).astype(np.float32)
    yield of("DepthToSpace", deep, blocksize=2)
    yield of("DepthToSpace", deep, blocksize=2, mode="CRD")
    yield of("SpaceToDepth", PICTURES[:, :, :, :4].copy(), blocksize=2)


def selection() -> Iterator[Case]:
    yield of("Slice", PICTURES, ints(1, -3), ints(3, 9223372036854775807), ints(1, 3))
    yield of("Slice", PICTURES, ints(-1), ints(-9223372036854775807), ints(2), ints(-2))
    yield of("Slice", PICTURES, ints(5), ints(1), ints(-2), ints(-1))
    yield of("Slice", WHOLE, ints(0, 0), ints(2, 5), None, ints(1, 2))
    yield of("Slice", TEXTS, ints(0), ints(1), ints(1))
    yield of("Gather", PICTURES, np.array([[0, -1], [1, 1]], dtype=np.int64), axis=2)
    yield of("Gather", WHOLE, np.array(-2, dtype=np.int32), axis=1)
    yield of("Gather", TEXTS, ints(1, 0), axis=1)
    yield of("GatherElements", MATRIX, np.array([[0, -1], [1, 1]], dtype=np.int64), axis=1)
    yield of("GatherND", PICTURES, np.array([[0, 1], [1, -1]], dtype=np.int64))
    yield of("GatherND", PICTURES, np.array([[[0, 1]], [[1, 2]]], dtype=np.int64), batch_dims=1)
    places, updates = np.array([[0, 3], [1, -1]], dtype=np.int64), INSIDE[:2, :2].copy()
    yield of("ScatterElements", MATRIX, places, updates, axis=1)
    for how in ("add", "mul"):
        yield of("ScatterElements", MATRIX, places, updates, opsets=(16, 18), axis=1, reduction=how)
    for how in ("max", "min"):
        yield of("ScatterElements", MATRIX, places, updates, opsets=(18,), axis=1, reduction=how)
    yield of("ScatterND", MATRIX, np.array([[0], [-1]], dtype=np.int64), INSIDE[:2].copy())
    yield of(
        "ScatterND", MATRIX, np.array([[0], [0]], dtype=np.int64), INSIDE[:2].copy(), opsets=(16,), reduction="add"
    )
    yield of("OneHot", ints(0, 2, -1), np.int64(4), np.array([0.5, 2], dtype=np.float32))
    yield of("OneHot", ints(0, 2, 9), np.int64(4), np.array([0, 1], dtype=np.int64), axis=0)
    for settings in ({}, {"upper": 0}):
        yield of("Trilu", MATRIX, opsets=(14,), **settings)
        yield of("Trilu", MATRIX, np.array(1, dtype=np.int64), opsets=(14,), **settings)
    yield of("NonZero", WHOLE)
    equals = np.array([[1, 3, 3, 2], [2, 2, 1, 0]], dtype=np.float32)
    yield of("TopK", equals, ints(2), outputs=2)
    yield of("TopK", equals, ints(2), outputs=2, largest=0)
    yield of("TopK", WHOLE, ints(1), outputs=2, axis=0)
    scales = np.array([1, 1, 2, 1.6], dtype=np.float32)
    for how in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"):
        yield of("Resize", PICTURES, None, scales, mode="linear", coordinate_transformation_mode=how)
        yield of("Resize", PICTURES, None, None, ints(2, 4, 3, 9), mode="linear", coordinate_transformation_mode=how)
        for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
            settings = {"coordinate_transformation_mode": how, "nearest_mode": nearest}
            yield of("Resize", PICTURES, None, np.array([1, 1, 2, 2], np.float32), opsets=(13,), **settings)
    yield of(
        "Resize",
        PICTURES,
        None,
        scales,
        opsets=(19,),
        mode="linear",
        coordinate_transformation_mode="half_pixel_symmetric",
    )
    yield of("Resize", PICTURES, None, scales[2:], opsets=(18,), mode="linear", axes=[2, 3])


def convolution() -> Iterator[Case]:
    def kernel(*sizes: int) -> np.ndarray:
        return CHANCE.normal(size=sizes).astype(np.float32)

    bias = kernel(3)
    yield of("Conv", PICTURES, kernel(3, 4, 3, 3), bias)
    yield of("Conv", PICTURES, kernel(3, 4, 3, 3), bias, pads=[1, 1, 1, 1], strides=[2, 2])
    yield of("Conv", PICTURES, kernel(3, 4, 3, 2), pads=[0, 1, 2, 0], dilations=[2, 1])
    yield of("Conv", PICTURES, kernel(8, 1, 3, 3), group=4)
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        yield of("Conv", PICTURES, kernel(3, 4, 2, 3), auto_pad=auto, strides=[2, 2])
        yield of("MaxPool", PICTURES, kernel_shape=[2, 3], auto_pad=auto, strides=[2, 2])
        yield of("AveragePool", PICTURES, kernel_shape=[2, 3], auto_pad=auto, strides=[2, 2])
    yield of("Conv", PICTURES[..., 0].copy(), kernel(3, 4, 3), bias, pads=[1, 1])
    yield of("Conv", PICTURES[..., None] * np.ones(3, np.float32), kernel(3, 4, 2, 2, 2))
    yield of("ConvTranspose", PICTURES, kernel(4, 3, 3, 3), bias)
    yield of("ConvTranspose", PICTURES, kernel(4, 3, 3, 3), bias, strides=[2, 2], pads=[1, 1, 1, 1])
    yield of("ConvTranspose", PICTURES, kernel(4, 3, 3, 3), strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 1])
    yield of("ConvTranspose", PICTURES, kernel(4, 2, 2, 2), group=2, dilations=[2, 1])
    yield of("ConvTranspose", PICTURES, kernel(4, 3, 3, 3), strides=[2, 2], output_shape=[12, 10])
    for auto in ("SAME_UPPER", "SAME_LOWER"):
        yield of("ConvTranspose", PICTURES, kernel(4, 3, 3, 3), bias, strides=[2, 2], auto_pad=auto)
    for name in ("MaxPool", "AveragePool"):
        yield of(name, PICTURES, kernel_shape=[2, 2])
        yield of(name, PICTURES, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
        yield of(name, PICTURES, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
        yield of(name, PICTURES, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
        yield of(name, PICTURES[..., 0].copy(), kernel_shape=[3], strides=[2])
    yield of("MaxPool", PICTURES, kernel_shape=[2, 2], dilations=[2, 2])
    yield of("MaxPool", CHANCE.integers(0, 9, (1, 2, 4, 4)).astype(np.uint8), kernel_shape=[2, 2], pads=[1, 1, 0, 0])
    yield of("AveragePool", PICTURES, kernel_shape=[2, 2], opsets=(19,), dilations=[2, 1])
    yield of("AveragePool", PICTURES, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    yield of("AveragePool", PICTURES, kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0], count_include_pad=1)
    yield of("LpPool", PICTURES, kernel_shape=[2, 2], strides=[2, 2])
    yield of("LpPool", PICTURES, kernel_shape=[2, 2], p=3)
    yield of("GlobalAveragePool", PICTURES)
    yield of("GlobalMaxPool", PICTURES)


def normalisation() -> Iterator[Case]:
    scale, shift, mean, variance = (CHANCE.uniform(0.5, 2, 4).astype(np.float32) for _ in range(4))
    yield of("BatchNormalization", PICTURES, scale, shift, mean, variance, opsets=(13, 15, 21))
    yield of("BatchNormalization", PICTURES, scale, shift, mean, variance, epsilon=0.1)
    yield of("InstanceNormalization", PICTURES, scale, shift)
    last = CHANCE.uniform(0.5, 2, 5).astype(np.float32)
    yield of("LayerNormalization", PICTURES, last, last, opsets=(17, 21))
    yield of("LayerNormalization", PICTURES, PICTURES[0, 0], opsets=(17,), axis=2, epsilon=0.1)
    yield of("RMSNormalization", PICTURES, last, opsets=(23,))
    yield of("GroupNormalization", PICTURES, scale[:2].copy(), shift[:2].copy(), opsets=(18,), num_groups=2)
    yield of("GroupNormalization", PICTURES, scale, shift, opsets=(21,), num_groups=2)
    yield of("LRN", PICTURES, size=3)
    yield of("LRN", PICTURES, size=3, alpha=0.5, beta=0.6, bias=2.0)
    yield of("MeanVarianceNormalization", PICTURES)
    for p in (1, 2):
        yield of("LpNormalization", ROWS, p=p)
        yield of("LpNormalization", PICTURES, p=p, axis=1)


def learning() -> Iterator[Case]:
    weights = [1.0, 0.5, -1.0, -0.2, 0.3, 0.1]
    for transform in ("NONE", "SOFTMAX", "LOGISTIC"):
        settings = {"coefficients": weights, "intercepts": [0.1, -0.2], "post_transform": transform}
        yield ml("LinearClassifier", ROWS, outputs=2, classlabels_ints=[3, 5], **settings)
        yield ml("LinearClassifier", ROWS.astype(np.int64), outputs=2, classlabels_strings=["n", "y"], **settings)
    for transform in ("NONE", "LOGISTIC"):
        settings = {"coefficients": weights[:3], "intercepts": [0.1], "post_transform": transform}
        yield ml("LinearClassifier", ROWS, outputs=2, classlabels_ints=[0, 1], **settings)
    yield ml("LinearRegressor", ROWS, coefficients=weights, intercepts=[1.0, 2.0], targets=2)
    yield ml("LinearRegressor", ROWS, coefficients=weights[:3])
    yield ml("Scaler", ROWS, offset=[1.0, 2.0, 3.0], scale=[0.5, 2.0, 1.0])
    yield ml("Scaler", ROWS.astype(np.int64), offset=[1.0], scale=[0.5])
    for norm in ("MAX", "L1", "L2"):
        yield ml("Normalizer", ROWS[[0, 1]], norm=norm)
    for norm in ("L1", "L2"):
        yield ml("Normalizer", ROWS, norm=norm)
    yield ml("Binarizer", ROWS, threshold=1.5)
    holes = np.array([[1, np.nan, 3], [np.nan, 5, 6]], dtype=np.float32)
    yield ml("Imputer", holes, imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=float("nan"))
    yield ml("Imputer", ROWS, imputed_value_floats=[7.0])
    yield ml("Imputer", ROWS.astype(np.int64), imputed_value_int64s=[7], replaced_value_int64=0)
    yield ml("FeatureVectorizer", ROWS, ROWS[:, :1].copy(), inputdimensions=[3, 1])
    yield ml("ArrayFeatureExtractor", ROWS, ints(2, 0))
    yield ml("ArrayFeatureExtractor", ints(4, 5, 6), ints(2, 0))
    yield ml("ArrayFeatureExtractor", np.array(["a", "b"], dtype=object), ints(1, 1, 0))
    yield ml("OneHotEncoder", TEXTS, cats_strings=["a", "b"], zeros=1)
    yield ml("OneHotEncoder", ints(3, 1, 7), cats_int64s=[1, 3], zeros=1)
    yield ml("OneHotEncoder", np.array([3, 1], np.float32), cats_int64s=[1, 3], zeros=0)
    yield ml("LabelEncoder", TEXTS, keys_strings=["a", "b"], values_int64s=[4, 5], default_int64=9)
    yield ml("LabelEncoder", ints(1, 2, 3), keys_int64s=[1, 2], values_strings=["one", "two"], default_string="?")
    yield ml("LabelEncoder", ints(1, 2, 3), keys_int64s=[1, 2], values_floats=[0.5, 1.5])
    yield ml("LabelEncoder", TEXTS, keys_strings=["a"], values_strings=["z"])
    yield ml("CategoryMapper", TEXTS, cats_strings=["a", "b"], cats_int64s=[4, 5])
    yield ml("CategoryMapper", ints(4, 6), cats_strings=["a", "b"], cats_int64s=[4, 5])
    yield ml("ZipMap", ROWS, classlabels_strings=["a", "b", "c"])
    yield ml("ZipMap", ROWS, classlabels_int64s=[5, 6, 7])


FAMILIES = (arithmetic, activation, reduction, shape, selection, convolution, normalisation, learning)
CASES = [case for family in FAMILIES for case in family()]
CONSTANTS = {
    "value_float": 1.5,
    "value_floats": [1.5, 2.0],
    "value_int": 3,
    "value_ints": [3, 4],
    "value_strings": ["a", "b"],
}
