"""Trained classifiers as ONNX, for other programs: networks, and pipelines that skl2onnx can convert."""

import copy
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.errors import UnsupportedModel
from evenhand.classifiers.export_tables import table_network
from evenhand.classifiers.runtimes.network import NetworkOfImages, NetworkOfTables
from evenhand.classifiers.runtimes.onnx_graph import CLASSES_KEY, TRAINING_KEY
from evenhand.classifiers.runtimes.pipeline import Pipeline
from evenhand.classifiers.saving import write_checked
from evenhand.classifiers.training.trained import Trained

OPSET = 17
ALLOWED_DIFFERENCE = 1e-5  # ONNX computes in 32 bits


def export_onnx(trained: Trained, path: Path | str) -> None:
    """Write an ONNX file with free batch size; pictures go in as (n, channels, height, width), columns one by one.

    A missing text goes in as the empty text, since ONNX has no missing text. A network of tables takes its encoder along.
    The training record travels in the file, so that an audit of the same data still takes the rows that were kept.

    Raises:
        UnsupportedModel: there is no conversion, e.g. of hist_gradient_boosting; `save` writes it as skops.
        SaveFailed: read back, it scores otherwise.
    """
    path, classifier = Path(path), trained.classifier
    if isinstance(classifier, NetworkOfImages):
        model = _network(classifier)
    elif isinstance(classifier, NetworkOfTables):
        model = table_network(classifier, opset=OPSET)
    elif isinstance(classifier, Pipeline):
        model = _pipeline(classifier, trained, path.name)
    else:
        raise UnsupportedModel(name=path.name, problem="it was loaded, not trained", instead="Copy its file.")
    for key, value in ((CLASSES_KEY, list(classifier.classes)), (TRAINING_KEY, trained.record.to_json())):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, json.dumps(value)
    write_checked(path, model.SerializeToString(), trained, allowed=ALLOWED_DIFFERENCE)


_SAVE = "Save it under a name that does not end in .onnx."


def _network(classifier: NetworkOfImages) -> Any:
    import onnx
    import torch

    height, width, channels = classifier.image_shape
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript, which is no dependency; the older one warns of its age at every step.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            torch.nn.Sequential(classifier.module, torch.nn.Softmax(dim=1)),
            (torch.zeros(1, channels, height, width),),
            buffer,  # type: ignore[arg-type]  # annotated for paths; the older exporter writes to files as well
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_axes={"images": {0: "n"}, "probabilities": {0: "n"}},
        )
    return onnx.load_model_from_string(buffer.getvalue())


def _pipeline(classifier: Pipeline, trained: Trained, name: str) -> Any:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    columns: Any = trained.sample
    types = [
        (column, (StringTensorType if columns[column].dtype == object else FloatTensorType)([None, 1]))
        for column in classifier.features
    ]
    try:
        return to_onnx(
            _with_empty_texts(classifier.estimator), initial_types=types, options={"zipmap": False}, target_opset=OPSET
        )
    except Exception as problem:  # skl2onnx's errors have no common base below Exception
        raise UnsupportedModel(
            name=name, problem=f"skl2onnx cannot convert {trained.record.kind} ({problem})"[:500], instead=_SAVE
        ) from None


def _with_empty_texts(estimator: Any) -> Any:
    """A copy whose encoders know a missing text as the empty text, as which it goes into ONNX."""
    from sklearn.preprocessing import OneHotEncoder

    own = copy.deepcopy(estimator)
    for _, step, columns in own[0].transformers_:
        if isinstance(step, OneHotEncoder) and len(columns):  # without columns it was never fitted
            step.categories_ = [_emptied(known) for known in step.categories_]
    return own


def _emptied(known: NDArray[Any]) -> NDArray[Any]:
    """Levels with the empty text for None; as they are where the empty text is a level of its own."""
    return known if "" in known.tolist() else np.array(["" if text is None else text for text in known], known.dtype)
