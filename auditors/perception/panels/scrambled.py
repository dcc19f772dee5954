"""Pictures cut into tiles that are shuffled: what is left of the accuracy when only colours and textures are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.panels.shading import shown
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.data import levels_of
from evenhand.auditors.robustness.noise import sample_keys, uniform
from evenhand.auditors.robustness.scores import probabilities

TILES = (2, 4, 8)
SMALLEST_TILE = 2
MOST_PICTURES = 1000
Predict = Callable[[Pictures], NDArray[np.int64]]


def scrambled_pictures(context: Context, pictures: Pictures, others: Mapping[str, Predict]) -> Panel | None:
    """Accuracy by group on intact and scrambled pictures, beside baselines; None where pictures are too small to cut.

    Args:
        context: the run.
        pictures: all pictures in [0, 1].
        others: by name of a baseline, its decisions about all rows when given the pictures in some form.
    """
    cuts = _cuts(context)
    if not cuts:
        return None
    forms = {"intact": pictures} | {
        f"{tiles} × {tiles} tiles": scramble(pictures, tiles, ids=context.data.ids, seed=context.seed) for tiles in cuts
    }
    told = {
        form: context.prediction
        if form == "intact"
        else probabilities(context.classifier, given, batch_size=context.batch_size).argmax(axis=1)
        for form, given in forms.items()
    }
    label = context.data.label
    table: list[dict[str, Any]] = []
    for name, rows in _groups(context):
        table.append(
            {"accuracy": f"network, {name}", "pictures": int(rows.sum())}
            | {form: round(float((told[form][rows] == label[rows]).mean()), 4) for form in forms}
        )
    for name, predict in others.items():
        table.append(
            {"accuracy": f"{name}, all", "pictures": len(label)}
            | {form: round(float((predict(given) == label).mean()), 4) for form, given in forms.items()}
        )
    first = int(np.argmin(uniform(sample_keys(context.seed, context.data.ids, "shown"), 1)[:, 0]))
    classes = context.data.classes
    return Panel(
        name="scrambled_pictures",
        title="What is left when the shape is gone",
        text=(
            "Each picture is cut into tiles that are shuffled: the colours stay, the shape goes. Where accuracy stays "
            "high, the network decides by colour and texture. Baselines were trained on half of these people and tried on "
            "the other half. Shown is one picture, drawn by lot, with the decision on each form."
        ),
        limits=(
            "Whether a group is treated differently: shuffled pictures are like none that the network was made for, and "
            "groups may differ in how much of them is colour."
        ),
        why_no_verdict="Gaps between groups on scrambled pictures did not separate planted from honest networks.",
        images=[
            shown(given[first], f"{form}: called {classes[told[form][first]]}, is {classes[label[first]]}")
            for form, given in forms.items()
        ],
        table=table,
    )


def queries_of_scrambled(context: Context) -> int:
    """Every picture once for each size of tiles."""
    return len(context.data) * len(_cuts(context))


def _cuts(context: Context) -> list[int]:
    side = min(context.data.images.shape[1:3])
    return [tiles for tiles in TILES if side // tiles >= SMALLEST_TILE]


def _groups(context: Context) -> list[tuple[str, NDArray[np.bool_]]]:
    rows = [("all", np.ones(len(context.data), dtype=bool))]
    for attribute in context.attributes:
        codes, _ = context.data.attributes[attribute]
        rows += [
            (f"{attribute} {level.text}", codes == level.code)
            for level in levels_of(context.data, attribute)
            if level.comparable
        ]
    return rows


def scramble(pictures: Pictures, tiles: int, *, ids: NDArray[np.int64], seed: int) -> Pictures:
    """Each picture with its `tiles` by `tiles` tiles in another order; rows and columns beyond them stay.

    The order is drawn from a hash of seed and id, so it depends neither on batch nor on the order of rows.
    """
    n, height, width, channels = pictures.shape
    high, wide = height // tiles, width // tiles
    inner = pictures[:, : tiles * high, : tiles * wide]
    cut = inner.reshape(n, tiles, high, tiles, wide, channels).transpose(0, 1, 3, 2, 4, 5)
    cut = cut.reshape(n, tiles * tiles, high, wide, channels)
    order = np.argsort(uniform(sample_keys(seed, ids, "scramble", tiles), tiles * tiles), axis=1, kind="stable")
    moved = np.take_along_axis(cut, order[:, :, None, None, None], axis=1)
    moved = moved.reshape(n, tiles, tiles, high, wide, channels).transpose(0, 1, 3, 2, 4, 5)
    answer = pictures.copy()
    answer[:, : tiles * high, : tiles * wide] = moved.reshape(n, tiles * high, tiles * wide, channels)
    return answer
