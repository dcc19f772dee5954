"""Which formats a trained classifier of each kind can be saved in; writing them belongs in `saving` and `export`."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from evenhand.classifiers.errors import TrainingFailed

_NETWORK = ("safetensors", "onnx")
FORMATS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "neuron": _NETWORK,
        "mlp": _NETWORK,
        "convnet4": _NETWORK,
        "resnet_small": _NETWORK,
        "logistic_regression": ("skops", "onnx"),
        "random_forest": ("skops", "onnx"),
        "hist_gradient_boosting": ("skops",),  # skl2onnx converts neither its levels nor its offset
    }
)
"""Formats by kind, the one that keeps every bit first."""
NAMED_BY_ENDING = frozenset(
    {"onnx", "skops", "safetensors", "pkl", "pickle", "joblib", "pt", "pth", "pt2", "h5", "keras"}
)
"""Endings that say which format is meant, also those that are never written."""


def format_for(kind: str, asked: str | None = None) -> str:
    """The format to save a classifier in: the one asked for, or the kind's own.

    Args:
        kind: of training.
        asked: "onnx", "safetensors", "skops"; None takes the one that keeps every bit.

    Raises:
        TrainingFailed: the kind cannot be saved so; it names the formats that there are.
    """
    there_are = FORMATS[kind]
    if asked is None:
        return there_are[0]
    if asked not in there_are:
        raise TrainingFailed(
            kind=kind, problem=f"it cannot be saved as {asked}", instead=f"Choose {' or '.join(there_are)}."
        )
    return asked


def format_named(path: Path) -> str | None:
    """The format that the ending of a file's name asks for; None where it asks for none, as in `model` or `model.v2`."""
    ending = path.suffix.lower().removeprefix(".")
    return ending if ending in NAMED_BY_ENDING else None
