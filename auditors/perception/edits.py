"""Edits of a picture that keep what it shows: another background, ink of another hue, mirrored, grey, a texture behind.

An edit is a pure function from pictures and one of its values to pictures. It says of each picture whether it applies;
where it does not, the picture is left out of the question. What the edited pictures are asked belongs to `cues`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.colours import from_hsv, to_hsv

Pixels = NDArray[np.uint8]
"""Pictures (n, height, width, channels), 0 to 255."""

BORDER_TOLERANCE = 12
"""Levels of 255 by which a background pixel may differ from the border's median."""
BORDER_SHARE = 0.5
"""Share of the border that must be of one colour for a background to be uniform."""
LEAST_SATURATION = 0.25
INK_SPREAD = 25.0
"""Degrees about the mean hue within which 95 % of a picture's colour must lie to be one ink."""
LEAST_INK = 0.02
HUE_BINS = 12
TEXTURE_LEVELS = 24
FEWEST_PICTURES = 30
COLOURFUL = 12
"""Levels of 255 between the strongest and the weakest channel under which a background has no temperature."""
WARM, COOL = (244, 208, 160), (160, 208, 244)


@dataclass(frozen=True)
class Value:
    """One setting of an edit, in words, and the number or colour that stands for it."""

    text: str
    setting: tuple[float, ...] = ()


@dataclass(frozen=True)
class Edit:
    """One edit of the registry.

    Attributes:
        name: as in the policy.
        does: what it does, with its range.
        applies: which pictures it can edit, shape (n,).
        needs: what a picture lacks where it does not apply.
        apply: pictures it applies to, and a value, to as many pictures.
        values: the two settings that counterparts are made with.
        own_values: the settings found in the pictures themselves, so that no edited picture is unlike all of them.
        is_cue: a setting may speak for a class, so that cue and shape can be at odds.
    """

    name: str
    does: str
    applies: Callable[[Pixels], NDArray[np.bool_]]
    needs: str
    apply: Callable[[Pixels, Value], Pixels]
    values: tuple[Value, Value]
    own_values: Callable[[Pixels], list[Value]]
    is_cue: bool = False


def background_of(images: Pixels) -> NDArray[np.bool_]:
    """The background of each picture, shape (n, height, width): pixels of the border's colour that reach the border.

    Found by flooding from the border, so that a white shirt inside the figure stays.
    """
    alike = (np.abs(images.astype(np.int16) - border_colour(images)[:, None, None]) <= BORDER_TOLERANCE).all(axis=3)
    reached = np.zeros_like(alike)
    reached[:, [0, -1], :] = alike[:, [0, -1], :]
    reached[:, :, [0, -1]] |= alike[:, :, [0, -1]]
    while True:
        grown = reached.copy()
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown[:, :, 1:] |= reached[:, :, :-1]
        grown[:, :, :-1] |= reached[:, :, 1:]
        grown &= alike
        if (grown == reached).all():
            return np.asarray(reached, dtype=bool)
        reached = grown


def border_colour(images: Pixels) -> NDArray[np.int16]:
    """Median colour of the outermost pixels, shape (n, channels)."""
    return np.asarray(np.median(_border(images), axis=1), dtype=np.int16)


def _border(images: Pixels) -> Pixels:
    sides = [images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]]
    return np.concatenate(sides, axis=1)


def _has_background(images: Pixels) -> NDArray[np.bool_]:
    near = np.abs(_border(images).astype(np.int16) - border_colour(images)[:, None]) <= BORDER_TOLERANCE
    return np.asarray(near.all(axis=2).mean(axis=1) >= BORDER_SHARE)


def _has_coloured_background(images: Pixels) -> NDArray[np.bool_]:
    return _has_background(images) if images.shape[3] == 3 else np.zeros(len(images), dtype=bool)


def _set_background(images: Pixels, value: Value) -> Pixels:
    """The background in one colour. Half-transparent edges keep the share of background that they show."""
    colour = np.array(value.setting)
    behind = background_of(images)
    old = border_colour(images)[:, None, None].astype(np.float64)
    edge = _edge(behind)
    share = _share_of_background(images, behind, edge, old)
    changed = images + share[..., None] * (colour - old)
    return np.rint(np.clip(changed, 0, 255)).astype(np.uint8)


def _edge(behind: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of the figure that touch the background, where drawings are smoothed."""
    near = np.zeros_like(behind)
    near[:, 1:] |= behind[:, :-1]
    near[:, :-1] |= behind[:, 1:]
    near[:, :, 1:] |= behind[:, :, :-1]
    near[:, :, :-1] |= behind[:, :, 1:]
    return np.asarray(near & ~behind, dtype=bool)


def _share_of_background(
    images: Pixels, behind: NDArray[np.bool_], edge: NDArray[np.bool_], old: NDArray[np.float64]
) -> NDArray[np.float64]:
    """1 in the background, 0 in the figure; at the edge 1 less its distance from the old colour over its neighbours'."""
    distance = np.abs(images - old).max(axis=3)
    inner = np.where(behind | edge, 0, distance)
    widest = inner.copy()
    for axis in (1, 2):
        for step in (1, -1):
            widest = np.maximum(widest, np.roll(inner, step, axis=axis))
    share = np.where(edge & (widest > 0), np.clip(1 - distance / np.maximum(widest, 1), 0, 1), 0.0)
    return np.asarray(np.where(behind, 1.0, share))


def _own_backgrounds(images: Pixels) -> list[Value]:
    """Warm and cool, each in the median colour of the pictures that have it; a group under 30 pictures is left out."""
    if images.shape[3] != 3 or len(images) == 0:
        return []
    colour = border_colour(images)
    warmth = colour[:, 0] - colour[:, 2]
    found = []
    for text, held in (("warm", warmth >= COLOURFUL), ("cool", warmth <= -COLOURFUL)):
        if held.sum() >= FEWEST_PICTURES:
            found.append(Value(text, tuple(float(level) for level in np.median(colour[held], axis=0))))
    return found


def ink_hue(images: Pixels) -> NDArray[np.float64]:
    """Hue of a picture's one ink in degrees, shape (n,); NaN where it has no colour, or several."""
    if images.shape[3] != 3 or len(images) == 0:
        return np.full(len(images), np.nan)
    hue, saturation, value = to_hsv(images)
    weight = np.where(saturation >= LEAST_SATURATION, saturation * value, 0).reshape(len(images), -1)
    angle = np.deg2rad(hue.reshape(len(images), -1))
    mean = np.rad2deg(np.arctan2((weight * np.sin(angle)).sum(axis=1), (weight * np.cos(angle)).sum(axis=1))) % 360
    away = np.abs((np.rad2deg(angle) - mean[:, None] + 180) % 360 - 180)
    total = weight.sum(axis=1)
    one = (weight * (away <= INK_SPREAD)).sum(axis=1) >= 0.95 * np.maximum(total, 1e-12)
    enough = (weight > 0).mean(axis=1) >= LEAST_INK
    return np.where(one & enough, mean, np.nan)


def _has_ink(images: Pixels) -> NDArray[np.bool_]:
    return ~np.isnan(ink_hue(images))


def _set_hue(images: Pixels, value: Value) -> Pixels:
    hue, saturation, brightness = to_hsv(images)
    turn = value.setting[0] - ink_hue(images)
    return from_hsv((hue + turn[:, None, None]) % 360, saturation, brightness)


def _own_hues(images: Pixels) -> list[Value]:
    """The hues in use: of twelve sectors those with 30 pictures and more, each by its circular mean."""
    hue = ink_hue(images)
    sector = np.where(np.isnan(hue), -1, (hue // (360 / HUE_BINS))).astype(int)
    found = []
    for code in range(HUE_BINS):
        held = np.deg2rad(hue[sector == code])
        if len(held) >= FEWEST_PICTURES:
            mean = float(np.rad2deg(np.arctan2(np.sin(held).mean(), np.cos(held).mean())) % 360)
            found.append(Value(f"hue {mean:.0f}°", (mean,)))
    return found


def _turn_hue(images: Pixels, value: Value) -> Pixels:
    hue, saturation, brightness = to_hsv(images)
    return from_hsv((hue + value.setting[0]) % 360, saturation, brightness)


def _mirror(images: Pixels, value: Value) -> Pixels:
    return images[:, :, ::-1].copy() if value.setting[0] else images


def _grey(images: Pixels, value: Value) -> Pixels:
    """Rec. 601 luma in all channels."""
    if not value.setting[0]:
        return images
    luma = np.rint(images @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=3)


def _texture(images: Pixels, value: Value) -> Pixels:
    """Diagonal stripes, two pixels wide, TEXTURE_LEVELS of 255 up and down, on the background alone."""
    height, width = images.shape[1:3]
    stripes = np.where(((np.arange(height)[:, None] + np.arange(width)) // 2) % 2, 1, -1) * value.setting[0]
    behind = background_of(images)
    # moved inward first, so that stripes on white are as strong as on grey
    level = np.clip(images.astype(np.float64), value.setting[0], 255 - value.setting[0]) + stripes[None, :, :, None]
    return np.where(behind[..., None], np.rint(level), images).astype(np.uint8)


def _always(images: Pixels) -> NDArray[np.bool_]:
    return np.ones(len(images), dtype=bool)


def _coloured(images: Pixels) -> NDArray[np.bool_]:
    """Pictures with any colour."""
    if images.shape[3] != 3:
        return np.zeros(len(images), dtype=bool)
    spread = images.max(axis=3).astype(np.int16) - images.min(axis=3)
    return np.asarray((spread > COLOURFUL).mean(axis=(1, 2)) >= LEAST_INK)


def _none(images: Pixels) -> list[Value]:
    return []


EDITS: dict[str, Edit] = {
    edit.name: edit
    for edit in (
        Edit(
            name="background",
            does="the background, flooded from the border, in a warm or a cool colour",
            applies=_has_coloured_background,
            needs="a background of one colour in a colour picture",
            apply=_set_background,
            values=(Value("warm", WARM), Value("cool", COOL)),
            own_values=_own_backgrounds,
            is_cue=True,
        ),
        Edit(
            name="ink",
            does="the hue of a picture in one ink, red or blue",
            applies=_has_ink,
            needs="ink of one hue",
            apply=_set_hue,
            values=(Value("red", (0.0,)), Value("blue", (240.0,))),
            own_values=_own_hues,
            is_cue=True,
        ),
        Edit(
            name="colour",
            does="all hues turned by 120 degrees",
            applies=_coloured,
            needs="colour",
            apply=_turn_hue,
            values=(Value("as it is", (0.0,)), Value("hues turned", (120.0,))),
            own_values=_none,
        ),
        Edit(
            name="mirror",
            does="left and right exchanged",
            applies=_always,
            needs="nothing",
            apply=_mirror,
            values=(Value("as it is", (0.0,)), Value("mirrored", (1.0,))),
            own_values=_none,
        ),
        Edit(
            name="grey",
            does="colour taken away, brightness kept (Rec. 601)",
            applies=_coloured,
            needs="colour",
            apply=_grey,
            values=(Value("as it is", (0.0,)), Value("grey", (1.0,))),
            own_values=_none,
        ),
        Edit(
            name="texture",
            does=f"diagonal stripes of {TEXTURE_LEVELS} levels up and down on the background",
            applies=_has_background,
            needs="a background of one colour",
            apply=_texture,
            values=(Value("smooth", (0.0,)), Value("striped", (float(TEXTURE_LEVELS),))),
            own_values=_none,
        ),
    )
}
"""By name; the order is that of the report."""
