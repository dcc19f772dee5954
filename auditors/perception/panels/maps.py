"""Mean saliency and occlusion maps by group, side by side with maps of classifiers that learned little or nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.panels.folds import whole_units
from evenhand.auditors.perception.panels.shading import heat, shown, signed
from evenhand.auditors.perception.saliency import (
    FAMILY_ERROR,
    MapDifference,
    Maps,
    gradient_maps,
    map_difference,
    occlusion_maps,
    places_covered,
)
from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.data import Level, levels_of, units_of
from evenhand.auditors.robustness.scores import gives_gradients

MOST_SALIENCY_PICTURES = 320
MOST_OCCLUDED_PICTURES = 160
MOST_ATTRIBUTES = 4

LIMITS = (
    "Why a place matters, or that it should not. Groups may hold their heads, wear their hair or be drawn differently, so "
    "a network that decides alike can look elsewhere too. The two maps are means of many pictures and fit no single one."
)
WHY_NOT = (
    "A difference of maps says that the pictures or the network differ between groups, and cannot say which. A network "
    "with random weights has maps, and differences, too."
)


def saliency(context: Context, pictures: Pictures, baselines: list[Baseline]) -> Panel | None:
    """Mean gradient maps by group; None without gradients."""
    if not gives_gradients(context.classifier):
        return None

    def maps(classifier: ImageClassifier, given: Pictures, device: str) -> Maps:
        assert gives_gradients(classifier)
        return gradient_maps(classifier, given, device=device, batch_size=context.batch_size)

    return _panel(
        context,
        pictures,
        baselines,
        maps,
        most=MOST_SALIENCY_PICTURES,
        name="saliency",
        title="Which pixels the decision hangs on, by group",
        text=(
            "How much the decision would move if a pixel moved a little (the gradient at the picture), averaged over "
            "the pictures of a group with both classes counting alike. Light places matter most."
        ),
    )


def occlusion(context: Context, pictures: Pictures, baselines: list[Baseline]) -> Panel | None:
    """Mean occlusion maps by group; every classifier has them."""

    def maps(classifier: ImageClassifier, given: Pictures, device: str) -> Maps:
        return occlusion_maps(classifier, given, batch_size=context.batch_size)

    return _panel(
        context,
        pictures,
        baselines,
        maps,
        most=MOST_OCCLUDED_PICTURES,
        name="occlusion",
        title="Which parts the decision needs, by group",
        text=(
            "A patch of the mean colour, a quarter of the picture wide and high, covers one place after another. Light "
            "places are those whose loss costs the decision most of its probability, averaged over the pictures of a "
            "group with both classes counting alike."
        ),
    )


def queries_of_occlusion(context: Context) -> int:
    """Pictures that the occlusion maps ask the network about; 0 where no two groups can be compared."""
    rows = whole_units(units_of(context.data), MOST_OCCLUDED_PICTURES, seed=context.seed)
    if not any(_largest_two(context, attribute, rows) for attribute in context.attributes):
        return 0
    return len(rows) * (1 + places_covered(context.data.images.shape[1:3]))


def _panel(
    context: Context,
    pictures: Pictures,
    baselines: list[Baseline],
    maps_of: Callable[[ImageClassifier, Pictures, str], Maps],
    *,
    most: int,
    name: str,
    title: str,
    text: str,
) -> Panel | None:
    rows = whole_units(units_of(context.data), most, seed=context.seed)
    pairs = {attribute: pair for attribute in context.attributes if (pair := _largest_two(context, attribute, rows))}
    pairs = dict(list(pairs.items())[:MOST_ATTRIBUTES])
    if not pairs:
        return None
    sources: list[tuple[str, ImageClassifier, str]] = [("network", context.classifier, context.device)]
    sources += [(one.name, one, "cpu") for one in baselines]
    images: list[dict[str, str]] = []
    table: list[dict[str, Any]] = []
    tops: dict[str, float] = {}
    for source, classifier, device in sources:
        maps = maps_of(classifier, pictures[rows], device)
        for attribute, (first, second) in pairs.items():
            found = _compared(context, maps, rows, attribute, (first, second), purpose=f"{name} {source}")
            if found is None:
                continue
            table.append(_row(source, attribute, (first, second), found))
            top = tops.setdefault(attribute, float(np.abs(found.difference).max()))
            images += _pictures(context, pictures, rows, attribute, (first, second), found, source, top=top)
    return Panel(
        name=name,
        title=title,
        text=(
            f"{text} The third map is their difference: orange where it matters more in the first group, purple in the "
            f"second, and beside it that of other classifiers in the same strength of colour. {len(rows):,} pictures were "
            "used. The p-value asks whether the largest difference anywhere is more than chance, by dealing the groups "
            "anew within the people shown."
        ),
        limits=LIMITS,
        why_no_verdict=WHY_NOT,
        images=images,
        table=table,
    )


def _largest_two(context: Context, attribute: str, rows: NDArray[np.int64]) -> tuple[Level, Level] | None:
    """The two largest known groups, in the order of their codes."""
    codes = context.data.attributes[attribute][0][rows]
    present = [
        level for level in levels_of(context.data, attribute) if level.comparable and (codes == level.code).any()
    ]
    if len(present) < 2:
        return None
    first, second = sorted(sorted(present, key=lambda level: -level.n)[:2], key=lambda level: level.code)
    return first, second


def _compared(
    context: Context,
    maps: Maps,
    rows: NDArray[np.int64],
    attribute: str,
    pair: tuple[Level, Level],
    *,
    purpose: str,
) -> MapDifference | None:
    codes = context.data.attributes[attribute][0][rows]
    group = np.full(len(rows), -1, dtype=np.int64)
    for side, level in enumerate(pair):
        group[codes == level.code] = side
    return map_difference(
        maps,
        label=context.data.label[rows].astype(np.int64),
        group=group,
        unit=units_of(context.data)[rows],
        seed=context.seed,
        purpose=f"{purpose} {attribute}",
    )


def _row(source: str, attribute: str, pair: tuple[Level, Level], found: MapDifference) -> dict[str, Any]:
    return {
        "maps": f"{source}: {attribute} {pair[0].text} less {pair[1].text}",
        "largest difference": round(float(np.abs(found.difference).max()), 4),
        "mean of a map": round(float((found.first.mean() + found.second.mean()) / 2), 4),
        "p": round(found.p_value, 4),
        "share of places beyond chance": round(float(found.beyond.mean()), 4),
        "units": found.units,
    }


def _pictures(
    context: Context,
    pictures: Pictures,
    rows: NDArray[np.int64],
    attribute: str,
    pair: tuple[Level, Level],
    found: MapDifference,
    source: str,
    *,
    top: float,
) -> list[dict[str, str]]:
    """Network: each group's mean picture, map and the difference; baselines: the difference alone."""
    beyond = "beyond chance" if found.p_value <= FAMILY_ERROR else "no more than chance"
    colours = f"orange more in {pair[0].text}, purple more in {pair[1].text}"
    difference = shown(
        signed(found.difference, top=top), f"{source}, difference ({beyond}, p {found.p_value:.3f}): {colours}"
    )
    if source != "network":
        return [difference]
    codes = context.data.attributes[attribute][0][rows]
    lightest = float(max(found.first.max(), found.second.max()))
    images = []
    for level, mean in zip(pair, (found.first, found.second), strict=True):
        average = pictures[rows][codes == level.code].mean(axis=0)
        images.append(shown(average.astype(np.float32), f"mean picture, {attribute} {level.text}"))
        images.append(shown(heat(np.maximum(mean, 0), top=lightest), f"{source}, {attribute} {level.text}"))
    return [*images, difference]
