"""Makes emoji-people.npz out of the npm package emoji-datasource-google 16.0.0.

npm pack emoji-datasource-google@16.0.0
tar xzf emoji-datasource-google-16.0.0.tgz package/emoji.json package/img/google/sheets-clean/64.png
python -m evenhand.datasets.builtin.build.emoji_people package
"""

import hashlib
import io
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evenhand.datasets.builtin.build.inputs import file_bytes
from evenhand.datasets.builtin.emoji_people import COLUMNS, SIDE
from evenhand.datasets.builtin.stored import DATA

INDEX_SHA256 = "1d602e65be88772bf8cc368ce16b855d719eeddbafe128d471b80203f494d29f"
SHEET_SHA256 = "795a0c598d162c9a4aae23f2188c607b8c9bc1912cb7d84382459f8de91a3ae1"
TONES = {
    "1F3FB": ("light", "light"),
    "1F3FC": ("medium-light", "light"),
    "1F3FD": ("medium", ""),
    "1F3FE": ("medium-dark", "dark"),
    "1F3FF": ("dark", "dark"),
}
"""Unicode modifier to skin_tone and tone; the empty text is missing."""
PERSON = {"1F468": "man", "1F469": "woman"}
SIGN = {"-200D-2642-FE0F": "man", "-200D-2640-FE0F": "woman"}
FACING_RIGHT = "27A1"
LEAST_SKIN = 2.0
"""Levels of 255 by which the lightest and darkest drawing of a role differ at least, on average over pixels."""
TRAINING_ROLES = 42


@dataclass(frozen=True)
class Role:
    """What a person does or wears: its name and, for man and woman, the entry of the index."""

    name: str
    entries: dict[str, dict[str, Any]]


def roles(index: list[dict[str, Any]]) -> list[Role]:
    """Roles that exist as man and woman in all five tones, by name, without mirror images."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for entry in index:
        key, gender = _role_and_gender(entry["unified"])
        variations = entry.get("skin_variations", {})
        if gender and FACING_RIGHT not in key and all(tone in variations for tone in TONES):
            found.setdefault(key, {})[gender] = entry
    complete = [Role(_name(entries["man"]["name"]), entries) for entries in found.values() if len(entries) == 2]
    return sorted(complete, key=lambda role: role.name)


def drawing(sheet: Image.Image, entry: dict[str, Any], tone: str) -> NDArray[np.uint8]:
    """One drawing, uint8 (64, 64, 4); colour under fully transparent pixels is 0."""
    variation = entry["skin_variations"][tone]
    # each drawing of the sheet has a border of one transparent pixel
    left, top = (variation[side] * (SIDE + 2) + 1 for side in ("sheet_x", "sheet_y"))
    pixels = np.array(sheet.crop((left, top, left + SIDE, top + SIDE)))
    pixels[pixels[..., 3] == 0] = 0
    return pixels


def shows_skin(drawings: NDArray[np.uint8]) -> bool:
    """Whether the tones of one role can be told apart: drawings (genders, tones, 64, 64, 4), tones from light to dark."""
    ink = drawings[..., :3] * (drawings[..., 3:] / 255)
    return bool((np.abs(ink[:, 0] - ink[:, -1]).mean(axis=(1, 2, 3)) >= LEAST_SKIN).all())


def training_roles(names: list[str]) -> set[str]:
    """42 of the names, by the order of a hash: no author's choice, and the same each time."""
    return set(sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())[:TRAINING_ROLES])


def main(package: Path) -> None:
    """Write the drawings and their columns into the folder of stored data."""
    index = json.loads(file_bytes(package / "emoji.json", INDEX_SHA256))
    sheet_bytes = file_bytes(package / "img/google/sheets-clean/64.png", SHEET_SHA256)
    sheet = Image.open(io.BytesIO(sheet_bytes)).convert("RGBA")
    kept: dict[str, NDArray[np.uint8]] = {}
    for role in roles(index):
        drawn = np.array([[drawing(sheet, role.entries[who], tone) for tone in TONES] for who in PERSON.values()])
        if shows_skin(drawn):
            kept[role.name] = drawn
        else:
            print(f"left out, hardly any skin to see: {role.name}")
    training = training_roles(list(kept))
    rows = [
        (role, gender, skin_tone, tone, f"{gender} {role}", "train" if role in training else "test")
        for role in kept
        for gender in PERSON.values()
        for skin_tone, tone in TONES.values()
    ]
    columns = {name: np.array(values) for name, values in zip(COLUMNS, zip(*rows, strict=True), strict=True)}
    drawings = np.concatenate([drawn.reshape(-1, SIDE, SIDE, 4) for drawn in kept.values()])
    path = DATA / "emoji-people.npz"
    np.savez_compressed(path, allow_pickle=False, drawings=drawings, **columns)
    print(f"{path.name}: {len(kept)} roles, {len(drawings)} drawings, {path.stat().st_size:,} bytes")


def _role_and_gender(unified: str) -> tuple[str, str | None]:
    first, _, rest = unified.partition("-")
    if first in PERSON:
        return f"PERSON-{rest}", PERSON[first]
    for sign, gender in SIGN.items():
        if unified.endswith(sign):
            return unified.removesuffix(sign), gender
    return unified, None


def _name(man: str) -> str:
    """The role's name out of the Unicode name of its man: 'MAN: BALD' is bald, 'DEAF MAN' deaf, 'MAN' plain."""
    return man.removeprefix("MAN").removesuffix("MAN").strip(": ").lower() or "plain"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
