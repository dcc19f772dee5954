"""An ONNX file that this process has just written, at work in this process, to compare its scores."""

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, chosen
from evenhand.classifiers.images import checked
from evenhand.classifiers.models import ImageModel, TableModel
from evenhand.classifiers.runtimes.onnx_model import OnnxModel


def open_own(data: bytes, original: TableModel | ImageModel, *, name: str) -> TableModel | ImageModel:
    """The file as a classifier with the features and classes of the one it was exported from."""
    features = original.features if isinstance(original, TableModel) else None
    model = OnnxModel(data, name=name, features=features, classes=original.classes)
    return _Table(model) if model.inputs.image_shape is None else _Images(model)


class _Table(TableModel):
    def __init__(self, model: OnnxModel) -> None:
        self._model, self.features, self.classes = model, model.inputs.features, model.classes

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        return self._model.score_columns(chosen(columns, self.features))


class _Images(ImageModel):
    def __init__(self, model: OnnxModel) -> None:
        assert model.inputs.image_shape is not None
        self._model, self.image_shape, self.classes = model, model.inputs.image_shape, model.classes

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        return self._model.score_images(checked(images, self.image_shape))
