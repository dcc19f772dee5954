"""How well a linear probe reads the group off the network's last features, beside features that learned nothing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.baselines import Baseline, fitted_softmax
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.panels.folds import folds_of
from evenhand.auditors.perception.panels.inside import features_of
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.clusters import Counts, Spread, generator, resampled, unit_table
from evenhand.auditors.robustness.data import levels_of, units_of

FOLDS = 5
LEVEL = 0.95
MOST_ROWS = 2000
FEWEST_UNITS = 10


def attribute_leakage(context: Context, pictures: Pictures, baselines: list[Baseline]) -> Panel | None:
    """Balanced accuracy of cross-fitted probes; None where the network's features cannot be looked at."""
    own = features_of(context.classifier, pictures, batch_size=context.batch_size, device=context.device)
    if own is None:
        return None
    sources = {"the network's last features": own}
    for one in baselines:
        found = features_of(one, pictures, batch_size=context.batch_size, device="cpu")
        if found is not None:
            sources[f"features of {one.name}"] = found
    table: list[dict[str, Any]] = []
    for attribute in context.attributes:
        for name, features in sources.items():
            table.append({"read from": f"{name}: {attribute}"} | _read(context, attribute, features))
    return Panel(
        name="attribute_leakage",
        title="Can the group be read off the network's features?",
        text=(
            "Before it decides, a network turns each picture into a row of numbers. A simple probe learns to tell the "
            "group from these numbers and is tried on people it has not seen; the figure is its accuracy with every "
            "group counting alike, and chance is one over the number of groups. The same is done with the features of "
            "classifiers that learned little or nothing."
        ),
        limits=(
            "Whether the decision uses the group. What can be seen in a picture, such as skin, can be read off almost any "
            "features of it, also those of a network with random weights."
        ),
        why_no_verdict=(
            "Networks with a planted bias (.82), honest ones (.77 to .86) and random weights (.88) measured alike: that the "
            "group can be read says nothing about whether it is used."
        ),
        table=table,
    )


def _read(context: Context, attribute: str, features: NDArray[np.float32]) -> dict[str, float | int | str]:
    """Balanced accuracy of one probe, with an interval over units."""
    codes, _ = context.data.attributes[attribute]
    levels = [level for level in levels_of(context.data, attribute) if level.comparable]
    column = np.full(int(codes.max()) + 1, -1, dtype=np.int64)
    for index, level in enumerate(levels):
        column[level.code] = index
    group, unit = column[codes], units_of(context.data)
    rows = np.flatnonzero(group >= 0)[:MOST_ROWS]
    if len(levels) < 2 or len(np.unique(unit[rows])) < FEWEST_UNITS:
        return {
            "balanced accuracy": "not measured",
            "interval": f"under two groups or {FEWEST_UNITS} units",
            "chance": "",
        }
    told = _cross_fitted(features[rows], group[rows], unit[rows], len(levels), seed=context.seed)
    if told is None:
        return {"balanced accuracy": "not measured", "interval": "a fold holds one group only", "chance": ""}
    table = unit_table(
        told == group[rows],
        unit=unit[rows],
        label=np.zeros(len(rows), dtype=np.int64),
        group=group[rows],
        classes=1,
        groups=len(levels),
    )
    estimate = float(_balanced(*table.sums())[0])
    draws = _balanced(*resampled(table, generator(context.seed, "leakage", attribute)))
    interval = Spread(estimate, draws[np.isfinite(draws)], table.units).interval(LEVEL)
    between = f"{max(interval.low, 0):.3f} to {min(interval.high, 1):.3f}" if interval.known else "unknown"
    return {"balanced accuracy": round(estimate, 4), "interval": between, "chance": round(1 / len(levels), 4)}


def _balanced(success: Counts, total: Counts) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((success[:, 0] / total[:, 0]).mean(axis=1))


def _cross_fitted(
    features: NDArray[np.float32], group: NDArray[np.int64], unit: NDArray[np.int64], groups: int, *, seed: int
) -> NDArray[np.int64] | None:
    """The group told for each row by a probe that has not seen its unit; None where a fold lacks a group to learn."""
    fold = folds_of(unit, FOLDS, seed=seed)
    told = np.full(len(group), -1, dtype=np.int64)
    for held in range(FOLDS):
        learn, ask = fold != held, fold == held
        counts = np.bincount(group[learn], minlength=groups)
        if not ask.any():
            continue
        if (counts == 0).any():
            return None
        middle, scale = features[learn].mean(axis=0), features[learn].std() + np.float32(1e-6)
        weight = (learn.sum() / (groups * counts))[group[learn]].astype(np.float32)
        probe = fitted_softmax((features[learn] - middle) / scale, group[learn], groups, weight=weight)
        scores = ((features[ask] - middle) / scale) @ probe.weight.numpy().T + probe.bias.numpy()
        told[ask] = scores.argmax(axis=1)
    return told
