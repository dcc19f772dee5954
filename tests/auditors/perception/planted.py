"""The planted cases of METHODS section 6: drawings of people whose tone or background goes with the label in training.

70 roles x man and woman x 5 tones at 32 x 32; 42 roles train, 28 test; the test sets are balanced.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.robustness import ImageData
from evenhand.classifiers.training import train_images
from evenhand.datasets.builtin import emoji_people

Cue = Literal["tone", "background"]

CLASSES = ("man", "woman")
TEXTS: dict[Cue, tuple[str, str]] = {"tone": ("dark", "light"), "background": ("cool", "warm")}
PICTURES_A_CELL = 8
"""Training pictures of a role and gender: 42 x 2 x 8 = 672."""
WARM, COOL = (244, 208, 160), (160, 208, 244)


@dataclass(frozen=True)
class Drawings:
    """Rows of the built-in set: pictures uint8 (n, 32, 32, 3) on each background, and codes of shape (n,)."""

    pictures: dict[str, NDArray[np.uint8]]
    woman: NDArray[np.int64]
    tone: NDArray[np.int64]
    role: NDArray[np.int64]
    train: NDArray[np.bool_]


@cache
def drawings() -> Drawings:
    """Tone is 0 for the two darkest, 1 for the two lightest, -1 for the middle."""
    table = emoji_people.load().table
    tone = table.groups("tone")
    texts = np.array([tone.values[code] or "" for code in tone.codes])
    split = table.groups("split")
    return Drawings(
        pictures={
            "plain": emoji_people.load().images,
            "warm": emoji_people.load(background=WARM).images,
            "cool": emoji_people.load(background=COOL).images,
        },
        woman=table.classes("gender").codes.astype(np.int64),
        tone=np.where(texts == "light", 1, np.where(texts == "dark", 0, -1)),
        role=table.groups("role").codes.astype(np.int64),
        train=np.array([split.values[code] == "train" for code in split.codes]),
    )


def audit_set(cue: Cue, *, part: str = "test") -> ImageData:
    """Pictures of the 28 test roles (or of all 70, with part "all"), each cell as often as every other."""
    drawn = drawings()
    rows = np.flatnonzero((drawn.tone >= 0) & (~drawn.train if part == "test" else True))
    if cue == "tone":
        images, codes = drawn.pictures["plain"][rows], drawn.tone[rows]
    else:
        images = np.concatenate([drawn.pictures["cool"][rows], drawn.pictures["warm"][rows]])
        codes = np.repeat([0, 1], len(rows))
        rows = np.concatenate([rows, rows])
    pair = drawn.role[rows] * 2 + drawn.woman[rows]
    if cue == "background":
        pair = pair * 2 + drawn.tone[rows]
    return ImageData(
        images=images,
        label=drawn.woman[rows].astype(np.int32),
        classes=CLASSES,
        attributes={cue: (codes.astype(np.int32), TEXTS[cue])},
        unit=drawn.role[rows].astype(np.int32),
        pair=pair.astype(np.int32),
        ids=np.arange(len(rows), dtype=np.int64),
    )


def training_set(
    cue: Cue, rho: float, *, seed: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """672 pictures, labels and roles: a share rho of the women is light (or warm) and of the men dark (or cool)."""
    drawn, rng = drawings(), np.random.default_rng([seed, 5])
    images, label, role = [], [], []
    for one in np.unique(drawn.role[drawn.train]):
        for woman in (0, 1):
            for _ in range(PICTURES_A_CELL):
                code = woman if rng.random() < rho else 1 - woman
                of_person = (drawn.role == one) & (drawn.woman == woman) & (drawn.tone >= 0)
                rows = np.flatnonzero(of_person & (drawn.tone == code) if cue == "tone" else of_person)
                source = "plain" if cue == "tone" else TEXTS[cue][code]
                images.append(drawn.pictures[source][rng.choice(rows)])
                label.append(woman)
                role.append(one)
    return np.array(images), np.array(label), np.array(role)


@cache
def network(cue: Cue, rho: float, *, seed: int = 0, epochs: int = 30):  # type: ignore[no-untyped-def]
    """`convnet4` trained on the planted set."""
    images, label, role = training_set(cue, rho, seed=seed)
    trained = train_images(
        "convnet4", images, label, classes=CLASSES, units=role, seed=seed, device="cpu", epochs=epochs
    )
    return trained.classifier
