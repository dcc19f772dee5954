"""Labels as codes into the sorted classes, and the refusal of labels from which nothing can be learned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.classifiers.columns import texts_of
from evenhand.classifiers.errors import TrainingFailed, listed


@dataclass(frozen=True)
class Labels:
    """The label of every row.

    Args:
        codes: shape (n,), index of the row's class.
        classes: sorted label texts.
    """

    codes: NDArray[np.int64]
    classes: tuple[str, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Rows of every class."""
        return tuple(np.bincount(self.codes, minlength=len(self.classes)).tolist())


def labels_of(kind: str, label: NDArray[Any], classes: Sequence[str] | None, *, rows: int) -> Labels:
    """Codes and classes of a label column.

    Args:
        label: shape (n,): label values (text or numbers); or, where classes are given, integer codes into them.
        classes: label texts in sorted order; None takes those that occur.
        rows: how many labels there must be.

    Raises:
        TrainingFailed: wrong length, a missing or unknown label, classes out of order, or fewer than two classes occur.
    """
    label = np.asarray(label)
    if label.shape != (rows,):
        raise TrainingFailed(
            kind=kind, problem=f"{rows} rows, but labels of shape {label.shape}", instead="Pass one each."
        )
    if classes is not None and list(classes) != sorted(set(classes)):
        raise TrainingFailed(
            kind=kind, problem=f"the classes {listed(list(classes))} are not sorted", instead="Pass each once, sorted."
        )
    found = _coded(kind, label, tuple(classes)) if classes is not None and label.dtype.kind in "iu" else None
    labels = found or _named(kind, label, tuple(classes) if classes is not None else None)
    present = [name for name, count in zip(labels.classes, labels.counts, strict=True) if count]
    if len(present) < 2:
        problem = f"all rows have the label {present[0]!r}" if present else "there are no rows"
        raise TrainingFailed(kind=kind, problem=problem, instead="Pass rows of at least two classes.")
    return labels


def _coded(kind: str, label: NDArray[Any], classes: tuple[str, ...]) -> Labels | None:
    codes = label.astype(np.int64)
    if codes.size and (codes.min() < 0 or codes.max() >= len(classes)):
        if set(texts_of(label).tolist()) <= set(classes):
            return None  # integers that are label values themselves, e.g. 1 and 2
        raise TrainingFailed(
            kind=kind,
            problem=f"label codes run from {codes.min()} to {codes.max()} for {len(classes)} classes",
            instead=f"Pass codes from 0 to {len(classes) - 1}.",
        )
    return Labels(codes, classes)


def _named(kind: str, label: NDArray[Any], classes: tuple[str, ...] | None) -> Labels:
    texts = texts_of(label)
    missing = sum(text is None for text in texts)
    if missing:
        raise TrainingFailed(kind=kind, problem=f"{missing} rows have no label", instead="Leave those rows out.")
    known = classes or tuple(sorted(set(texts.tolist())))
    place = {name: code for code, name in enumerate(known)}
    unknown = sorted(set(texts.tolist()) - set(known))
    if unknown:
        raise TrainingFailed(
            kind=kind,
            problem=f"labels {listed(unknown)} are not among the classes",
            instead=f"It has {listed(list(known))}.",
        )
    return Labels(np.array([place[text] for text in texts.tolist()], dtype=np.int64), known)
