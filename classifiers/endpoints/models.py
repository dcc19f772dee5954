"""Endpoints as classifiers: of table rows, and of pictures. Black boxes both: there are scores and no gradients."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, chosen, row_count, rows_of
from evenhand.classifiers.endpoints.client import Client, Surroundings
from evenhand.classifiers.endpoints.description import Endpoint
from evenhand.classifiers.endpoints.payload import pixels_body, png_body, rows_body, scores_in
from evenhand.classifiers.endpoints.rules import Rules
from evenhand.classifiers.errors import BadEndpoint
from evenhand.classifiers.images import ImageShape, checked
from evenhand.classifiers.models import ImageModel, TableModel


class _Asked:
    """The classes of an endpoint, sorted as all classifiers have them, and the way to ask."""

    def __init__(self, client: Client, classes: Sequence[str]) -> None:
        if len(classes) < 2:
            raise BadEndpoint(
                key="classes",
                problem="they are named neither here nor by a label column",
                instead='Add classes = ["no", "yes"], in the order of the probabilities',
            )
        self.client, self.answered = client, tuple(classes)
        self.classes = tuple(sorted(classes))
        self._order = [self.answered.index(label) for label in self.classes]

    def scores(self, count: int, body: Callable[[slice], bytes]) -> NDArray[np.float64]:
        scores = np.zeros((count, len(self.classes)))
        for start in range(0, count, self.client.endpoint.batch):
            rows = slice(start, min(start + self.client.endpoint.batch, count))
            size = rows.stop - rows.start
            answer = self.client.ask(body(rows), rows=size)
            found = scores_in(answer, name=self.client.endpoint.host, rows=size, classes=self.answered)
            scores[rows] = found[:, self._order]
        return scores


class EndpointTable(TableModel):
    """An endpoint that is asked with rows."""

    def __init__(self, client: Client, *, features: Sequence[str], classes: Sequence[str]) -> None:
        if not features:
            raise BadEndpoint(
                key="features",
                problem="the columns to send are named neither here nor by the audit",
                instead='Add features = ["age", "job"], or name them for the audit',
                setting="features",
            )
        self._asked, self.features = _Asked(client, classes), tuple(features)
        self.classes = self._asked.classes

    def predict_proba(self, columns: Columns) -> NDArray[np.float64]:
        """As in `TableModel`. Raises EndpointRefused, EndpointFailed, QueriesSpent, WrongOutput."""
        taken = chosen(columns, self.features)
        return self._asked.scores(row_count(taken), lambda rows: rows_body(rows_of(taken, rows)))


class EndpointImages(ImageModel):
    """An endpoint that is asked with pictures."""

    def __init__(self, client: Client, *, image_shape: ImageShape, classes: Sequence[str]) -> None:
        self._asked, self.image_shape = _Asked(client, classes), image_shape
        self.classes = self._asked.classes
        self._body: Any = png_body if client.endpoint.sends == "png" else pixels_body

    def predict_proba(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """As in `ImageModel`. Raises EndpointRefused, EndpointFailed, QueriesSpent, WrongOutput."""
        images = checked(images, self.image_shape)
        return self._asked.scores(len(images), lambda rows: self._body(images[rows]))


def open_endpoint(
    endpoint: Endpoint,
    *,
    features: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    image_shape: ImageShape | None = None,
    rules: Rules | None = None,
    seed: int = 0,
    surroundings: Surroundings | None = None,
) -> EndpointTable | EndpointImages:
    """An endpoint as a classifier. Nothing is sent before the first rows are scored.

    Args:
        endpoint: its description.
        features, classes, image_shape: where the description does not name them.
        rules: which hosts may be asked; None as the environment says.
        seed: of the jitter between retries.
        surroundings: the world, for tests.

    Raises:
        EndpointRefused: by the rules.
        BadEndpoint: neither the description nor the arguments name what is needed.
    """
    client = Client(endpoint, rules=rules or Rules.from_environment(), seed=seed, surroundings=surroundings)
    named = endpoint.classes or tuple(classes or ())
    shape = endpoint.image_shape or image_shape
    if endpoint.sends == "rows" or (endpoint.sends is None and shape is None):
        return EndpointTable(client, features=endpoint.features or tuple(features or ()), classes=named)
    if shape is None:
        raise BadEndpoint(
            key="image_shape",
            problem="it takes pictures, and their size is not known",
            instead="Add image_shape = [height, width, channels]",
        )
    return EndpointImages(client, image_shape=shape, classes=named)
