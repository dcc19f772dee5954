"""scikit-learn classifiers as skops files. Loading rebuilds objects: what others wrote is loaded in a child alone."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from evenhand.classifiers.columns import text_of
from evenhand.classifiers.errors import CorruptModel, UnsupportedModel, listed
from evenhand.classifiers.runtimes.pipeline import Pipeline
from evenhand.classifiers.training.record import TrainingRecord

MEMBER = "evenhand.json"
MOST_DOCUMENT = 16 * 1024 * 1024

# Types beyond skops' own list, which holds scikit-learn's and NumPy's public ones. The loaders of trees read raw C
# structures, which is one reason for the child. HistGradientBoosting keeps partial(check_array) inside; skops checks
# what a partial calls.
ALLOWED = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
)


def to_bytes(classifier: Pipeline, record: TrainingRecord) -> bytes:
    """The whole file: skops' own members, and one of ours with the features, classes and training record."""
    from skops.io import dumps

    buffer = io.BytesIO(dumps(classifier.estimator))
    document = {
        "features": list(classifier.features),
        "classes": list(classifier.classes),
        "training": record.to_json(),
    }
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as folder:
        folder.writestr(zipfile.ZipInfo(MEMBER), json.dumps(document))
    return buffer.getvalue()


def from_bytes(
    data: bytes, *, name: str, features: Sequence[str] | None = None, classes: Sequence[str] | None = None
) -> tuple[Pipeline, TrainingRecord | None]:
    """The classifier in a file whose types are all on the list. Call it confined, unless this process wrote the file.

    Args:
        features: column names, for a file that does not tell them.
        classes: sorted label texts, for a model of other label values: class i is the i-th.

    Raises:
        UnsupportedModel: a type off the list, no classifier, or columns unknown.
        CorruptModel: it cannot be read.
    """
    from skops.io import get_untrusted_types, loads

    document = _document(data, name)
    try:
        unknown = sorted(set(get_untrusted_types(data=data)) - ALLOWED)
        if unknown:
            raise UnsupportedModel(
                name=name,
                problem=f"it holds objects of types that are not allowed: {listed(unknown)}",
                instead="Use scikit-learn's own steps alone, or export it to ONNX with skl2onnx.",
            )
        estimator = loads(data, trusted=sorted(ALLOWED))
    except (UnsupportedModel, MemoryError):
        raise
    except Exception as problem:  # whatever rebuilding damaged objects raises
        raise CorruptModel(name=name, problem=f"damaged skops ({type(problem).__name__}: {problem})") from None
    return _classifier(estimator, document, name, features, classes), _record(document, name)


def _document(data: bytes, name: str) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as folder:
            if MEMBER not in folder.namelist():
                return {}
            with folder.open(MEMBER) as member:
                return dict(json.loads(member.read(MOST_DOCUMENT)))
    except (zipfile.BadZipFile, ValueError, TypeError, OSError, NotImplementedError, RuntimeError) as problem:
        raise CorruptModel(name=name, problem=f"damaged skops ({problem})") from None


def _record(document: dict[str, Any], name: str) -> TrainingRecord | None:
    try:
        return TrainingRecord.from_json(document["training"]) if document.get("training") else None
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise CorruptModel(name=name, problem=f"its training record is damaged ({problem!r})") from None


def _classifier(
    estimator: Any,
    document: dict[str, Any],
    name: str,
    features: Sequence[str] | None,
    classes: Sequence[str] | None,
) -> Pipeline:
    if not hasattr(estimator, "predict_proba") or not hasattr(estimator, "classes_"):
        raise UnsupportedModel(
            name=name,
            problem=f"a {type(estimator).__name__} gives no probability of classes",
            instead="Save a fitted classifier with predict_proba.",
        )
    columns = document.get("features") or list(getattr(estimator, "feature_names_in_", ())) or features
    if not columns:
        raise UnsupportedModel(
            name=name,
            problem="it was fitted without column names",
            instead="Fit it on a pandas frame, or name its columns in order",
            setting="features",
        )
    found = [text_of(label) or "" for label in estimator.classes_.tolist()]
    known = tuple(document.get("classes") or classes or sorted(found))
    if not set(found) <= set(known):
        known = tuple(sorted(found))
    return Pipeline(estimator, features=tuple(str(column) for column in columns), classes=known)
