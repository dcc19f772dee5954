"""Opening a model file that anybody may have written: one function for every format."""

import hashlib
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from evenhand.classifiers.card import InputSpec, ModelCard
from evenhand.classifiers.endpoints.description import Endpoint, described_in, endpoint_from
from evenhand.classifiers.endpoints.rules import Rules
from evenhand.classifiers.errors import CorruptModel, ModelTooLarge, WrongInput, listed
from evenhand.classifiers.formats import Format, format_of
from evenhand.classifiers.images import ImageShape
from evenhand.classifiers.limits import Limits
from evenhand.classifiers.models import ImageModel, TableModel


@dataclass(frozen=True)
class LoadedClassifier:
    """A classifier from a file, and what was found there. Close it, or use it as a context manager, to end its child.

    Args:
        classifier: scores rows or pictures; a `TableModel` or an `ImageModel`.
        card: what was found.
    """

    classifier: TableModel | ImageModel
    card: ModelCard

    def close(self) -> None:
        """Free what the classifier holds. Closing twice is allowed."""
        self.classifier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load_classifier(
    path: Path | str,
    *,
    name: str | None = None,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    image_shape: ImageShape | None = None,
    output: str | None = None,
    limits: Limits | None = None,
) -> LoadedClassifier:
    """Load a classifier, telling what it is from its bytes. No code in the file is run in this process.

    ONNX and skops run in a confined child; networks in safetensors are built here, from our own registry, and have
    gradients. A description of an endpoint is asked over HTTP, see `load_endpoint`.

    Args:
        path: the file.
        name: what messages call it; None takes the name of the file.
        features: columns in order. An ONNX model with one tensor of numbers needs them; other models tell their own.
        classes: sorted label texts. A model that tells its classes keeps them; one whose classes are mere numbers or
            unknown takes these, class i being the i-th (in the order of numbers where all are numbers).
        image_shape: height, width, channels, for an ONNX model that leaves the size open.
        output: the ONNX output that holds the scores, where several could.
        limits: on the file and on the child.

    Raises:
        RefusedFormat: pickle in any guise, PyTorch's own formats, Keras.
        UnsupportedModel, CorruptModel, ModelTooLarge: it cannot be used.
        WrongInput: features or classes do not fit it.
        BadEndpoint, EndpointRefused: it describes an endpoint that cannot, or may not, be asked.
        ConfinementUnavailable: it would have to be confined, and cannot be.
        ChildFailed: opening it took too much memory or time, or crashed.
    """
    path, limits = Path(path), limits or Limits()
    name = name or path.name
    data = _read(path, name, limits.model_bytes)
    found = format_of(data, name=name)
    if found is Format.ENDPOINT:
        endpoint = endpoint_from(described_in(data) or {})
        return load_endpoint(endpoint, features=features, classes=classes, image_shape=image_shape)
    if found is Format.SAFETENSORS:
        return _network(data, name, features, classes)
    from evenhand.classifiers.runtimes.confined import open_confined

    classifier, opened, mode = open_confined(
        data,
        found.value,
        name=name,
        features=features,
        classes=classes,
        image_shape=image_shape,
        output=output,
        limits=limits,
    )
    card = ModelCard(
        kind=opened.kind,
        format=found.value,
        takes="table" if opened.image_shape is None else "images",
        inputs=opened.inputs,
        features=opened.features,
        image_shape=opened.image_shape,
        classes=opened.classes,
        scores=opened.scores,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        gradients=opened.differentiability.gradients,
        no_gradients=opened.differentiability.reason,
        difference=opened.differentiability.difference,
        compared=opened.differentiability.rows,
        layout=opened.layout,
        output=opened.output,
        outputs=opened.outputs,
        confined=mode,
        opset=opened.opset,
        producer=opened.producer,
        training=opened.training,
    )
    return LoadedClassifier(classifier, card)


def load_endpoint(
    endpoint: Endpoint,
    *,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    image_shape: ImageShape | None = None,
    rules: Rules | None = None,
    seed: int = 0,
) -> LoadedClassifier:
    """A classifier that answers over HTTP. Nothing is sent before the first rows are scored.

    Its digest is that of the description: what stands behind an address cannot be pinned.

    Args:
        features, classes, image_shape: as in `load_classifier`; what the description names comes first.
        rules, seed: as in `open_endpoint`.

    Raises:
        EndpointRefused: this installation does not ask that host.
        BadEndpoint: neither the description nor the arguments name what is needed.
    """
    from evenhand.classifiers.endpoints.models import EndpointImages, open_endpoint

    classifier = open_endpoint(
        endpoint, features=features, classes=classes, image_shape=image_shape, rules=rules, seed=seed
    )
    pictures = classifier.image_shape if isinstance(classifier, EndpointImages) else None
    described = endpoint.to_bytes()
    card = ModelCard(
        kind="endpoint",
        format=Format.ENDPOINT.value,
        takes="table" if pictures is None else "images",
        inputs=(),
        features=() if isinstance(classifier, EndpointImages) else classifier.features,
        image_shape=pictures,
        classes=classifier.classes,
        scores="probabilities",
        bytes=len(described),
        sha256=hashlib.sha256(described).hexdigest(),
        gradients=False,
        no_gradients="an endpoint answers with scores alone",
    )
    return LoadedClassifier(classifier, card)


def _read(path: Path, name: str, most_bytes: int) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise CorruptModel(name=name, problem="it is no regular file")
        with path.open("rb") as opened:
            data = opened.read(most_bytes + 1)
    except OSError as problem:
        raise CorruptModel(name=name, problem=problem.strerror or "it cannot be read") from None
    if len(data) > most_bytes:
        raise ModelTooLarge(name=name, found_bytes=path.stat().st_size, limit_bytes=most_bytes)
    return data


def _network(data: bytes, name: str, features: Sequence[str] | None, classes: Sequence[str] | None) -> LoadedClassifier:
    from evenhand.classifiers.runtimes import network_file

    classifier, record = network_file.from_bytes(data, name=name)
    description = classifier.description
    if classes is not None and sorted(classes) != list(description.classes):
        raise WrongInput(expected=f"the classes of {name}: {listed(description.classes)}", got=listed(list(classes)))
    columns = description.encoder.features if description.encoder else ()
    absent = [column for column in columns if features is not None and column not in features]
    if absent:
        raise WrongInput(expected=f"the columns of {name}: {listed(columns)}", got=f"features without {listed(absent)}")
    if description.encoder is None:
        inputs: tuple[InputSpec, ...] = (
            InputSpec(name="images", type="float32", shape=(None, *description.input_shape)),
        )
    else:
        inputs = tuple(
            InputSpec(name=column, type="float64" if known is None else "text", shape=(None,))
            for column, known in zip(columns, description.encoder.levels, strict=True)
        )
    card = ModelCard(
        kind=description.kind,
        format=Format.SAFETENSORS.value,
        takes="images" if description.encoder is None else "table",
        inputs=inputs,
        features=columns,
        image_shape=description.image_shape,
        classes=description.classes,
        scores="logits",
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        gradients=description.encoder is None,
        no_gradients=None if description.encoder is None else "it reads a table, and audits of tables ask for none",
        training=record,
    )
    return LoadedClassifier(classifier, card)
