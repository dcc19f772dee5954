"""Drawings of people in one style: each role as man and woman in five skin tones."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evenhand.datasets.builtin.stored import DATA
from evenhand.datasets.card import DatasetCard
from evenhand.datasets.imageset import ImageSet
from evenhand.datasets.readers import sha256_of
from evenhand.datasets.resize import area_average
from evenhand.datasets.table import Table

SIDE = 64
"""Pixels of the stored drawings."""
COLUMNS = ("role", "gender", "skin_tone", "tone", "pair", "split")
WHITE = (255, 255, 255)

CARD = DatasetCard(
    name="emoji-people",
    title="Emoji people: 70 roles, man and woman, five skin tones",
    description=(
        "Person emoji in Google's drawing style: each of 70 roles (cook, judge, running, ...) as man and woman in the"
        " five skin tones of Unicode. The drawings of one pair differ in skin tone, and in the hair drawn with it."
    ),
    source="Noto Emoji 2.048 artwork, from the 64 pixel sheet of the npm package emoji-datasource-google 16.0.0",
    licence=(
        "Artwork: Apache License 2.0, copyright Google (Noto Emoji)."
        " Sheet and index: MIT licence, copyright 2013 Cal Henderson (emoji-data)."
    ),
    rows=700,
    label="gender",
    label_meaning="gender presentation as drawn: 'man' or 'woman' by the emoji's Unicode name",
    positive="woman",
    favourable=None,
    favourable_meaning="neither answer helps anybody: what matters is that skin tone does not change it",
    sensitive=("tone",),
    unit="role",
    pair="pair",
    limits=(
        "Drawings, not photographs: a finding holds for this style and says nothing about faces of people.",
        "Gender here is how a drawing presents itself, in two kinds; it is nobody's gender.",
        "The drawings carry a natural proxy: women wear purple, pink and red, men green and blue.",
        "Hair colour changes with skin tone (from light to dark: black, blond, brown, brown, black), so that a"
        " counterpart differs in both.",
        "tone is 'light' for the two lightest and 'dark' for the two darkest tones; the middle one is missing.",
        "Pictures of one role share its drawing and are not independent: resample roles, not pictures.",
        "Left out: roles drawn facing right as well (mirror images), and golfing and supervillain, whose drawings"
        " barely show skin. The column split puts 42 roles into train and 28 into test, by a hash of the role's name.",
    ),
    kind="image",
)


def load(*, side: int = 32, background: tuple[int, int, int] = WHITE) -> ImageSet:
    """700 drawings with the columns role, gender, skin_tone, tone, pair and split.

    Args:
        side: pixels, a divisor of 64; smaller ones are averages over blocks of the stored 64 x 64.
        background: red, green and blue, 0 to 255, behind the transparent parts of the drawings.

    Returns:
        images uint8 (700, side, side, 3), in the order of role, gender and skin tone from light to dark.

    Raises:
        ValueError: side does not divide 64.
    """
    path = DATA / f"{CARD.name}.npz"
    with np.load(path, allow_pickle=False) as stored:
        drawings: NDArray[np.uint8] = stored["drawings"]
        columns = {name: [text or None for text in stored[name].tolist()] for name in COLUMNS}
    if side < 1 or SIDE % side:
        raise ValueError(f"side is {side}; it must divide {SIDE}: 64, 32, 16, 8, ...")
    sha256 = sha256_of(path)
    table = Table(CARD.name, pa.table(columns), CARD, sha256)
    return ImageSet(CARD.name, area_average(_over(drawings, background), SIDE // side), table, CARD, sha256)


def _over(drawings: NDArray[np.uint8], background: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Drawings with an opacity channel (n, height, width, 4) over one colour, rounded to the nearest level."""
    opacity = drawings[..., 3:].astype(np.uint16)
    ink = drawings[..., :3] * opacity + np.array(background, np.uint16) * (255 - opacity)
    return ((ink + 127) // 255).astype(np.uint8)
