"""Profiles a data set, in a child process: `python -m evenhand.service.datasets.profiling PATH NAME ORDER.json`."""

import base64
import json
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.service.datasets.profiles import (
    PICTURE_SEED,
    ColumnShown,
    GroupShown,
    Profile,
    ProfileOrder,
    Shares,
    ShownAttribute,
)
from evenhand.service.jobs.child import Voice, speak

LEVEL = 0.95
PICTURES_EACH = 5
GROUPS_WITH_PICTURES = 8
LONGEST_SIDE = 64
"""Larger pictures are thinned to this: every k-th pixel."""


def profiled(source: str, name: str | None, order: ProfileOrder) -> Profile:
    """Open the data and look into them.

    Raises:
        DatasetError: they cannot be opened, or a column is not there.
    """
    from evenhand.datasets import looks
    from evenhand.datasets.imageset import ImageSet
    from evenhand.datasets.profile import profile
    from evenhand.datasets.sources import open_source

    data = open_source(source, name)
    images = data.images if isinstance(data, ImageSet) else None
    table = data.table if isinstance(data, ImageSet) else data
    attributes = []
    for attribute in order.by:
        found = looks.by_group(table, attribute, label=order.label if order.label != attribute else None)
        pictures = _pictures(images, table, attribute, [each.group for each in found.groups])
        attributes.append(_shown(found, pictures, positive=order.positive))
    return Profile(
        rows=table.total,
        columns=[
            ColumnShown(name=each.name, type=each.type, missing=each.missing, values=each.distinct)
            for each in profile(table)
        ],
        attributes=attributes,
    )


def _shown(found: Any, pictures: list[list[str]], *, positive: str | None) -> ShownAttribute:
    labels = list(found.labels)
    if len(labels) == 2:  # the share of the other is the rest
        labels = [positive if positive in labels else labels[1]]
    groups = []
    for index, (each, labelled) in enumerate(zip(found.groups, found.labelled, strict=True)):
        counts = [each.labels[found.labels.index(label)] for label in labels]
        groups.append(
            GroupShown(
                group=each.group,
                rows=each.rows,
                labelled=labelled,
                shares=_shares(counts, labelled),
                pictures=pictures[index] if index < len(pictures) else [],
            )
        )
    return ShownAttribute(attribute=found.attribute, labels=labels, groups=groups, left_out=found.left_out)


def _shares(counts: list[int], labelled: int) -> list[Shares | None]:
    """The share of each label with its 95 % Wilson interval; None where no row of the group has a label."""
    from evenhand.auditors.intervals import normal_quantile, wilson

    if not labelled:
        return [None] * len(counts)
    interval = wilson(counts, [labelled] * len(counts), z=normal_quantile((1 + LEVEL) / 2))
    return [
        Shares(estimate=count / labelled, low=float(interval.low[i]), high=float(interval.high[i]))
        for i, count in enumerate(counts)
    ]


def _pictures(
    images: NDArray[np.uint8] | None, table: Any, attribute: str, groups: list[str | None]
) -> list[list[str]]:
    """A few pictures of each of the largest groups, as data URIs."""
    if images is None:
        return []
    from evenhand.datasets.looks import examples

    step = max(1, -(-max(images.shape[1:3]) // LONGEST_SIDE))
    chosen = groups[:GROUPS_WITH_PICTURES]
    drawn = examples(table.groups(attribute), each=PICTURES_EACH, seed=PICTURE_SEED, chosen=chosen)
    return [[_uri(images[row, ::step, ::step]) for row in rows] for rows in drawn]


def _uri(pixels: NDArray[np.uint8]) -> str:
    """A picture as a data URI; with other than 1 or 3 channels as grey."""
    from evenhand.auditors.robustness.pictures import png

    if pixels.shape[2] not in (1, 3):
        pixels = pixels.mean(axis=2, keepdims=True).astype(np.uint8)
    return "data:image/png;base64," + base64.b64encode(png(pixels)).decode("ascii")


def main(arguments: list[str]) -> int:
    source, name, order = arguments
    asked = ProfileOrder.model_validate(json.loads(order))

    def work(voice: Voice) -> None:
        voice.result(profiled(source, name or None, asked).model_dump(mode="json"))

    return speak(work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
