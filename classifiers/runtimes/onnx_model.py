"""An ONNX model at work. Opening one runs a stranger's graph, so onnx_worker.py does it, confined."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import Columns, row_count, rows_of, text_of
from evenhand.classifiers.errors import CorruptModel, UnsupportedModel, WrongInput, listed
from evenhand.classifiers.images import ImageShape
from evenhand.classifiers.runtimes.onnx_graph import facts_of
from evenhand.classifiers.runtimes.onnx_inputs import GraphInput, InputPlan, plan_inputs
from evenhand.classifiers.runtimes.onnx_outputs import LABEL, NAMED, names_in, plan_output

Feed = Callable[[slice], dict[str, NDArray[Any]]]
ROWS_AT_ONCE = 4096
PIXELS_AT_ONCE = 1 << 21


class OnnxModel:
    """A model that scores rows.

    Args:
        data: the file.
        name: what messages call it.
        features: columns in order, where the caller knows them.
        classes: sorted label texts, where the caller knows them.
        image_shape: for pictures whose size the graph leaves open.
        output: the output to read, where the caller chooses.
        threads: to compute with.

    Raises:
        CorruptModel: the file cannot be parsed.
        UnsupportedModel: an operator, input or output that cannot be used, or classes unknown.
        WrongInput: features or classes do not fit it.

    Attributes:
        classes: sorted label texts.
        order: for each of them, the place of its score in the model's own answer.
        answers: name and type of every output.
    """

    def __init__(
        self,
        data: bytes,
        *,
        name: str,
        features: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
        image_shape: ImageShape | None = None,
        output: str | None = None,
        threads: int = 1,
    ) -> None:
        self.name = name
        self.facts = facts_of(data, name=name)
        self._session = _session(data, name, threads)
        inputs = [GraphInput(each.name, each.type, _sizes(each.shape)) for each in self._session.get_inputs()]
        if not inputs:
            raise UnsupportedModel(name=name, problem="it has no input", instead="Export it with its input.")
        self.inputs: InputPlan = plan_inputs(inputs, name=name, features=features, image_shape=image_shape)
        self.answers = [(each.name, each.type) for each in self._session.get_outputs()]
        self.outputs = plan_output(self.answers, self.facts.made_by, name=name, output=output)
        self._own_names = self.facts.classes
        trial = self._try()
        self.classes, self.order = self._settle_classes(classes, trial)

    def score_columns(self, columns: Columns) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) of table rows, in the order of `classes`."""
        return self._score(
            lambda rows: self.inputs.feed_columns(rows_of(columns, rows)), row_count(columns), ROWS_AT_ONCE
        )

    def score_images(self, images: NDArray[np.float32]) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) of pictures (n, height, width, channels), in the order of `classes`."""
        at_once = max(1, PIXELS_AT_ONCE // int(np.prod(images.shape[1:])))
        return self._score(lambda rows: self.inputs.feed_images(images[rows]), len(images), at_once)

    def _score(self, feed: Feed, count: int, at_once: int) -> NDArray[np.float64]:
        scores = np.zeros((count, len(self.classes)))
        for start in range(0, count, self.inputs.batch_rows or at_once):
            rows = slice(start, min(start + (self.inputs.batch_rows or at_once), count))
            raw = self._run(feed(rows), rows.stop - rows.start)
            self.outputs = self.outputs.decide(raw)
            found = self.outputs.probabilities(raw, self._own_names, model=self.name)
            if found.shape != (rows.stop - rows.start, len(self.classes)):
                raise UnsupportedModel(
                    name=self.name,
                    problem=f"it answers {found.shape} scores for {len(raw)} rows and {len(self.classes)} classes",
                    instead="Name its classes, or export it with one score a class.",
                )
            scores[rows] = found[:, self.order]
        return scores

    def _run(self, feed: Mapping[str, NDArray[Any]], count: int) -> Any:
        """The raw output for `count` rows; a fixed batch is filled up with the last row, and the rest cut off."""
        missing = (self.inputs.batch_rows or count) - count
        if missing:
            feed = {key: np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)]) for key, rows in feed.items()}
        try:
            (raw,) = self._session.run([self.outputs.output], dict(feed))
        except Exception as problem:  # onnxruntime's errors have no common base below Exception
            if _is_about_memory(problem):
                raise MemoryError from None
            expected = f"rows that {self.name} can score"
            raise WrongInput(expected=expected, got=f"some that it refused ({_short(problem)})") from None
        return raw[:count]

    def _try(self) -> Any:
        """The raw output for a few made-up rows, or None where the model refuses them (an unknown level, say)."""
        count = self.inputs.batch_rows or 5
        chance = np.random.default_rng(0)
        if self.inputs.image_shape is not None:
            feed = self.inputs.feed_images(chance.random((count, *self.inputs.image_shape), dtype=np.float32))
        else:
            wide = np.round(chance.normal(size=count) * 10.0 ** chance.integers(0, 4, count))
            feed = self.inputs.feed_columns(dict.fromkeys(self.inputs.features, wide))
        try:
            raw = self._run(feed, count)
        except WrongInput:
            return None
        self.outputs = self.outputs.decide(raw)
        return raw

    def _settle_classes(self, classes: Sequence[str] | None, trial: Any) -> tuple[tuple[str, ...], list[int]]:
        """Sorted class names, and for each the place of its score in the model's answer."""
        if self.outputs.scores == NAMED and trial is not None:
            self._own_names = self._own_names or names_in(trial)
        own = self._own_names
        if own is None and self.outputs.scores in (LABEL, NAMED):
            own = self._own_names = _names_of_labels(classes, trial) if classes is not None else None
        elif own is None and trial is not None:
            count = self.outputs.probabilities(trial, None, model=self.name).shape[1]
            if classes is not None and len(classes) != count:
                raise WrongInput(expected=f"{count} classes for {self.name}", got=listed(list(classes)))
            own = tuple(str(place) for place in range(count))
        if own is None and classes is not None:
            own = tuple(str(place) for place in range(len(classes)))
        if own is None:
            raise UnsupportedModel(
                name=self.name, problem="it does not tell its classes", instead="Name them, sorted, with classes."
            )
        if classes is None or set(classes) == set(own):
            known = tuple(sorted(own))
            return known, [own.index(label) for label in known]
        if len(classes) != len(own):
            raise WrongInput(
                expected=f"{len(own)} classes for {self.name} ({listed(list(own))})", got=listed(list(classes))
            )
        return tuple(sorted(classes)), _places(sorted(classes))


def _names_of_labels(classes: Sequence[str], trial: Any) -> tuple[str, ...]:
    """The classes as a model that answers labels calls them: by their texts, or by their places."""
    given = set() if trial is None else {text_of(label) for label in np.asarray(trial).ravel().tolist()}
    return tuple(classes) if given <= set(classes) else tuple(str(place) for place in range(len(classes)))


def _places(classes: list[str]) -> list[int]:
    """For each class in text order, its place in the order that a trainer gives: by number where all are numbers."""
    try:
        by_value = sorted(classes, key=float)
    except ValueError:
        by_value = classes
    return [by_value.index(label) for label in classes]


def _session(data: bytes, name: str, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.use_deterministic_compute = True
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # onnxruntime's errors have no common base below Exception
        if _is_about_memory(problem):
            raise MemoryError from None
        kind = type(problem).__name__
        if kind in ("InvalidProtobuf", "InvalidGraph"):
            raise CorruptModel(name=name, problem=f"damaged ONNX ({_short(problem)})") from None
        raise UnsupportedModel(
            name=name,
            problem=f"onnxruntime refused it ({_short(problem)})",
            instead="Export it again with standard operators.",
        ) from None


def _sizes(shape: Sequence[Any]) -> tuple[int | None, ...]:
    return tuple(size if isinstance(size, int) and size > 0 else None for size in shape)


def _is_about_memory(problem: Exception) -> bool:
    return any(word in str(problem) for word in ("bad_alloc", "Failed to allocate memory", "std::length_error"))


def _short(problem: Exception) -> str:
    return " ".join(str(problem).split())[:300]
