"""How an ONNX model's answer becomes probabilities: which output has scores, of which classes, and of which kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import text_of
from evenhand.classifiers.errors import UnsupportedModel, WrongOutput, listed

Array = NDArray[Any]
FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")
LABELS = ("tensor(int64)", "tensor(int32)", "tensor(string)")
TELLING_NAMES = ("probabilities", "output_probability", "probability", "probs", "scores", "logits", "output")
TOLERANCE = 1e-3

UNDECIDED, PROBABILITIES, LOGITS, SIGMOIDS, NAMED, LABEL = (
    "undecided",
    "probabilities",
    "logits",
    "sigmoids",
    "named probabilities",
    "labels",
)
DECIDED_BY = {"Softmax": PROBABILITIES, "Sigmoid": SIGMOIDS}
# These give raw scores as well; skl2onnx names the output "probabilities" where they are.
DECIDED_BY_NAME = ("LinearClassifier", "TreeEnsembleClassifier", "Normalizer")


@dataclass(frozen=True)
class OutputPlan:
    """How to read a model's answer.

    Args:
        output: name of the output that is read.
        scores: one of the words above; "undecided" until rows have been scored.
    """

    output: str
    scores: str

    def decide(self, raw: Any) -> "OutputPlan":
        """Settle what the scores are by looking at some: rows of fractions summing to 1 are probabilities."""
        if self.scores != UNDECIDED:
            return self
        values = _two_columns_or_more(np.asarray(raw, dtype=np.float64))
        if values.shape[1] == 1:
            inside = bool(((values >= 0) & (values <= 1)).all())
            return replace(self, scores=SIGMOIDS if inside else LOGITS)
        return replace(self, scores=PROBABILITIES if _sum_to_one(values) else LOGITS)

    def probabilities(self, raw: Any, names: Sequence[str] | None, *, model: str) -> NDArray[np.float64]:
        """Scores (n, n_classes) in the model's own order of classes.

        Args:
            raw: the output as onnxruntime gives it.
            names: the model's own class names in its order; needed for labels and for probabilities by name.
            model: what messages call it.

        Raises:
            WrongOutput: not a number, or probabilities that do not sum to 1.
        """
        if self.scores == NAMED:
            rows = [[row.get(name, 0.0) for name in names or ()] for row in _texts_in(raw)]
            return np.array(rows, dtype=np.float64)
        if self.scores == LABEL:
            found = np.array([text_of(label) for label in np.asarray(raw).ravel().tolist()], dtype=object)
            return np.asarray(found[:, None] == np.array(names, dtype=object)[None, :], dtype=np.float64)
        values = _two_columns_or_more(np.asarray(raw, dtype=np.float64))
        if not np.isfinite(values).all():
            raise WrongOutput(name=model, expected="numbers", got="values that are not numbers, or infinite")
        if values.shape[1] == 1:
            of_second = values if self.scores == SIGMOIDS else 1 / (1 + np.exp(-np.clip(values, -500, 500)))
            return np.concatenate([1 - of_second, of_second], axis=1)
        if self.scores == LOGITS:
            powers = np.exp(values - values.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        if self.scores == SIGMOIDS:
            return np.asarray(values / np.maximum(values.sum(axis=1, keepdims=True), 1e-12))
        if not _sum_to_one(values):
            raise WrongOutput(
                name=model, expected="probabilities that sum to 1", got=f"rows like {values[0].tolist()[:4]}"
            )
        return values


def plan_output(
    outputs: Sequence[tuple[str, str]], made_by: Mapping[str, str], *, name: str, output: str | None
) -> OutputPlan:
    """Choose the output that is read: named probabilities, else a float tensor, else labels.

    Args:
        outputs: name and type of every output of the graph.
        made_by: the operator behind each, where it tells what the scores are.
        output: the caller's choice.

    Raises:
        UnsupportedModel: none fits, or several do.
    """
    offered = [each for each in outputs if output in (None, each[0])]
    maps = [each for each, type_name in offered if type_name.startswith("seq(map(")]
    floats = [each for each, type_name in offered if type_name in FLOATS]
    labels = [each for each, type_name in offered if type_name in LABELS]
    if maps:
        return OutputPlan(maps[0], NAMED)
    if floats:
        telling = [each for each in TELLING_NAMES if each in floats]
        if len(floats) > 1 and not telling:
            raise UnsupportedModel(
                name=name,
                problem=f"several outputs could be the scores: {listed(floats)}",
                instead="Name the one to read.",
            )
        chosen = telling[0] if telling else floats[0]
        maker = made_by.get(chosen, "")
        if maker in DECIDED_BY_NAME and "probabilit" in chosen:
            return OutputPlan(chosen, PROBABILITIES)
        return OutputPlan(chosen, DECIDED_BY.get(maker, UNDECIDED))
    if labels:
        return OutputPlan(labels[0], LABEL)
    raise UnsupportedModel(
        name=name,
        problem=f"no output holds scores or labels: {listed([each for each, _ in outputs])}",
        instead="Export it with its probabilities, shape (n, classes).",
    )


def names_in(raw: Any) -> tuple[str, ...]:
    """Class names of named probabilities, in the order of the first row."""
    return tuple(_texts_in(raw)[0]) if len(raw) else ()


def _texts_in(raw: Any) -> list[dict[str, float]]:
    return [{text_of(label) or "": score for label, score in row.items()} for row in raw]


def _two_columns_or_more(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.reshape(len(values), -1)


def _sum_to_one(values: NDArray[np.float64]) -> bool:
    return bool((values >= -TOLERANCE).all() and (np.abs(values.sum(axis=1) - 1) <= TOLERANCE).all())
