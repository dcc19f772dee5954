"""Where in the picture the decision hangs, by group: input gradients and occlusion, and whether the groups differ.

Sources: Simonyan, Vedaldi and Zisserman (2014), ICLR workshop (gradients); Zeiler and Fergus (2014), ECCV (occlusion);
Nichols and Holmes (2002), Human Brain Mapping 15 (largest statistic under permutation).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evenhand.auditors.protocols import ImageClassifier
from evenhand.auditors.robustness.ball import Pictures
from evenhand.auditors.robustness.clusters import generator
from evenhand.auditors.robustness.scores import batches, probabilities

if TYPE_CHECKING:
    from evenhand.auditors.protocols import DifferentiableImageClassifier

PERMUTATIONS = 999
LARGEST_MAP = 32
OCCLUSION_GRID = 8
FAMILY_ERROR = 0.05

Maps = NDArray[np.float64]
"""One map a picture, shape (n, rows, columns)."""


def gradient_maps(
    classifier: "DifferentiableImageClassifier", pictures: Pictures, *, device: str, batch_size: int
) -> Maps:
    """Size of the gradient of the decision's margin at each pixel, summed over channels.

    Each map has mean 1, so that it says where and not how strongly. Maps of large pictures are averaged over blocks.
    """
    import torch

    from evenhand.auditors.robustness.gradients import as_batch, full_precision, logits_in_any_layout, margin

    parts = []
    for rows in batches(len(pictures), batch_size):
        batch = as_batch(pictures[rows], device).requires_grad_()
        with torch.enable_grad(), full_precision(device):
            logits = logits_in_any_layout(classifier, batch)
            decided = logits.detach().argmax(dim=1)
            (slope,) = torch.autograd.grad(margin(logits, decided, decided).sum(), batch, allow_unused=True)
        slope = torch.zeros_like(batch) if slope is None else slope
        parts.append(slope.abs().sum(dim=1).double().cpu().numpy())
    return _mean_one(_coarser(np.concatenate(parts)))


def occlusion_maps(classifier: ImageClassifier, pictures: Pictures, *, batch_size: int) -> Maps:
    """Loss of the decision's probability when a patch is covered with the mean colour; needs no gradients.

    The patch is a quarter of each side and moves over a grid of at most 8 by 8; its value stands where its middle is.
    """
    height, width = pictures.shape[1:3]
    rows, columns = _grid(height, width)
    high, wide = max(1, height // 4), max(1, width // 4)
    cover = pictures.mean(axis=(0, 1, 2))
    scores = probabilities(classifier, pictures, batch_size=batch_size)
    decided = scores.argmax(axis=1)
    own = scores[np.arange(len(pictures)), decided]
    maps = np.zeros((len(pictures), rows, columns))
    for row in range(rows):
        for column in range(columns):
            top, left = _start(row, rows, height, high), _start(column, columns, width, wide)
            covered = pictures.copy()
            covered[:, top : top + high, left : left + wide] = cover
            asked = probabilities(classifier, covered, batch_size=batch_size)
            maps[:, row, column] = own - asked[np.arange(len(pictures)), decided]
    return maps


def places_covered(size: tuple[int, ...]) -> int:
    """How many places of a picture of that height and width the patch covers in turn."""
    rows, columns = _grid(*size)
    return rows * columns


def _grid(height: int, width: int) -> tuple[int, int]:
    return min(OCCLUSION_GRID, height), min(OCCLUSION_GRID, width)


def _start(index: int, count: int, side: int, patch: int) -> int:
    """First pixel of a patch whose middle is that of cell `index` of `count`, kept inside."""
    return int(np.clip(round((index + 0.5) * side / count - patch / 2), 0, side - patch))


def _coarser(maps: Maps) -> Maps:
    """Means over blocks where a side is above LARGEST_MAP; rows that fill no block are left out."""
    height, width = maps.shape[1:]
    high, wide = -(-height // LARGEST_MAP), -(-width // LARGEST_MAP)
    rows, columns = height // high, width // wide
    inner = maps[:, : rows * high, : columns * wide]
    blocks: Maps = inner.reshape(len(maps), rows, high, columns, wide).mean(axis=(2, 4))
    return blocks


def _mean_one(maps: Maps) -> Maps:
    means = maps.mean(axis=(1, 2), keepdims=True)
    scaled: Maps = np.divide(maps, means, out=np.zeros_like(maps), where=means > 0)
    return scaled


@dataclass(frozen=True)
class MapDifference:
    """Mean maps of two groups, classes counting alike, and where they differ beyond chance.

    Attributes:
        first, second: mean maps, shape (rows, columns).
        difference: first minus second.
        beyond: cells whose standardised difference is above what the largest one reaches by chance in one of twenty.
        p_value: of the largest standardised difference.
        units: how many were dealt anew.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    difference: NDArray[np.float64]
    beyond: NDArray[np.bool_]
    p_value: float
    units: int


def map_difference(
    maps: Maps,
    *,
    label: NDArray[np.int64],
    group: NDArray[np.int64],
    unit: NDArray[np.int64],
    seed: int,
    purpose: str,
) -> MapDifference | None:
    """Compare the maps of two groups; None where no class has pictures of both.

    Groups are swapped within units that hold both; units of one group are dealt anew among those of the same classes.
    Each cell's difference is standardised by its spread over the permutations, and the largest of all cells is compared
    with the largest of each permutation, so that one error rate holds for the whole map.

    Args:
        maps: shape (n, rows, columns).
        label: class of each picture.
        group: 0 or 1 for the two groups, negative for pictures that are not compared.
        unit: the independent thing each picture shows.
        seed: of the permutations.
        purpose: what the maps are; with the seed it fixes the draws.
    """
    held = group >= 0
    maps, label, group = maps[held], label[held], group[held].astype(np.int64)
    unit = np.unique(unit[held], return_inverse=True)[1].reshape(-1)
    flat = maps.reshape(len(maps), -1)
    weights = _weights(group[None], label)
    if len(maps) == 0 or not weights.any():
        return None
    dealt = _dealt(group, label, unit, generator(seed, "map difference", purpose))
    observed = (weights @ flat)[0]
    drawn = _weights(dealt, label) @ flat
    spread = drawn.std(axis=0)
    usable = spread > 1e-12 * (np.abs(flat).max() or 1.0)
    sizes = np.divide(np.abs(observed), spread, out=np.zeros_like(observed), where=usable)
    largest = np.divide(np.abs(drawn), spread, out=np.zeros_like(drawn), where=usable).max(axis=1)
    threshold = np.quantile(np.append(largest, sizes.max()), 1 - FAMILY_ERROR, method="higher")
    shape = maps.shape[1:]
    first, second = (_mean_map(flat, weights[0], side) for side in (1, -1))
    return MapDifference(
        first=first.reshape(shape),
        second=second.reshape(shape),
        difference=observed.reshape(shape),
        beyond=((sizes > threshold) | ((sizes == threshold) & (sizes > largest.max()))).reshape(shape),
        p_value=float((1 + np.sum(largest >= sizes.max() - 1e-12)) / (1 + len(largest))),
        units=int(unit.max()) + 1,
    )


def _mean_map(flat: NDArray[np.float64], weights: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    return np.asarray(np.maximum(side * weights, 0) @ flat)


def _weights(group: NDArray[np.int64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of each picture in (mean of group 0) - (mean of group 1), classes counting alike; shape (draws, n).

    A class that lacks one of the groups is left out of that draw.
    """
    answer = np.zeros(group.shape)
    used = np.zeros(len(group))
    for code in np.unique(label):
        of_class = label == code
        first, second = (group == 0) & of_class, (group == 1) & of_class
        counts = first.sum(axis=1), second.sum(axis=1)
        both = (counts[0] > 0) & (counts[1] > 0)
        used += both
        for side, rows, count in ((1.0, first, counts[0]), (-1.0, second, counts[1])):
            share = np.where(both, side / np.maximum(count, 1), 0.0)
            answer += rows * share[:, None]
    return answer / np.maximum(used, 1)[:, None]


def _dealt(
    group: NDArray[np.int64], label: NDArray[np.int64], unit: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Groups as they would be if they made no difference, shape (PERMUTATIONS, n)."""
    units = int(unit.max()) + 1
    has = np.zeros((units, 2), dtype=bool)
    has[unit, group] = True
    both = has.all(axis=1)
    flips = rng.integers(0, 2, size=(PERMUTATIONS, units)) * both
    dealt = group ^ flips[:, unit]
    classes = np.zeros((units, int(label.max()) + 1), dtype=bool)
    classes[unit, label] = True
    _, kind = np.unique(classes, axis=0, return_inverse=True)
    single = has.argmax(axis=1)
    for code in np.unique(kind[~both]):
        members = np.flatnonzero(~both & (kind.reshape(-1) == code))
        shuffled = rng.permuted(np.tile(single[members], (PERMUTATIONS, 1)), axis=1)
        of_unit = np.zeros((PERMUTATIONS, units), dtype=np.int64)
        of_unit[:, members] = shuffled
        rows = np.isin(unit, members)
        dealt[:, rows] = of_unit[:, unit[rows]]
    return dealt
