"""Style swap: the content of one picture in the style of each group. Does the decision turn with the style?

It supports and never decides: a style carries the background and everything else that goes with a group, so that honest
networks turn as well. It is watched only where a probe confirms that the style moved the picture toward the group.

Source: Gatys, Ecker and Bethge (2016), CVPR, "Image style transfer using convolutional neural networks"; with random
weights, as Ustyuzhaninov, Brendel, Gatys and Bethge (2016, "Texture synthesis using shallow convolutional networks
with random filters") showed to do.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.perception.budget import Step
from evenhand.auditors.perception.checks import Answer, known_levels, one_group, paired_counterfactual
from evenhand.auditors.perception.context import Context
from evenhand.auditors.perception.cues import decided
from evenhand.auditors.perception.probe_networks import fit_linear
from evenhand.auditors.perception.probes import (
    FOLDS,
    LEAST_BALANCED_ACCURACY,
    balanced_accuracy,
    cell_weights,
    cells_outside_every_fold,
    folds_of,
)
from evenhand.auditors.perception.threads import one_thread
from evenhand.auditors.report import Panel
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.clusters import generator
from evenhand.auditors.robustness.data import Level, unit_interval, units_of
from evenhand.auditors.robustness.pictures import data_uri, to_pixels

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 50
STEP_SIZE = 0.02
CONTENTS = 32
"""Pictures whose content is kept, of as many units as can be."""
STYLES = 64
"""Pictures of a group whose mean Gram matrices are its style."""
STYLE_WEIGHT = 10.0
CHANNELS = (16, 32, 64)
CONTENT_LAYER = 1
CONFIRMED = 0.5
"""Standard deviations of the probe's logit on real pictures by which the second style must differ from the first."""
WATCH_P, WATCH_NET = 0.05, 0.05
LARGEST_SIDE = 64
SHOWN = 4


@dataclass(frozen=True)
class Judge:
    """Whether styled pictures look more like the second group, in standard deviations; by probes blind to their unit."""

    accuracy: float
    shift: float

    @property
    def confirms(self) -> bool:
        return self.accuracy >= LEAST_BALANCED_ACCURACY and self.shift >= CONFIRMED


def style_swap(context: Context) -> Iterator[Answer]:
    """Net flip between two styles, of the two largest groups of every attribute."""
    for attribute in context.attributes:
        levels = known_levels(context.data, attribute)
        problem = _problem(context, attribute, levels)
        if problem is not None:
            yield Answer("style_swap", attribute, None, "not_assessed", problem)
            continue
        if (refusal := context.plan.refusal(_step(attribute))) is not None:
            yield Answer("style_swap", attribute, None, "not_assessed", refusal)
            continue
        with one_thread():
            yield _answer(context, attribute, *_two_largest(levels))


def queries_of_styles(context: Context) -> Iterator[Step]:
    """Each picture whose content is kept, in both styles; none where no style can be swapped."""
    for attribute in context.attributes:
        levels = known_levels(context.data, attribute)
        if _problem(context, attribute, levels) is None:
            asked = _asked(context, attribute, *_two_largest(levels))
            yield Step(_step(attribute), 2 * min(CONTENTS, len(asked.rows)))


def _step(attribute: str) -> str:
    return f"swapped styles of {attribute}"


def _two_largest(levels: list[Level]) -> tuple[Level, Level]:
    first, second = sorted(sorted(levels, key=lambda level: -level.n)[:2], key=lambda level: level.code)
    return first, second


def _problem(context: Context, attribute: str, levels: list[Level]) -> str | None:
    if len(levels) < 2:
        return one_group(attribute, levels)
    if max(context.data.images.shape[1:3]) > LARGEST_SIDE:
        return f"pictures over {LARGEST_SIDE} pixels a side are not styled: the reference network is too small for them"
    return None


def _answer(context: Context, attribute: str, first: Level, second: Level) -> Answer:
    data, codes = context.data, context.data.attributes[attribute][0]
    asked = _asked(context, attribute, first, second)
    if not cells_outside_every_fold(asked.cell, asked.fold):
        empty = "a class × group cell has pictures of too few units: no probe can confirm what the style moved"
        return Answer("style_swap", attribute, None, "not_assessed", empty)
    rows = contents(context, asked.rows)
    pictures = unit_interval(data.images)
    styled = [
        restyled(pictures[rows], pictures[_examples(context, codes, level)], seed=context.seed, device=context.device)
        for level in (first, second)
    ]
    judge = _judge(context, asked, rows, styled)
    found = _net_flip(context, attribute, first, second, rows, styled)
    watched = judge.confirms and abs(found.estimate or 0) >= WATCH_NET and (found.p_value or 1) < WATCH_P
    return replace(
        found,
        name="style_swap",
        tolerance=None,
        verdict="inconclusive",
        reason=_reason(judge, watched),
        equivalence=None,
        first=first,
        second=second,
        detail={
            **(found.detail or {}),
            "probe_accuracy_on_unseen_units": judge.accuracy,
            "probe_shift_in_standard_deviations": judge.shift,
            "steps": STEPS,
        },
        panels=(_panel(attribute, first, second, pictures[rows], styled),),
    )


def _reason(judge: Judge, watched: bool) -> str:
    if judge.accuracy < LEAST_BALANCED_ACCURACY:
        return f"no probe tells the groups apart ({judge.accuracy:.2f} balanced accuracy): nothing confirms the style"
    if not judge.confirms:
        return f"the style did not move the attribute ({judge.shift:+.2f} standard deviations of a probe)"
    return "watch: decisions turn with the style; no verdict of its own" if watched else "no verdict of its own"


def contents(context: Context, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """One picture of each unit in turn until there are CONTENTS, in an order drawn from the seed."""
    rng = generator(context.seed, "style", "contents")
    rows = rng.permutation(rows)
    unit = units_of(context.data)[rows]
    turn = np.zeros(len(rows), dtype=np.int64)
    for code in np.unique(unit):
        turn[unit == code] = np.arange((unit == code).sum())
    return np.sort(rows[np.argsort(turn, kind="stable")][:CONTENTS])


def _examples(context: Context, codes: NDArray[np.integer], level: Level) -> NDArray[np.int64]:
    """As many of each class as can be, so that the style is the group's and not a class's."""
    rng = generator(context.seed, "style", str(level.text))
    chosen: list[int] = []
    classes = np.unique(context.data.label)
    for label in classes:
        held = np.flatnonzero((codes == level.code) & (context.data.label == label))
        chosen += rng.permutation(held)[: max(1, STYLES // len(classes))].tolist()
    return np.array(sorted(chosen), dtype=np.int64)


def restyled(content: Pictures, style: Pictures, *, seed: int, device: str = "cpu") -> Pictures:
    """Pictures with the content of each and the mean style of all given; both (n, height, width, channels) in [0, 1].

    Adam from the content picture, STEPS steps of STEP_SIZE, on the relative squared distance of the Gram matrices of
    three random layers (times STYLE_WEIGHT) and of the activations of the second.
    """
    import torch

    weights = _reference(content.shape[3], seed, device)
    with torch.no_grad():
        grams = [_gram(layer).mean(dim=0, keepdim=True) for layer in _layers(_batch(style, device), weights)]
        kept = _layers(_batch(content, device), weights)[CONTENT_LAYER]
    picture = _batch(content, device).clone().requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=STEP_SIZE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        with torch.enable_grad():
            layers = _layers(picture, weights)
            loss: Tensor = (layers[CONTENT_LAYER] - kept).square().sum() / kept.square().mean(dim=0).sum()
            for layer, gram in zip(layers, grams, strict=True):
                loss = loss + STYLE_WEIGHT * (_gram(layer) - gram).square().sum() / gram.square().sum()
            (picture.grad,) = torch.autograd.grad(loss, picture)
        optimiser.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
    return np.ascontiguousarray(picture.detach().permute(0, 2, 3, 1).cpu().numpy(), dtype=np.float32)


def _batch(pictures: Pictures, device: str) -> "Tensor":
    import torch

    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))).to(device)


def _reference(channels: int, seed: int, device: str) -> "list[Tensor]":
    """Three 3 x 3 convolutions with He's random weights, drawn from the seed alone."""
    import torch

    rng, weights, before = generator(seed, "style", "reference network"), [], channels
    for after in CHANNELS:
        drawn = rng.normal(0, np.sqrt(2 / (9 * before)), (after, before, 3, 3)).astype(np.float32)
        weights.append(torch.from_numpy(drawn).to(device))
        before = after
    return weights


def _layers(batch: "Tensor", weights: "list[Tensor]") -> "list[Tensor]":
    from torch.nn import functional

    held, layers = batch - 0.5, []
    for place, weight in enumerate(weights):
        if place and min(held.shape[2:]) >= 4:
            held = functional.avg_pool2d(held, 2)
        held = functional.relu(functional.conv2d(held, weight, padding=1))
        layers.append(held)
    return layers


def _gram(layer: "Tensor") -> "Tensor":
    """Mean products of channels, shape (n, channels, channels)."""
    flat = layer.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


@dataclass(frozen=True)
class Asked:
    """Pictures of the two groups: their rows, and by row the group, the fold and the class × group cell."""

    rows: NDArray[np.int64]
    target: NDArray[np.bool_]
    fold: NDArray[np.int64]
    cell: NDArray[np.int64]


def _asked(context: Context, attribute: str, first: Level, second: Level) -> Asked:
    codes = context.data.attributes[attribute][0]
    rows = np.flatnonzero((codes == first.code) | (codes == second.code))
    target = codes[rows] == second.code
    fold = folds_of(units_of(context.data)[rows], seed=context.seed)
    return Asked(rows, target, fold, 2 * context.data.label[rows].astype(np.int64) + target)


def _judge(context: Context, asked: Asked, rows: NDArray[np.int64], styled: list[Pictures]) -> Judge:
    """The linear probe of `probes`, cross-fitted by unit."""
    held, target, fold, cell = asked.rows, asked.target, asked.fold, asked.cell
    pictures = unit_interval(context.data.images[held])
    place = np.searchsorted(held, rows)
    logits, moved = np.zeros(len(held)), np.zeros(len(rows))
    for part in range(FOLDS):
        seen = fold != part
        weights = cell_weights(cell[seen]).astype(np.float32)
        score = fit_linear(pictures[seen], target[seen].astype(np.float32), weights, context.seed)
        logits[~seen] = score(pictures[~seen])
        mine = fold[place] == part
        if mine.any():
            spread = max(float(np.std(logits[~seen])), float(np.finfo(np.float32).tiny))
            moved[mine] = (score(styled[1][mine]) - score(styled[0][mine])) / spread
    return Judge(balanced_accuracy(logits > 0, target, cell), float(moved.mean()))


def _net_flip(
    context: Context, attribute: str, first: Level, second: Level, rows: NDArray[np.int64], styled: list[Pictures]
) -> Answer:
    """The paired counterfactual of the two styled pictures of each content."""
    twice = np.concatenate([rows, rows])
    images = np.concatenate([to_pixels(one) for one in styled])
    data = replace(
        context.data,
        images=images,
        label=context.data.label[twice],
        attributes={attribute: (np.repeat([0, 1], len(rows)).astype(np.int32), (first.text, second.text))},
        unit=units_of(context.data)[twice].astype(np.int32),
        pair=np.tile(np.arange(len(rows), dtype=np.int32), 2),
        ids=np.arange(len(twice), dtype=np.int64),
    )
    return paired_counterfactual(data, attribute, decided(context, images), tolerance=WATCH_NET, seed=context.seed)


def _panel(attribute: str, first: Level, second: Level, content: Pictures, styled: list[Pictures]) -> Panel:
    images = []
    for index in range(min(SHOWN, len(content))):
        images.append({"src": data_uri(content[index]), "alt": "the picture as it is"})
        for level, one in zip((first, second), styled, strict=True):
            images.append({"src": data_uri(one[index]), "alt": f"its content in the style of {attribute} {level.text}"})
    return Panel(
        name="style_swap",
        title=f"The same content in the style of each group of {attribute}",
        text=(
            "Each picture, then its content with colours and textures as pictures of the one and of the other group have "
            "them (Gatys, Ecker and Bethge 2016). Where decisions turn with the style, it is worth another look."
        ),
        limits=(
            "What in the style turned the decision. A style is colours and textures of whole pictures: it carries the "
            "background and all else that goes with a group."
        ),
        why_no_verdict=(
            "The swap hardly moves a skin tone, and honest networks turned with styles of backgrounds too. It can be watched "
            "at most."
        ),
        images=images,
    )
