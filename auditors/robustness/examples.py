"""The panel of adversarial pictures: one for each class and group, chosen by a rule, with the change in numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.data import ImageData, levels_of
from evenhand.auditors.robustness.ensemble import Outcome, Subjects
from evenhand.auditors.robustness.likeness import in_words, likeness
from evenhand.auditors.robustness.pictures import data_uri
from evenhand.auditors.robustness.scores import probabilities

MOST_EXAMPLES = 24


@dataclass(frozen=True)
class Example:
    row: int
    label: int
    group: str


def choose(
    data: ImageData, attribute: str, outcome: Outcome, sizes: NDArray[np.float64], *, eps: float
) -> Iterator[Example]:
    """For each class and known group, of the pictures broken at eps the one of median distance; equal ones by id."""
    codes, _ = data.attributes[attribute]
    broken = (outcome.smallest > 0) & (outcome.smallest <= eps)
    for label in range(len(data.classes)):
        for level in levels_of(data, attribute):
            rows = np.flatnonzero(broken & (data.label == label) & (codes == level.code))
            if level.text is not None and len(rows):
                ordered = rows[np.lexsort((data.ids[rows], sizes[rows]))]
                yield Example(int(ordered[(len(ordered) - 1) // 2]), label, level.text)


def examples_panel(
    data: ImageData,
    attribute: str,
    subjects: Subjects,
    outcome: Outcome,
    sizes: NDArray[np.float64],
    *,
    classifier: ImageClassifier,
    eps: float,
) -> Panel:
    """Original, change and result, side by side, with both predictions and the size of the change."""
    chosen = list(choose(data, attribute, outcome, sizes, eps=eps))[:MOST_EXAMPLES]
    rows = np.array([example.row for example in chosen], dtype=np.int64)
    fooled = probabilities(classifier, outcome.example[rows])
    rounded = probabilities(classifier, (np.rint(outcome.example[rows] * 255) / 255).astype(np.float32))
    images: list[dict[str, str]] = []
    lines: list[str] = []
    table: list[dict[str, Any]] = []
    for position, example in enumerate(chosen):
        before, after = subjects.clean[example.row], outcome.example[example.row]
        caption = f"{data.classes[example.label]}, {attribute} {example.group}"
        read = int(fooled[position].argmax())
        images += _pictures(before, after, caption=caption, fooled=data.classes[read])
        size = likeness(before, after)
        lines.append(f"{caption}, read as {data.classes[read]}. {in_words(size)}")
        table.append(
            {
                "picture": int(data.ids[example.row]),
                "class": data.classes[example.label],
                attribute: example.group,
                "read before": data.classes[example.label],
                "confidence before": round(float(subjects.scores[example.row, example.label]), 4),
                "read after": data.classes[read],
                "confidence after": round(float(fooled[position, read]), 4),
                "confidence in its class after": round(float(fooled[position, example.label]), 4),
                "largest change of a channel (of 255)": round(size.largest, 2),
                "mean change (of 255)": round(float(np.abs(after - before).mean()) * 255, 2),
                "length of the change (L2)": round(size.length, 3),
                "pixels changed by more than a level": round(size.changed, 3),
                "PSNR (dB)": round(size.peak_signal_to_noise, 1),
                "SSIM": round(size.structural_similarity, 3),
                "change shown times": round(magnification(after - before)),
                "found by": outcome.names[outcome.winner[example.row]],
                "still misread after rounding to 8 bits": "yes"
                if rounded[position].argmax() != example.label
                else "no",
            }
        )
    return Panel(
        name=f"adversarial_examples/{attribute}",
        title=f"Pictures that fool the classifier, by class and {attribute}",
        text=_TEXT if chosen else "No attack of the run broke a picture at the size of change that decides.",
        images=images,
        lines=lines,
        table=table,
    )


_TEXT = (
    "For each class and group, of the pictures that an attack broke at the size of change that decides, the one of "
    "median distance: the original, the change (grey is no change; scaled to full contrast), and the result, which the "
    "classifier misreads. The line below says how large the change is. PSNR compares the change with the range of the "
    "picture, and more decibels are nearer to the original; SSIM compares structure, and 1 is the same. Whether a person "
    "would notice was not measured. One picture proves nothing; the verdict rests on the gaps."
)


def magnification(change: NDArray[np.float32]) -> float:
    """The factor by which a change is drawn: its largest becomes half the range about grey."""
    largest = float(np.abs(change).max())
    return 0.5 / largest if largest > 0 else 1.0


def _pictures(
    before: NDArray[np.float32], after: NDArray[np.float32], *, caption: str, fooled: str
) -> Iterator[dict[str, str]]:
    change = after - before
    times = magnification(change)
    yield {"src": data_uri(before), "alt": f"original: {caption}"}
    yield {
        "src": data_uri((0.5 + times * change).astype(np.float32)),
        "alt": f"change, {times:.0f} times as strong: {caption}",
    }
    yield {"src": data_uri(after), "alt": f"result, read as {fooled}: {caption}"}
